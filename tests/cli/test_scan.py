"""``haidang scan`` as a user runs it: a rule and a log of our own, options, outputs, exit codes."""

from __future__ import annotations

import base64
import csv
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from haidang.cli._command import Context, parse
from haidang.cli._scan_options import scan_options
from haidang.cli.main import main
from haidang.cli.scan import COMMAND
from haidang.errors import ConfigurationError
from haidang.i18n import translator

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.scanning import ScanOptions

NOW = 1_772_352_000_000_000_000  # 2026-03-01T08:00:00Z
COMMAND_LINE = [sys.executable, "-c", "import sys; from haidang.cli.main import main; sys.exit(main())"]

RULE = """title: {title}
id: {id}
status: {status}
level: {level}
tags: [attack.execution, {tag}]
logsource: {{product: windows, category: process_creation}}
detection:
    sel: {{Image|endswith: '{image}'}}
    condition: sel
"""


def rule(folder: Path, name: str, image: str, level: str, status: str, tag: str) -> None:
    text = RULE.format(
        title=f"Rule {name}",
        id=f"{ord(name):08d}-0000-4000-8000-000000000000",
        image=image,
        level=level,
        status=status,
        tag=tag,
    )
    (folder / f"{name}.yml").write_text(text, encoding="utf-8")


def event(image: str, day: int, host: str = "WS01") -> str:
    return json.dumps(
        {
            "EventID": 1,
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "EventTime": f"2026-03-0{day} 08:00:00",
            "@timestamp": f"2026-03-0{day}T08:00:00.000Z",
            "Hostname": host,
            "Image": f"C:\\Windows\\{image}",
            "CommandLine": f"{image} /x",
            "User": "lan",
        }
    )


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder with ``rules/`` (a: high, b: low) and ``logs/`` in which each is satisfied once."""
    for name in ("LANGUAGE", "HAIDANG_ARCHIVE_PASSWORD", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    rule(tmp_path / "rules", "a", "\\evil.exe", "high", "stable", "attack.t1059")
    rule(tmp_path / "rules", "b", "\\odd.exe", "low", "experimental", "attack.t1003.001")
    (tmp_path / "logs").mkdir()
    lines = [event("evil.exe", 1), event("calm.exe", 1), event("odd.exe", 3, "WS02")]
    (tmp_path / "logs" / "host.json").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def scan(*options: str) -> int:
    return main(["scan", "logs", "--rules", "rules", "--processes", "1", "--no-cache", *options])


def records(text: bytes | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def titles(text: bytes | str) -> list[str]:
    return [record["rule"]["title"] for record in records(text) if record["kind"] == "finding"]


@pytest.mark.usefixtures("case")
def test_summary_is_what_a_scan_prints(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert scan() == 0
    captured = capsysbinary.readouterr()
    text = captured.out.decode()
    assert "Rule a" in text
    assert "Findings  2 by 2 rules:  1 high  1 low" in text
    assert "1 file read" in text
    assert "2 rules loaded" in text
    assert captured.err == b""


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("ocsf", b'"user":{"name":"lan"}'),
        ("cef", b"duser=lan "),
        ("cef", b"cs3=evil.exe /x"),
        ("stix", b'"command_line":"evil.exe /x"'),
        ("timesketch", b'"CommandLine":"evil.exe /x"'),
    ],
)
def test_other_tools_are_told_user_and_command_without_being_asked(
    form: str, said: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert scan("--format", form) == 0
    assert said in capsysbinary.readouterr().out


def test_a_second_run_does_not_take_the_first_ones_outputs_for_logs(
    case: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for _ in range(2):
        outputs = ("--output", "logs/report.html", "--output", "logs/findings.ndjson")
        assert scan(*outputs, "--lang", "en") == 0
    text = capsysbinary.readouterr().out.decode()
    assert text.count("1 file read") == 2
    assert "Note      logs/findings.ndjson was not read: it is an output of this run." in text
    assert len(titles((case / "logs" / "findings.ndjson").read_bytes())) == 2


def test_a_log_is_never_overwritten_by_its_findings(
    case: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    log = case / "logs" / "host.json"
    before = log.read_bytes()
    for command in (["scan", "--rules", "rules", "--no-cache"], ["timeline"], ["stats"], ["search", "x"]):
        assert main([*command, "logs/host.json", "--output", "logs/host.json"]) == 2
        assert "would overwrite it" in capsysbinary.readouterr().err.decode()
    assert log.read_bytes() == before
    assert [path.name for path in log.parent.iterdir()] == ["host.json"]


@pytest.mark.usefixtures("case")
def test_summary_speaks_vietnamese(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert scan("--lang", "vi") == 0
    assert "Phát hiện    2 theo 2 quy tắc:  1 cao  1 thấp" in capsysbinary.readouterr().out.decode()


@pytest.mark.usefixtures("case")
def test_ndjson_on_standard_output_leaves_the_account_to_standard_error(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert scan("--format", "ndjson") == 0
    captured = capsysbinary.readouterr()
    found = records(captured.out)
    assert [record["kind"] for record in found] == ["finding", "finding", "summary"]
    assert found[0]["rule"]["title"] == "Rule a"
    assert found[0]["time"].startswith("2026-03-01T08:00:00")
    assert found[0]["host"] == "WS01"
    assert found[0]["source"] == {"path": "logs/host.json", "record": 1}
    assert (found[-1]["complete"], found[-1]["findings"]) == (True, 2)
    assert "1 file read" in captured.err.decode()


@pytest.mark.usefixtures("case")
def test_event_holds_what_the_rule_looked_at_or_all_of_it(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    scan("--format", "ndjson", "--rule", "Rule a")
    assert list(records(capsysbinary.readouterr().out)[0]["event"]) == ["Image"]
    scan("--format", "ndjson", "--rule", "Rule a", "--full-event")
    assert records(capsysbinary.readouterr().out)[0]["event"]["User"] == "lan"


COUNTED = """
title: Evil often
id: 5f0c3a3e-6f0e-4a39-9a10-0d27a6f0c5e1
correlation:
    type: event_count
    rules: [{rule}]
    group-by: [Hostname]
    timespan: 1h
    condition:
        gte: 5
level: high
"""


def test_rules_that_only_feed_correlations_are_told_apart(
    case: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    name = next(
        line[4:] for line in (case / "rules" / "a.yml").read_text().splitlines() if line[:4] == "id: "
    )
    (case / "rules" / "c.yml").write_text(COUNTED.format(rule=name), encoding="utf-8")
    assert scan() == 0
    told = capsysbinary.readouterr().out.decode()
    assert "2 rules loaded, 1 more that only feeds correlations" in told
    scan("--format", "ndjson")
    rules = records(capsysbinary.readouterr().out)[-1]["rules"]
    assert (rules["loaded"], rules["feeding"]) == (2, 1)


@pytest.mark.parametrize("paged", [False, True])
def test_page_is_not_advised_where_this_run_writes_it(
    case: Path, capsysbinary: pytest.CaptureFixture[bytes], *, paged: bool
) -> None:
    for i in range(9):
        (case / "logs" / f"odd{i}.json").write_text('{"cut', encoding="utf-8")
    scan(*(("--output", "report.html") if paged else ()))
    told = capsysbinary.readouterr().out.decode()
    assert "… and 5 more" in told
    assert ("--output report.html lists all of them" in told) is not paged


def test_several_outputs_are_written_at_once(case: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    options = ("--output", "a.ndjson", "--format", "csv", "--output", "b.txt", "--output", "c.html")
    assert scan(*options) == 0
    assert titles((case / "a.ndjson").read_bytes()) == ["Rule a", "Rule b"]
    with (case / "b.txt").open(encoding="utf-8", newline="") as file:
        assert [row["rule"] for row in csv.DictReader(file)] == ["Rule a", "Rule b"]
    assert (case / "c.html").read_text(encoding="utf-8").endswith("</html>\n")
    assert "Findings  2 by 2 rules" in capsysbinary.readouterr().out.decode()
    assert sorted(path.name for path in case.iterdir()) == ["a.ndjson", "b.txt", "c.html", "logs", "rules"]


def test_page_knows_who_acted_and_what_else_was_started_and_other_outputs_do_not_change(case: Path) -> None:
    child = json.loads(event("child.exe", 1)) | {"ProcessId": 3, "ParentProcessId": 2}
    found = json.loads(event("evil.exe", 1)) | {"ProcessId": 2, "ParentProcessId": 1}
    lines = "".join(json.dumps(one) + "\n" for one in (found, child))
    (case / "logs" / "tree.ndjson").write_text(lines, encoding="utf-8")
    assert scan("--quiet", "--output", "alone.ndjson") == 0
    assert scan("--quiet", "--output", "page.html", "--output", "beside.ndjson") == 0
    alone, beside = ((case / name).read_bytes().splitlines() for name in ("alone.ndjson", "beside.ndjson"))
    assert beside[:-1] == alone[:-1]
    page = (case / "page.html").read_text(encoding="utf-8")

    def unpacked(mark: str) -> str:
        packed = page.partition(f"{mark}>")[2].partition("<")[0]
        return zlib.decompress(base64.b64decode(packed)).decode()

    assert {start[6] for start in json.loads(unpacked('id="trails"'))["starts"]} >= {
        "C:\\Windows\\evil.exe",
        "C:\\Windows\\child.exe",
    }
    assert '"user_sets":["[\\"lan\\"]"]' in unpacked('class="block"')


def test_output_in_the_folder_that_is_scanned_is_no_input(
    case: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert scan("--output", "logs/found.csv") == 0
    assert "1 file read\n" in capsysbinary.readouterr().out.decode()
    assert (case / "logs" / "found.csv").is_file()


@pytest.mark.usefixtures("case")
def test_quiet_says_nothing(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert scan("--quiet", "--fail-on", "low") == 1
    assert capsysbinary.readouterr() == (b"", b"")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 0),
        (("--fail-on", "critical"), 0),
        (("--fail-on", "high"), 1),
        (("--fail-on", "low"), 1),
        (("--fail-on", "medium", "--exclude-rule", "Rule a"), 0),
    ],
)
@pytest.mark.usefixtures("case")
def test_exit_code_is_1_from_the_level_of_fail_on_upwards(options: tuple[str, ...], code: int) -> None:
    assert scan("--quiet", *options) == code


def test_input_that_is_not_read_in_whole_is_exit_code_3_and_is_named(
    case: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    with (case / "logs" / "host.json").open("a", encoding="utf-8") as file:
        file.write('{"EventID": 1, "Channel"\n')
    assert scan("--format", "ndjson") == 3
    captured = capsysbinary.readouterr()
    last = records(captured.out)[-1]
    assert last["complete"] is False
    assert last["files"]["incomplete"][0]["problems"][0]["where"].endswith(" 4")
    assert "! logs/host.json" in captured.err.decode()
    assert titles(captured.out) == ["Rule a", "Rule b"]
    assert scan("--quiet", "--fail-on", "high") == 1, "findings win over what could not be read"


def test_refused_rule_is_named_and_the_rest_is_used(
    case: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (case / "rules" / "c.yml").write_text("title: Broken\nlogsource: {product: windows}\n", encoding="utf-8")
    assert scan() == 0
    text = capsysbinary.readouterr().out.decode()
    assert "2 rules loaded, 1 rule refused" in text
    assert "✗ rules/c.yml:" in text
    assert scan("--strict-rules") == 2
    assert "rules/c.yml:" in capsysbinary.readouterr().err.decode()


def test_list_refused_lists_them_all(case: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for i in range(9):
        broken = f"title: Broken {i}\nlogsource: {{product: windows}}\n"
        (case / "rules" / f"c{i}.yml").write_text(broken, encoding="utf-8")
    scan()
    assert "c8.yml" not in capsysbinary.readouterr().out.decode()
    scan("--list-refused")
    assert "c8.yml" in capsysbinary.readouterr().out.decode()
    scan("--list-refused", "--format", "ndjson")
    assert "c8.yml" in capsysbinary.readouterr().err.decode()


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (("--min-level", "medium"), ["Rule a"]),
        (("--min-level", "LOW"), ["Rule a", "Rule b"]),
        (("--status", "experimental"), ["Rule b"]),
        (("--status", "experimental", "--status", "stable"), ["Rule a", "Rule b"]),
        (("--tag", "attack.t1003.001"), ["Rule b"]),
        (("--rule", "Rule b"), ["Rule b"]),
        (("--rule", "00000097-0000-4000-8000-000000000000"), ["Rule a"]),
        (("--rule", "*b"), ["Rule b"]),
        (("--exclude-rule", "Rule b"), ["Rule a"]),
        (("--since", "2026-03-02"), ["Rule b"]),
        (("--until", "2026-03-01"), ["Rule a"]),
        (("--since", "2026-03-01T08:00:00Z", "--until", "2026-03-03T08:00:00Z"), ["Rule a", "Rule b"]),
        (("--since", "2026-03-01T08:00:01Z", "--until", "2026-03-03T07:59:59Z"), []),
    ],
)
@pytest.mark.usefixtures("case")
def test_filters_keep_what_they_say(
    options: tuple[str, ...], found: list[str], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert scan("--format", "ndjson", *options) == 0
    assert titles(capsysbinary.readouterr().out) == found


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["scan"], "nothing to scan"),
        (["scan", "logs", "--no-builtin"], "no rules"),
        (["scan", "logs", "--since", "yesterday"], "no moment in time"),
        (["scan", "logs", "--input-format", "pdf"], "no input format 'pdf'"),
        (["scan", "logs", "--password-file", "nosuch"], "--password-file nosuch: No such file"),
        (["scan", "logs", "--password", "--password-file", "x"], "not allowed with"),
        (["scan", "logs", "--password=secret"], "--password"),
        (["scan", "logs", "--output", "nowhere/x.csv"], "cannot write the output"),
        (["scan", "nosuch"], "nosuch"),
        (["scan", "logs", "--rules", "nosuch"], "nosuch"),
        (["scan", "logs", "--rule", "no such rule"], "there is no rule to look for"),
        (["scan", "logs", "--rules", "logs", "--output", "x.csv"], "there is no rule to look for"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_writes_nothing(
    options: list[str], said: str, case: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = sorted(case.rglob("*"))
    assert main([*options, "--lang", "en"]) == 2
    captured = capsysbinary.readouterr()
    assert captured.out == b""
    assert said in captured.err.decode()
    assert sorted(case.rglob("*")) == before


def options_of(*arguments: str, environ: dict[str, str] | None = None) -> ScanOptions:
    context = Context(translator("en"), environ or {}, sys.stdout.buffer, sys.stderr, lambda: NOW)
    return scan_options(parse(COMMAND, arguments, context.translate), context)


def test_built_in_rules_are_used_where_no_others_are_named() -> None:
    assert options_of("x").builtin
    assert not options_of("x", "--rules", "r").builtin
    assert options_of("x", "--rules", "r", "--builtin").builtin
    with pytest.raises(ConfigurationError):
        options_of("x", "--no-builtin")


def test_every_option_reaches_the_engine() -> None:
    options = options_of(
        *("a", "--rules", "r", "b", "--rules", "s", "--pipeline", "p", "--placeholders", "h"),
        *("--logsource-map", "m", "--input-format", "zeek", "--min-level", "High", "--status", "test"),
        *("--tag", "t", "--rule", "i", "--exclude-rule", "e", "--since", "1h", "--until", "2026-03-01"),
        *("--full-event", "--processes", "3", "--no-cache"),
    )
    assert (options.paths, options.rules) == (("a", "b"), ("r", "s"))
    assert (options.pipelines, options.placeholders, options.logsource_maps) == (("p",), ("h",), ("m",))
    assert (options.input_format, options.min_level, options.statuses) == ("zeek", "high", ("test",))
    assert (options.tags, options.include, options.exclude) == (("t",), ("i",), ("e",))
    assert options.since == NOW - 3_600_000_000_000
    assert options.until == 1_772_409_599_999_999_999
    assert (options.full_event, options.processes, options.cache) == (True, 3, False)


def test_defaults_are_every_core_and_the_cache() -> None:
    options = options_of("x")
    assert options.processes == len(os.sched_getaffinity(0))
    assert options.cache
    assert (options.password, options.since, options.until) == (None, None, None)


def test_password_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes("bí mật \r\n".encode())
    assert options_of("x", "--password-file", str(file)).password == "bí mật ".encode()
    variable = {"HAIDANG_ARCHIVE_PASSWORD": "infected"}
    assert options_of("x", environ=variable).password == b"infected"
    assert options_of("x", "--password-file", str(file), environ=variable).password == "bí mật ".encode()


def test_reader_that_goes_away_ends_the_scan_quietly(case: Path) -> None:
    lines = [event("evil.exe", 1)] * 20_000
    (case / "logs" / "host.json").write_text("\n".join(lines), encoding="utf-8")
    arguments = [*COMMAND_LINE, "scan", "logs", "--rules", "rules", "--no-cache", "--format", "ndjson"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"kind":"finding"')
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_keeps_what_was_found_and_is_exit_code_130(case: Path, told: signal.Signals) -> None:
    # Who started the tests in the background has told them to ignore the signal.
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    arguments = [sys.executable, "-c", heeded + COMMAND_LINE[-1], "scan", "-", "--rules", "rules"]
    arguments += ["--no-cache", "--processes", "1", "--output", "out.ndjson", "--format", "ndjson"]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin = process.stdin

        def feed() -> None:
            try:
                while True:
                    stdin.write(f"{event('evil.exe', 1)}\n".encode() * 1000)
            except OSError:
                pass

        threading.Thread(target=feed, daemon=True).start()
        process.stdout.readline()
        process.send_signal(told)
        found, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    # What was read ahead with the first line is not in it: its beginning may be the rest of a line.
    assert json.loads(found.splitlines()[-1])["interrupted"] is True
    assert sorted(each.name for each in case.glob("*out*")) == ["out.ndjson.partial"]
    partial = records((case / "out.ndjson.partial").read_bytes())
    assert partial[-1]["interrupted"] is True
    # The signal may come while a finding that is counted is being written.
    assert len(partial) > 1
    assert partial[-1]["findings"] - (len(partial) - 1) in {0, 1}
    assert b"out.ndjson.partial" in said


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.usefixtures("case")
def test_progress_is_shown_on_a_terminal_alone(*, terminal: bool) -> None:
    arguments = [*COMMAND_LINE, "scan", "logs", "--rules", "rules", "--no-cache", "--processes", "1"]
    ours, theirs = pty.openpty()
    done = subprocess.run(
        arguments,
        stdout=subprocess.PIPE,
        stderr=theirs if terminal else subprocess.PIPE,
        env={**os.environ, "TERM": "xterm"},
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 65536) if terminal else done.stderr
    os.close(ours)
    assert b"Findings  2 by 2 rules" in done.stdout
    assert (b"Loading the rules" in shown) is terminal
    assert (shown != b"") is terminal
