"""A draft fires on its examples, is quiet on ordinary logs, and is a rule that passes the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from haidang.errors import InputError
from haidang.sigma.ir import LogSource
from haidang.sigma.logsource import load_maps
from haidang.workshop.checking import check
from haidang.workshop.drafting import Sign, draft
from haidang.workshop.reading import ReadEvent
from haidang.workshop.testing import run_tests

if TYPE_CHECKING:
    from pathlib import Path

MAPS = load_maps()
SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "ProcessGuid": "{1}"}


def events(*found: dict[str, Any], origin: str = "windows") -> list[ReadEvent]:
    return [ReadEvent("log", number, origin, event) for number, event in enumerate(found, 1)]


def process(image: str, command: str, **more: Any) -> dict[str, Any]:
    return {**SYSMON, "Image": image, "CommandLine": command, **more}


def test_takes_what_the_examples_share_and_ordinary_logs_do_not() -> None:
    examples = events(
        process("C:\\Windows\\sc.exe", "sc.exe stop WinDefend now", User="A"),
        process("C:\\Windows\\sc.exe", "sc.exe stop WinDefend", User="B"),
    )
    ordinary = events(
        process("C:\\Windows\\sc.exe", "sc.exe query", User="A"),
        process("C:\\Windows\\cmd.exe", "cmd /c dir", User="B"),
    )
    found = draft(examples, ordinary, MAPS)
    assert found.logsource == LogSource("windows", "process_creation")
    assert Sign("CommandLine", "contains", ("sc.exe stop WinDefend",)) in found.signs
    assert (found.background, found.hit) == (2, 0)
    assert found.quiet[0] == ordinary[0].event


def test_takes_the_options_of_a_command_line_not_its_files() -> None:
    one = process("C:\\W\\certutil.exe", "certutil  -encode -f file.bat out.b64")
    other = process("C:\\W\\certutil.exe", "certutil -f -Encode C:\\x\\y.exe z /quiet")
    assert Sign("CommandLine", "contains", (" -encode",)) in draft(events(one), [], MAPS).signs
    assert Sign("CommandLine", "contains", (" -encode",)) in draft(events(one, other), [], MAPS).signs
    both = process("a.exe", "a.exe -noP -sta -w 1 -enc AAAA /etc/x")
    assert (
        Sign("CommandLine", "contains|all", (" -noP", " -sta", " -enc"))
        in draft(events(both), [], MAPS).signs
    )


def test_is_written_as_published_rules_are() -> None:
    long = "a.exe " + "very long text " * 20 + "'quoted' " + "C:\\x\\"
    text = draft(events(process("C:\\a.exe", long)), [], MAPS).rule_yaml("A Draft", "2026-11-30")
    assert "\ndate: 2026-11-30\n" in text
    assert "\nfalsepositives:\n    - Unknown\n" in text
    assert "\n        Image|endswith: '\\a.exe'\n" in text
    assert "        CommandLine|contains: '" + long.replace("'", "''") + "'\n" in text


def test_says_how_many_ordinary_events_it_hits() -> None:
    same = process("C:\\a.exe", "a.exe")
    found = draft(events(same), events(same, same), MAPS)
    assert (found.background, found.hit) == (2, 2)


def test_ordinary_events_of_another_log_source_do_not_count() -> None:
    other = {"Channel": "Security", "EventID": 4624, "CommandLine": "a.exe"}
    assert draft(events(process("C:\\a.exe", "a.exe")), events(other), MAPS).background == 0


def test_how_and_where_an_event_was_logged_says_nothing() -> None:
    event = process("C:\\a.exe", "a.exe", Computer="PC", Keywords="0x8", Task=1, Level=4)
    found = draft(events(event), [], MAPS)
    assert {sign.field for sign in found.signs} == {"Image", "CommandLine"}


def test_names_fields_as_rules_do() -> None:
    event = {"Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\x\\a.exe", "ProcessId": "0x1"}
    found = draft(events(event), [], MAPS)
    assert found.logsource.category == "process_creation"
    assert found.signs == [Sign("Image", "endswith", ("\\a.exe",))]


def test_what_it_writes_passes_checks_and_tests(tmp_path: Path) -> None:
    examples = events(process("C:\\a*b\\x.exe", "x.exe -p 'a?*' \\\\host\\c$"))
    ordinary = events(process("C:\\y.exe", "y.exe"))
    found = draft(examples, ordinary, MAPS)
    (tmp_path / "a.yml").write_text(found.rule_yaml("A Draft", "2026-11-30"), encoding="utf-8")
    (tmp_path / "a.test.yml").write_text(found.test_yaml(), encoding="utf-8")
    assert [issue for issue in check([str(tmp_path)]).issues if issue.severity != "note"] == []
    run = run_tests([str(tmp_path)], cache=False)
    assert not run.failed
    assert len(run.outcomes) == 2


@pytest.mark.parametrize(
    "examples",
    [
        [],
        events({**SYSMON}),
        [*events(process("a", "b")), *events({"exe": "a"}, origin="auditd")],
    ],
    ids=["none", "nothing in common", "two families"],
)
def test_refuses_examples_that_make_no_rule(examples: list[ReadEvent]) -> None:
    with pytest.raises(InputError):
        draft(examples, [], MAPS)
