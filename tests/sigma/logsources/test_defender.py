"""Rules on Sysmon's categories fire on the tables of Microsoft Defender's advanced hunting."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from haidang.inquiry.questions import Question
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

INITIATING = {
    "InitiatingProcessFileName": "cmd.exe",
    "InitiatingProcessFolderPath": r"c:\windows\system32\cmd.exe",
    "InitiatingProcessCommandLine": "cmd.exe /c run.bat",
    "InitiatingProcessAccountDomain": "haivan",
    "InitiatingProcessAccountName": "lan",
    "InitiatingProcessId": 100,
}
LIBRARY = {"FolderPath": r"C:\Temp\x.dll", "FileName": "x.dll"}
REMOTE = {"RemoteIP": "203.0.113.9", "RemotePort": 4444}
COMMON = {"Timestamp": "2026-05-11T03:14:15Z", "DeviceName": "pc01.haivan.example", "ReportId": 7}
PROCESS = {
    **COMMON,
    **INITIATING,
    "ActionType": "ProcessCreated",
    "FileName": "vssadmin.exe",
    "FolderPath": r"C:\Windows\System32\vssadmin.exe",
    "SHA256": "aa",
    "MD5": "bb",
    "ProcessVersionInfoOriginalFileName": "VSSADMIN.EXE",
    "ProcessCommandLine": "vssadmin.exe delete shadows /all",
    "AccountDomain": "haivan",
    "AccountName": "lan",
}
SHADOWS = (
    r"{Image|endswith: '\vssadmin.exe', OriginalFileName: VSSADMIN.EXE, "
    r"CommandLine|contains: delete shadows, "
    r"ParentImage|endswith: '\cmd.exe', User: 'HAIVAN\lan', Hashes|contains: 'SHA256=AA'}"
)
ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "process_creation": (PROCESS, SHADOWS),
    "network_connection": (
        {
            **COMMON,
            **INITIATING,
            "ActionType": "ConnectionSuccess",
            "RemoteIP": "203.0.113.9",
            "RemotePort": 4444,
        },
        r"{Image|endswith: '\cmd.exe', DestinationPort: 4444, DestinationIp: 203.0.113.9, Initiated: 'true'}",
    ),
    "file_event": (
        {
            **COMMON,
            **INITIATING,
            "ActionType": "FileCreated",
            "FileName": "a.lnk",
            "FolderPath": r"C:\Startup\a.lnk",
        },
        r"{TargetFilename: 'C:\Startup\a.lnk', Image|endswith: '\cmd.exe'}",
    ),
    "registry_set": (
        {
            **COMMON,
            **INITIATING,
            "ActionType": "RegistryValueSet",
            "RegistryKey": r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies",
            "RegistryValueName": "DisableAntiSpyware",
            "RegistryValueType": "Dword",
            "RegistryValueData": "1",
        },
        r"{TargetObject: 'HKLM\SOFTWARE\Policies\DisableAntiSpyware', Details: DWORD (0x00000001)}",
    ),
    "image_load": (
        {
            **COMMON,
            **INITIATING,
            "ActionType": "ImageLoaded",
            "FolderPath": r"C:\Temp\x.dll",
            "FileName": "x.dll",
        },
        r"ImageLoaded|startswith: 'C:\Temp\'",
    ),
}


def _table(row: dict[str, Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([list(row), list(row.values())])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


@pytest.mark.parametrize("category", list(ROWS))
def test_rules_of_each_category_fire_on_its_table(category: str, tmp_path: Path) -> None:
    row, selection = ROWS[category]
    rules = write_rules(tmp_path / "rules", found=(f"product: windows, category: {category}", selection))
    assert fired(tmp_path, json.dumps(row).encode() + b"\n", rules) == {("found", "1")}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (_table(PROCESS), "export.csv"),
        (json.dumps({**PROCESS, "TimeGenerated": "2026-05-11T03:14:15Z", "Type": "x"}).encode(), "rows.json"),
        (
            json.dumps(
                {"records": [{"category": "AdvancedHunting-DeviceProcessEvents", "properties": PROCESS}]}
            ).encode(),
            "stream.json",
        ),
    ],
)
def test_exports_and_streams_are_the_same_events(data: bytes, name: str, tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules", found=("product: windows, category: process_creation", SHADOWS))
    assert {title for title, _ in fired(tmp_path, data, rules, name)} == {"found"}
    question = Question((str(tmp_path / name),))
    seen = [(question.host(event), question.time(event)) for event in question.events()]
    assert seen == [("pc01.haivan.example", 1778469255_000000000)]
