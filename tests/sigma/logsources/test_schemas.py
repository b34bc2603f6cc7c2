"""Events in the Elastic Common Schema and OCSF meet the same rules as the Sysmon events they were made of."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import haidang
from tests.sigma.logsources.schema_making import AS_ECS, AS_OCSF, as_ecs, as_ocsf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.sigma.logsources.schema_making import Fields

SYSMON = "Microsoft-Windows-Sysmon/Operational"
# Categories of rules that look at each Sysmon event; rules on other log sources are left out, for only the
# Windows event itself is of a channel or service.
CATEGORIES = {
    1: {"process_creation"},
    3: {"network_connection"},
    6: {"driver_load"},
    7: {"image_load"},
    8: {"create_remote_thread"},
    10: {"process_access"},
    11: {"file_event"},
    12: {"registry_event", "registry_add", "registry_delete"},
    13: {"registry_event", "registry_set"},
    17: {"pipe_created"},
    22: {"dns_query"},
    23: {"file_delete"},
}
MADE: list[Fields] = [
    {
        "EventID": 1,
        "Image": r"C:\Windows\System32\rundll32.exe",
        "CommandLine": r"rundll32.exe C:\Users\Public\a.dll,Chay",
        "CurrentDirectory": r"C:\Users\Public\\",
        "ParentImage": r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE",
        "ParentCommandLine": "WINWORD.EXE /n don.docx",
        "User": r"HOAIV\ha",
        "IntegrityLevel": "Medium",
        "OriginalFileName": "RUNDLL32.EXE",
        "Company": "Microsoft Corporation",
        "Hashes": "MD5=00112233445566778899AABBCCDDEEFF,IMPHASH=F34D5F2D4577ED6D9CEEC516C1F5A744",
        "ProcessId": 77,
    },
    {
        "EventID": 3,
        "Image": r"C:\Windows\System32\rundll32.exe",
        "User": r"HOAIV\ha",
        "Protocol": "tcp",
        "Initiated": "true",
        "SourceIp": "10.0.0.17",
        "SourcePort": 50000,
        "DestinationIp": "203.0.113.9",
        "DestinationPort": 443,
        "DestinationHostname": "la.example",
    },
    {
        "EventID": 7,
        "Image": r"C:\Windows\System32\rundll32.exe",
        "ImageLoaded": r"C:\Users\Public\a.dll",
        "OriginalFileName": "a.dll",
        "Signed": "false",
        "SignatureStatus": "Unavailable",
        "Hashes": "SHA256=" + "A" * 64,
    },
    {"EventID": 11, "Image": r"C:\Windows\explorer.exe", "TargetFilename": r"C:\Users\Public\a.hta"},
    {
        "EventID": 12,
        "EventType": "CreateKey",
        "Image": r"C:\Windows\regedit.exe",
        "TargetObject": r"HKLM\SOFTWARE\HoaIV\Moi",
    },
    {
        "EventID": 12,
        "EventType": "DeleteValue",
        "Image": r"C:\Windows\regedit.exe",
        "TargetObject": r"HKLM\SOFTWARE\HoaIV\Cu",
    },
    {
        "EventID": 13,
        "EventType": "SetValue",
        "Image": r"C:\Windows\regedit.exe",
        "TargetObject": r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\RunAsPPL",
        "Details": "DWORD (0x00000000)",
    },
    {
        "EventID": 13,
        "EventType": "SetValue",
        "Image": r"C:\Windows\regedit.exe",
        "TargetObject": r"HKU\S-1-5-21-1\Software\Microsoft\Windows\CurrentVersion\Run\a",
        "Details": r"C:\Users\Public\a.exe",
    },
    {
        "EventID": 22,
        "Image": r"C:\Windows\System32\rundll32.exe",
        "QueryName": "c2.la.example",
        "QueryResults": "::ffff:203.0.113.9;",
    },
    {"EventID": 23, "Image": r"C:\Windows\System32\cmd.exe", "TargetFilename": r"C:\Users\Public\a.dll"},
]
RULES = {
    "process_creation": [
        r"ParentImage|endswith: '\WINWORD.EXE'",
        r"CommandLine|contains: ',Chay'",
        r"OriginalFileName: RUNDLL32.EXE",
        "Hashes|contains: 'IMPHASH=F34D5F2D4577ED6D9CEEC516C1F5A744'",
        "{Hashes|contains: 'MD5=00112233', IntegrityLevel: Medium}",
        r"{User: 'HOAIV\ha', CurrentDirectory|contains: '\Public\', Company: Microsoft Corporation}",
    ],
    "network_connection": [
        "{Initiated: 'true', DestinationPort: 443, DestinationHostname|endswith: .example}"
    ],
    "image_load": [
        r"{ImageLoaded|startswith: 'C:\Users\Public\', Signed: 'false'}",
        "Hashes|contains: SHA256=AA",
    ],
    "file_event": [r"TargetFilename|endswith: .hta"],
    "registry_add": [r"TargetObject|contains: '\HoaIV\Moi'"],
    "registry_delete": [r"TargetObject|endswith: '\HoaIV\Cu'"],
    "registry_event": [r"{EventType: DeleteValue, TargetObject|contains: HoaIV}"],
    "registry_set": [
        r"{TargetObject|endswith: '\Lsa\RunAsPPL', Details: DWORD (0x00000000)}",
        r"{TargetObject|startswith: 'HKU\', Details|contains: '\Users\Public\'}",
    ],
    "dns_query": ["QueryName|endswith: .la.example", "QueryResults|contains: '203.0.113.9'"],
    "file_delete": [r"TargetFilename|endswith: .dll"],
}
FREQUENT = {7, 10, 12, 13}
SHAPES = {"ecs": as_ecs, "ocsf": as_ocsf}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> haidang.Ruleset:
    """The rules above."""
    folder = tmp_path_factory.mktemp("rules")
    for category, selections in RULES.items():
        for number, selection in enumerate(selections):
            selected = selection if selection.startswith("{") else f"{{{selection}}}"
            (folder / f"{category}-{number}.yml").write_text(
                f"title: {category} {number}\nlogsource: {{product: windows, category: {category}}}\n"
                f"detection: {{selection: {selected}, condition: selection}}\n",
                encoding="utf-8",
            )
    return haidang.load_rules(folder, cache=False)


def titles(rules: haidang.Ruleset, event: Fields | None, origin: str, wanted: set[str]) -> set[str]:
    if event is None:
        return set()
    findings = rules.match(event)
    assert {finding.origin for finding in findings} <= {origin}
    return {finding.rule.title for finding in findings} & wanted


@pytest.mark.parametrize("schema", SHAPES)
def test_a_made_event_gives_the_same_findings_in_each_shape(own: haidang.Ruleset, schema: str) -> None:
    fired: set[str] = set()
    lost: list[Any] = []
    wanted = {info.title for info in own}
    for fields in MADE:
        event = {"Channel": SYSMON, "Computer": "VP-PC-017", **fields}
        native = titles(own, event, "windows", wanted)
        again = titles(own, SHAPES[schema](event), schema, wanted)
        # ECS has one kind of deletion in the registry.
        native -= {"registry_event 0"} if schema == "ecs" else set()
        fired |= native
        if again != native:
            lost.append((fields, native ^ again))
    assert lost == []
    assert fired >= wanted - {"registry_event 0"}


@pytest.fixture(scope="module")
def sigmahq(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> haidang.Ruleset:
    """The rules of the corpus on the categories above; each title says its category."""
    folder = tmp_path_factory.mktemp("rules")
    wanted = {category for categories in CATEGORIES.values() for category in categories}
    with zipfile.ZipFile(corpora / "sigma_all_rules.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".yml"):
                document = yaml.safe_load(archive.read(name))
                category = document["logsource"].get("category")
                if document["logsource"].get("product") == "windows" and category in wanted:
                    document["title"] = f"{category}: {document['title']}"
                    (folder / f"{Path(name).name}").write_text(yaml.safe_dump(document), encoding="utf-8")
    return haidang.load_rules(folder, cache=False)


def recorded(corpora: Path) -> Iterator[Fields]:
    """Yield the Sysmon events of the recorded attacks; of the most frequent kinds one in ten."""
    passed = 0
    for path in sorted((corpora / "mordor").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json") and "__MACOSX" not in name:
                    for line in archive.read(name).splitlines():
                        if b"Microsoft-Windows-Sysmon/Operational" in line:
                            event = json.loads(line)
                            if event.get("Channel") != SYSMON or int(event["EventID"]) not in CATEGORIES:
                                continue
                            passed += 1
                            if int(event["EventID"]) not in FREQUENT or not passed % 10:
                                yield event


def matched(rules: haidang.Ruleset, event: Fields | None, code: int) -> set[str]:
    if event is None:
        return set()
    matcher = rules.matcher
    origin = "windows" if "Channel" in event else matcher.recognise(event)
    found = {rules.infos[index].title for index in matcher.match(origin, event)}
    return {title for title in found if title.partition(":")[0] in CATEGORIES[code]}


@pytest.mark.slow
@pytest.mark.parametrize(("schema", "codes"), [("ecs", set(AS_ECS)), ("ocsf", set(AS_OCSF))])
def test_recorded_attacks_give_the_same_findings_in_each_shape(
    sigmahq: haidang.Ruleset, corpora: Path, schema: str, codes: set[int]
) -> None:
    make: Callable[[Fields], Fields | None] = SHAPES[schema]
    seen = 0
    different: dict[str, Any] = {}
    for event in recorded(corpora):
        code = int(event["EventID"])
        if code not in codes & set(CATEGORIES):
            continue
        native = matched(sigmahq, event, code)
        seen += bool(native)
        for title in native ^ matched(sigmahq, make(event), code):
            different.setdefault(title, event)
    assert seen > 200
    assert different == {}
