"""``haidang timeline``, ``stats`` and ``search`` as a user runs them: outputs, languages, exit codes."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from haidang.cli import search, stats, timeline
from haidang.cli._command import Context, parse
from haidang.cli.main import main
from haidang.errors import OutputError
from haidang.i18n import translator
from tests.inquiry.making import SECURITY, SYSMON, windows, write

if TYPE_CHECKING:
    from pathlib import Path

RULE = """title: Somebody asks who they are
id: 00000000-0000-4000-8000-000000000001
level: high
logsource: {product: windows, category: process_creation}
detection: {sel: {CommandLine|contains: whoami}, condition: sel}
"""


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with ``logs/`` (a logon, a process in it, a forged name) and a rule."""
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("LANGUAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rule.yml").write_text(RULE, encoding="utf-8")
    write(
        tmp_path / "logs" / "ws01.json",
        windows(
            SECURITY,
            4624,
            "08:00:00",
            TargetUserName="mai.tt",
            TargetLogonId="0x1f",
            LogonType=10,
            IpAddress="10.0.0.9",
        ),
        windows(SYSMON, 1, "08:01:00", CommandLine="whoami /all", LogonId="0x1F"),
        windows(SYSMON, 1, "08:02:00", CommandLine="=cmd\x1b[31m\nnext", LogonId="0x1F", User="lan"),
    )
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.usefixtures("case")
def test_a_time_line_for_people_says_who_came_from_where(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "timeline", "logs", "--rules", "rule.yml")
    assert code == 0
    assert err == ""
    lines = out.splitlines()
    assert [line[:19] for line in lines] == [
        "2026-03-01 08:00:00",
        "2026-03-01 08:01:00",
        "2026-03-01 08:01:00",
        "2026-03-01 08:02:00",
    ]
    assert "Logon" in lines[0]
    assert "mai.tt ← 10.0.0.9" in lines[1]
    assert "! High: Somebody asks who they are" in lines[2]
    assert "\x1b" not in out


@pytest.mark.usefixtures("case")
def test_a_time_line_speaks_vietnamese(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "timeline", "logs", "--no-findings", "--lang", "vi")
    assert "Đăng nhập" in out
    assert "Tiến trình khởi chạy" in out


@pytest.mark.usefixtures("case")
def test_a_time_line_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "timeline", "logs", "--rules", "rule.yml", "--format", "ndjson", "--lang", "vi")
    objects = [json.loads(line) for line in out.splitlines()]
    assert [each["kind"] for each in objects] == ["logon", "process", "finding", "process"]
    assert objects[0]["title"] == "Logon"
    assert objects[1]["session"] == {
        "id": "0x1f", "user": "mai.tt", "source": "10.0.0.9", "opened": "2026-03-01T08:00:00.000Z",
    }  # fmt: skip
    assert objects[2]["level"] == "high"
    assert objects[1]["source"] == {"path": "logs/ws01.json", "record": 2}


@pytest.mark.usefixtures("case")
def test_a_time_line_for_spreadsheets_has_no_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "timeline", "logs", "--no-findings", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert [row["kind"] for row in rows] == ["logon", "process", "process"]
    assert rows[2]["text"].startswith("'=cmd")
    assert rows[2]["session_user"] == "mai.tt"


def test_an_output_file_appears_whole(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "timeline", "logs", "--no-findings", "--format", "csv", "--output", "t.csv")
    assert (code, out) == (0, "")
    assert len((case / "t.csv").read_text(encoding="utf-8").splitlines()) == 4 + 1  # A text has a line break.
    assert sorted(path.name for path in case.iterdir()) == ["logs", "rule.yml", "t.csv"]


@pytest.mark.parametrize("command", ["timeline", "search"])
def test_a_process_that_is_told_to_end_leaves_no_half_file(command: str, case: Path) -> None:
    pattern = ["a"] if command == "search" else ["--no-findings"]
    program = "import sys; from haidang.cli.main import main; sys.exit(main())"
    arguments = [sys.executable, "-c", program, command, *pattern, "-", "--output", "out.csv"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        for _ in range(400):
            if list(case.glob(".out.csv.*")):
                break
            process.stdin.write(b'{"a": "a"}\n' * 100)
            process.stdin.flush()
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert not list(case.glob("*out.csv*"))


@pytest.mark.parametrize("command", ["timeline", "stats", "search"])
def test_an_output_in_the_folder_that_is_read_is_no_log(
    command: str, case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = {"timeline": ["--rules", "rule.yml", "--format", "ndjson"], "stats": [], "search": ["WS01"]}[
        command
    ]
    code, _, err = run(capsys, command, *arguments, "logs", "--output", "logs/a.txt")
    assert (code, err) == (0, "")
    assert sorted(path.name for path in (case / "logs").iterdir()) == ["a.txt", "ws01.json"]


def test_rules_that_are_refused_are_said(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (case / "rule.yml").write_text(RULE.replace("condition: sel", "condition: other"), encoding="utf-8")
    _, _, err = run(capsys, "timeline", "logs", "--rules", "rule.yml")
    assert "1 rule refused" in err


def test_an_output_that_cannot_be_written_is_said(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "stats", "logs", "--output", str(case / "absent" / "x.json"))
    assert code == 2
    assert "cannot write the output" in err


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("command", ["timeline", "stats", "search"])
def test_what_was_not_read_is_said_and_is_exit_code_3(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open("logs/ws01.json", "a", encoding="utf-8") as log:  # noqa: PTH123
        log.write('{"broken: whoami\n')
    pattern = ["whoami"] if command == "search" else []
    code, out, err = run(capsys, command, *pattern, "logs")
    assert code == 3
    assert "broken lines" in (out if command == "stats" else err)


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("command", ["timeline", "stats", "search"])
def test_wrong_usage_is_exit_code_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    pattern = ["x"] if command == "search" else []
    for arguments in (
        [],
        ["absent"],
        ["logs", "--since", "never"],
        ["logs", "--format", "odd"],
        ["logs", "--hots"],
    ):
        code, out, err = run(capsys, command, *pattern, *arguments)
        assert code == 2, arguments
        assert out == ""
        assert err.startswith("haidang: ")


@pytest.mark.usefixtures("case")
def test_statistics_for_people_and_machines(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "stats", "logs")
    assert (code, err) == (0, "")
    assert "ndjson" in out
    assert SYSMON in out
    assert "2026-03-01 08:01 → 08:02" in out
    assert "1 file read" in out
    code, out, _ = run(capsys, "stats", "logs", "--format", "json")
    found = json.loads(out)
    assert found["events"] == 3
    assert found["formats"] == {"ndjson": 1}
    assert {"origin": "windows", "source": SYSMON, "id": "1", "events": 2} in found["ids"]
    assert found["files"][0]["problems"] == []
    _, out, _ = run(capsys, "stats", "logs", "--lang", "vi")
    assert "Nguồn" in out


@pytest.mark.usefixtures("case")
def test_a_search_gives_lines_events_or_their_number(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "search", "WHOAMI", "logs", "-i")
    assert (code, err) == (0, "")
    assert out == "2026-03-01T08:01:00.000Z  WS01.haivan.example  logs/ws01.json:2  CommandLine=whoami /all\n"
    _, out, _ = run(
        capsys, "search", "--regex", "who(ami)? ", "logs", "--field", "CommandLine", "--format", "ndjson"
    )
    (event,) = map(json.loads, out.splitlines())
    assert event["event"]["CommandLine"] == "whoami /all"
    assert event["fields"] == ["CommandLine"]
    _, out, _ = run(capsys, "search", "WS01", "logs", "--format", "count")
    assert out == "3\n"
    _, out, _ = run(capsys, "search", "WS01", "logs", "--limit", "2")
    assert len(out.splitlines()) == 2
    code, out, _ = run(capsys, "search", "nowhere", "logs")
    assert (code, out) == (0, "")


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["search", "whoami", "logs", "--field", "commandline"],
            "has a field commandline. Did you mean CommandLine?",
        ),
        (["search", "whoami", "logs", "--field", "Zz"], "No event has a field Zz."),
        (
            ["search", "whoami", "logs", "--host", "ws02"],
            "of the host ws02. Did you mean WS01.haivan.example?",
        ),
        (["search", "nowhere", "logs"], "No event fits."),
        (
            ["timeline", "logs", "--no-findings", "--host", "db"],
            "of the host db. There is: WS01.haivan.example.",
        ),
        (["timeline", "logs", "--no-findings", "--user", "mai"], "of the user mai. Did you mean mai.tt?"),
        (["timeline", "logs", "--no-findings", "--since", "2030-01-01"], "Nothing notable was found."),
        (["stats", "logs", "--host", "ws1"], "of the host ws1. Did you mean WS01.haivan.example?"),
    ],
)
def test_nothing_found_is_said_with_what_may_have_been_meant(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 0
    assert said in err


@pytest.mark.usefixtures("case")
def test_a_host_that_is_there_hides_no_other_that_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, "timeline", "logs", "--no-findings", "--host", "ws01", "--host", "dc01")
    assert len(out.splitlines()) == 3
    assert "Nothing fits of the host dc01." in err
    assert "ws01." not in err


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("command", ["scan", "timeline", "stats", "search"])
def test_a_time_that_ends_before_it_begins_is_wrong_usage(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pattern = ["x"] if command == "search" else []
    code, _, err = run(capsys, command, *pattern, "logs", "--since", "2026-03-02", "--until", "2026-03-01")
    assert code == 2
    assert "--since 2026-03-02 is after --until 2026-03-01" in err


@pytest.mark.parametrize(
    ("command", "name", "begins"),
    [
        ("timeline", "t.csv", "time,host,kind"),
        ("timeline", "t.ndjson", '{"kind":'),
        ("timeline", "t.json", '{"kind":'),
        ("timeline", "t.txt", "2026-03-01 08:00:00"),
        ("stats", "s.json", '{"events":3'),
        ("search", "s.csv", "time,host,origin"),
        ("search", "s.jsonl", '{"time":'),
    ],
)
def test_the_ending_of_an_output_names_its_format(
    command: str, name: str, begins: str, case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pattern = ["WS01"] if command == "search" else []
    findings = ["--no-findings"] if command == "timeline" else []
    assert run(capsys, command, *pattern, *findings, "logs", "--output", name)[0] == 0
    assert (case / name).read_text("utf-8").startswith(begins)


@pytest.mark.parametrize("name", ["a.html", "a.csv"])
def test_an_ending_that_a_command_does_not_write_is_wrong_usage(
    name: str, case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "stats", "logs", "--output", name)
    assert code == 2
    assert f"stats does not write {name[1:]}" in err
    assert not (case / name).exists()


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("command", ["timeline", "stats", "search"])
def test_a_full_disk_is_no_defect_of_the_program(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = {"timeline": ["--no-findings"], "stats": [], "search": ["WS01"]}[command]
    words = translator("en")
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        context = Context(words, {}, full, io.StringIO(), lambda: 0)
        module = {"timeline": timeline, "stats": stats, "search": search}[command]
        with pytest.raises(OutputError, match="No space left"):
            module.COMMAND.run(parse(module.COMMAND, [*arguments, "logs"], words), context)


@pytest.mark.usefixtures("case")
def test_a_search_for_spreadsheets_has_no_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "search", "=cmd", "logs", "--format", "csv", "--field", "CommandLine")
    (row,) = csv.DictReader(io.StringIO(out, newline=""))
    assert row["fields"] == "CommandLine"
    assert row["matched"].startswith("CommandLine==cmd")
    assert json.loads(row["event"])["LogonId"] == "0x1F"


@pytest.mark.usefixtures("case")
def test_what_logs_hold_does_not_reach_the_terminal_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "search", "next", "logs")
    assert "\x1b" not in out
    assert len(out.splitlines()) == 1


@pytest.mark.usefixtures("case")
def test_a_wrong_expression_is_exit_code_2_with_advice(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "search", "--regex", "(?=x)", "logs")
    assert code == 2
    assert "no look-around" in err


def test_progress_is_shown_on_a_terminal_and_gone_before_the_answer(case: Path) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal, answer = Terminal(), io.BytesIO()
    context = Context(translator("en"), {"NO_COLOR": "1"}, answer, terminal, lambda: 0)
    for command, arguments in ((timeline, ["--no-findings"]), (stats, []), (search, ["x"])):
        terminal.truncate(0)
        parsed = parse(command.COMMAND, [*arguments, str(case / "logs")], context.translate)
        assert command.COMMAND.run(parsed, context) == 0
        shown = terminal.getvalue().split("\r\x1b[K")
        assert shown[1] == "Reading …"
        assert shown[-1] == ""
        assert not any("finding" in line for line in shown)


def test_no_progress_where_nobody_sees_it(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, arguments in (("timeline", ["--no-findings"]), ("stats", []), ("search", ["x"])):
        assert run(capsys, command, *arguments, str(case / "logs"))[2] == ""
