"""Each command of a transcript is an event that PowerShell rules can look at."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers.powershell_transcript import READER
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, head
from tests.events.readers.feeding import sample as sample_of
from tests.events.readers.firing import fired, take_rules, write_rules
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

STARS = b"*" * 22
HEADER = STARS + b"\nstart\nMachine: WS-07 (NT)\nPSVersion: 7.4\n" + STARS + b"\n"


def sample() -> bytes:
    return sample_of("powershell_transcript", "PowerShell_transcript.WS-07.txt")


def test_each_command_is_an_event_with_its_output() -> None:
    file = read_bytes(READER, sample(), limits=replace(DEFAULT_LIMITS, batch_events=2))
    assert file.report.complete
    kinds = [(number, event["kind"]) for number, event in zip(file.records, file.events, strict=True)]
    assert kinds == [
        (1, "start"),
        (13, "output"),
        (14, "command"),
        (16, "command"),
        (20, "command"),
        (27, "command"),
    ]
    start, _, whoami, loop, remote, archive = file.events
    assert start == {
        "kind": "start",
        "timestamp": "2026-11-11T21:59:03",
        "Starttime": "20261111215903",
        "Username": r"HOAVANG\lan.tt",
        "RunAsUser": r"HOAVANG\lan.tt",
        "Machine": "WS-07 (Microsoft Windows NT 10.0.19045.0)",
        "Computer": "WS-07",
        "HostApplication": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -nop -w hidden -c "
        r"Get-Content $env:TEMP\x.ps1 | powershell.exe -",
        "ProcessID": "4120",
        "PSVersion": "5.1.19041.4894",
        "PSEdition": "Desktop",
    }
    assert whoami["ScriptBlockText"] == "whoami /all"
    assert whoami["Payload"] == "whoami /all\nhoavang\\lan.tt"
    assert loop["ScriptBlockText"] == (
        "foreach ($n in 1..3) {\n    Add-MpPreference -ExclusionPath C:\\Temp\n}"
    )
    # Stars that a command printed are no heading.
    assert remote["Payload"].endswith("\nđây là kết quả, không phải tiêu đề")
    assert archive["ScriptBlockText"] == r"Compress-Archive C:\Temp\ng.txt C:\Temp\ng.zip"
    assert [event["timestamp"][11:] for event in file.events] == ["21:59:03"] * 5 + ["22:01:10"]


def test_a_prompt_of_ones_own_is_found_below_the_time_of_the_command() -> None:
    data = HEADER + STARS + b"\nStartzeit: 20261111220110\n" + STARS + b"\nlan @ ws-07 $ Get-Date\nnow\n"
    command = read_bytes(READER, data).events[1]
    assert command["ScriptBlockText"] == "lan @ ws-07 $ Get-Date"
    assert command["Payload"].endswith("\nnow")


def test_several_transcripts_in_one_file_have_their_own_headers() -> None:
    other = b"\xef\xbb\xbf" + HEADER.replace(b"WS-07", b"SV-02")
    file = read_bytes(READER, HEADER + b"PS C:\\> a\n" + other + b"PS C:\\> b\n")
    assert [event["Computer"] for event in file.events] == ["WS-07", "WS-07", "SV-02", "SV-02"]


def test_a_transcript_without_header_and_one_that_is_cut_off_are_noted() -> None:
    file = read_bytes(READER, b"text\nPS C:\\> whoami\nlan\n")
    assert [event["kind"] for event in file.events] == ["output", "command"]
    assert file.problems == {"broken-line": ("line 1", 1)}
    file = read_bytes(READER, sample()[: sample().rindex(b"End time")])
    assert file.problems == {"truncated": ("line 28", 1)}


def test_output_is_bounded() -> None:
    data = HEADER + b"PS C:\\> type big\n" + b"0123456789\n" * 100 + b"PS C:\\> exit\n"
    file = read_bytes(READER, data, limits=replace(DEFAULT_LIMITS, value_chars=60))
    assert [event.get("ScriptBlockText") for event in file.events] == [None, "type big", "exit"]
    assert file.events[1]["Payload"] == "type big" + "\n0123456789" * 5
    assert file.problems == {"oversized-line": ("line 12", 1)}


def test_the_header_decides() -> None:
    assert READER.recognises(head(sample())) == 95
    assert READER.recognises(head(sample().decode("utf-8-sig").encode("utf-16"))) == 95
    for other in (b"", STARS + b"\n", STARS + b"\nName: x\nVersion: y\n" + STARS, b"text\n" + HEADER):
        assert READER.recognises(head(other)) == 0


def test_rules_fire(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        script=("product: windows, category: ps_script", "ScriptBlockText|contains: Add-MpPreference"),
        module=("product: windows, category: ps_module", "Payload|contains: Get-ADUser"),
        context=(
            "product: windows, category: ps_module",
            "ContextInfo|contains|all: ['-w hidden', 'Command = whoami']",
        ),
        start=("product: windows, category: ps_classic_start", "Data|contains: 'EngineVersion=5.'"),
        classic=("product: windows, service: powershell-classic", "Data|contains: 'Compress-Archive '"),
    )
    assert fired(tmp_path, sample(), rules) == {
        ("script", "16"),
        ("module", "20"),
        ("context", "14"),
        ("start", "1"),
        ("classic", "27"),
    }


def test_rules_of_sigmahq_fire(corpora: Path, tmp_path: Path) -> None:
    rules = take_rules(
        corpora, tmp_path / "rules", "posh_ps_tamper_windows_defender_set_mp.yml", "posh_pm_get_clipboard.yml"
    )
    data = HEADER + (
        b"PS C:\\> Set-MpPreference -DisableRealtimeMonitoring 1\nPS C:\\> Get-Clipboard\nPS C:\\> dir\n"
    )
    assert {record for _, record in fired(tmp_path, data, rules)} == {"6", "7"}


@given(st.integers(0, len(sample())), st.integers(0, 40), st.binary(max_size=20))
def test_whatever_is_done_to_it_each_line_is_in_an_event(at: int, cut: int, more: bytes) -> None:
    data = sample()[:at] + more + sample()[at + cut :]
    file = read_bytes(READER, data)
    assert len(file.events) >= 4
    assert all(event["kind"] in {"start", "command", "output"} for event in file.events)
    assert file.records == sorted(file.records)
    READER.recognises(head(data))


@pytest.mark.parametrize(
    "data",
    [(STARS + b"\n") * 100_000, b"PS " * 1_000_000, b"*" * 3_000_000, b"[a" * 1_000_000, b"a: " * 1_000_000],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    began = time.process_time()
    read_bytes(READER, HEADER + data)
    READER.recognises(head(STARS + b"\n" + data))
    assert time.process_time() - began < 5


GERMAN = """**********************
Start der Windows PowerShell-Aufzeichnung
Startzeit: 20260511101415
Benutzername: HAIVAN\\lan
RunAs-Benutzer: HAIVAN\\quantri
Konfigurationsname:
Computer: PC01 (Microsoft Windows NT 10.0.19045.0)
Hostanwendung: C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe
Prozess-ID: 4242
PSVersion: 5.1.1
**********************
PS C:\\> Invoke-Mimikatz -DumpCreds
**********************
Ende der Windows PowerShell-Aufzeichnung
Endzeit: 20260511101500
**********************
"""


def test_a_header_in_another_language_is_told_by_its_order() -> None:
    assert READER.recognises(head(GERMAN.encode())) == 95
    seen = feed(READER, GERMAN.encode())
    assert [event["kind"] for event in seen.events] == ["start", "command"]
    command = seen.events[1]
    assert (command["Username"], command["RunAsUser"]) == ("HAIVAN\\lan", "HAIVAN\\quantri")
    assert (command["Computer"], command["ProcessID"]) == ("PC01", "4242")
    assert command["HostApplication"].endswith("powershell.exe")
    assert command["timestamp"] == "2026-05-11T10:14:15"


@pytest.mark.parametrize("line", ["Startzeit: x", "a: 1", "Computer: PC01 (Microsoft Windows NT 10)"])
def test_other_boxes_of_stars_are_no_transcripts(line: str) -> None:
    stars = "*" * 22
    assert READER.recognises(head(f"{stars}\ntitle\n{line}\n{stars}\n".encode())) == 0
