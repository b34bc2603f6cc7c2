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


# Events that no Sysmon event says: an event, the log source of a rule, what it selects.
WEB_ECS: Fields = {
    "@timestamp": "2026-11-11T01:02:03Z",
    "ecs": {"version": "8.17.0"},
    "event": {"category": ["network", "web"], "type": ["access"], "dataset": "nginx.access"},
    "url": {"original": "/a/b.php?c=1", "path": "/a/b.php", "query": "c=1", "domain": "hoaiv.example"},
    "http": {"request": {"method": "POST", "referrer": "x"}, "response": {"status_code": 404}},
    "user_agent": {"original": "sqlmap/1.8"},
    "source": {"ip": "203.0.113.9"},
}
DNS_ECS: Fields = {
    "@timestamp": "2026-11-11T01:02:03Z",
    "ecs": {"version": "8.17.0"},
    "event": {"category": ["network"], "type": ["protocol"]},
    "dns": {"question": {"name": "a.la.example", "type": "TXT"}, "answers": [{"data": "cmd.exe /c x"}]},
    "destination": {"ip": "10.0.0.53", "port": 53},
}
LINUX_ECS: Fields = {
    "@timestamp": "2026-11-11T01:02:03Z",
    "ecs": {"version": "8.17.0"},
    "event": {"category": ["process"], "type": ["start"], "action": "exec"},
    "host": {"hostname": "HV-WEB01", "os": {"family": "debian", "platform": "debian"}},
    "process": {
        "executable": "/usr/bin/base64",
        "args": ["base64", "-d", "x"],
        "parent": {"executable": "/usr/sbin/nginx"},
    },
    "user": {"name": "www-data"},
}
WEB_OCSF: Fields = {
    "class_uid": 4002,
    "category_uid": 4,
    "activity_id": 3,
    "type_uid": 400203,
    "time": 1794358923000,
    "metadata": {"version": "1.4.0", "product": {"name": "a"}},
    "http_request": {
        "http_method": "GET",
        "user_agent": "sqlmap/1.8",
        "url": {"path": "/a/b.php", "query_string": "c=1", "hostname": "hoaiv.example"},
    },
    "http_response": {"code": 404},
    "src_endpoint": {"ip": "203.0.113.9"},
}
MAC_OCSF: Fields = {
    "class_uid": 1007,
    "category_uid": 1,
    "activity_id": 1,
    "type_uid": 100701,
    "time": 1794358923000,
    "metadata": {"version": "1.4.0", "product": {"name": "a"}},
    "device": {"hostname": "HV-MAC01", "os": {"type": "macOS", "name": "macOS"}},
    "process": {"file": {"path": "/usr/sbin/screencapture"}, "cmd_line": "screencapture -x a"},
    "actor": {"process": {"file": {"path": "/bin/zsh"}}},
}
TRAIL_OCSF: Fields = {
    "class_uid": 6003,
    "category_uid": 6,
    "activity_id": 4,
    "type_uid": 600304,
    "time": 1794358923000,
    "metadata": {"version": "1.1.0", "product": {"name": "CloudTrail", "vendor_name": "AWS"}},
    "cloud": {"provider": "AWS", "region": "ap-southeast-1"},
    "api": {"operation": "StopLogging", "service": {"name": "cloudtrail.amazonaws.com"}},
    "actor": {"user": {"type": "IAMUser", "name": "ha"}},
}


@pytest.mark.parametrize(
    ("event", "origin", "logsource", "selection"),
    [
        (WEB_ECS, "ecs", "category: webserver", "{cs-uri-query|contains: 'b.php?c=', sc-status: 404}"),
        (WEB_ECS, "ecs", "category: proxy", "{c-useragent|startswith: sqlmap/, cs-method: POST}"),
        (DNS_ECS, "ecs", "category: dns", "{query|endswith: .la.example, record_type: TXT}"),
        (DNS_ECS, "ecs", "category: dns", "{answer|contains: cmd.exe}"),
        (DNS_ECS, "ecs", "service: netflow", "{destination.port: 53}"),
        (
            *(LINUX_ECS, "ecs", "product: linux, category: process_creation"),
            "{CommandLine: base64 -d x, ParentImage|endswith: /nginx, User: www-data}",
        ),
        (WEB_OCSF, "ocsf", "category: webserver", "{cs-uri-query|contains: 'b.php?c=', sc-status: 404}"),
        (WEB_OCSF, "ocsf", "category: proxy", "{c-useragent|startswith: sqlmap/, cs-host: hoaiv.example}"),
        (
            *(MAC_OCSF, "ocsf", "product: macos, category: process_creation"),
            "{Image|endswith: /screencapture, ParentImage: /bin/zsh}",
        ),
        (TRAIL_OCSF, "ocsf", "product: aws, service: cloudtrail", "{eventName: StopLogging}"),
    ],
)
def test_events_of_other_products_meet_rules(
    event: Fields, origin: str, logsource: str, selection: str, tmp_path: Path
) -> None:
    rule = "title: r\nlogsource: {%s}\ndetection: {selection: %s, condition: selection}\n"
    (tmp_path / "rule.yml").write_text(rule % (logsource, selection), encoding="utf-8")
    rules = haidang.load_rules(tmp_path / "rule.yml", cache=False)
    assert [finding.origin for finding in rules.match(event)] == [origin]
    assert rules.match({**event, "class_uid": 9999, "event": {"category": ["other"]}}) == []


def test_an_event_of_one_system_meets_no_rule_of_another(own: haidang.Ruleset) -> None:
    for fields in MADE:
        event = {"Channel": SYSMON, **fields}
        ecs, ocsf = as_ecs(event), as_ocsf(event)
        assert ecs is not None
        assert ocsf is not None
        ecs["host"]["os"]["type"] = "linux"
        ocsf["device"]["os"]["type_id"] = 200
        assert own.match(ecs) == []
        assert own.match(ocsf) == []
