"""What ``haidang scan`` prints and writes, and its exit codes."""

from __future__ import annotations

import base64
import csv
import json
import zlib
from typing import TYPE_CHECKING

import pytest

from haidang.cli.main import main
from tests.cli._scanning import event, records, scan, titles

if TYPE_CHECKING:
    from pathlib import Path


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
