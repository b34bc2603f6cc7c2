"""The summary for people, in both languages, narrow and wide, with and without colour."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from haidang.errors import RuleError
from haidang.events.model import FileReport
from haidang.findings.model import Finding, ScanSummary
from haidang.findings.outputs.terminal import OUTPUT, print_account
from haidang.i18n import translator
from haidang.sigma.ir import RuleWords

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


class Terminal(io.BytesIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def printed(
    findings: Sequence[Finding],
    summary: ScanSummary,
    *,
    lang: str = "en",
    stream: io.BytesIO | None = None,
    list_refused: bool = False,
    paged: bool = False,
) -> str:
    stream = stream or io.BytesIO()
    writer = OUTPUT.open(stream, lang=lang)
    writer.list_refused = list_refused
    writer.paged = paged
    for finding in findings:
        writer.write(finding)
    writer.close(summary)
    assert not stream.closed, "the caller closes the stream"
    return stream.getvalue().decode()


def many(make_finding: Callable[..., Finding], number: int) -> list[Finding]:
    return [
        make_finding(
            rule_id=str(i),
            rule_title=f"A rule with a title of some length, number {i}",
            host=f"ws{i:03}.unit.example",
        )
        for i in range(number)
    ]


def test_says_rule_level_hits_techniques_hosts_and_span(
    make_finding: Callable[..., Finding], troubled_summary: ScanSummary
) -> None:
    findings = [
        make_finding(),
        make_finding(host="WS02", time="2026-03-01T09:30:00Z"),
        make_finding(rule_title="Shadow copies deleted", rule_level="critical", rule_tags=("attack.impact",)),
    ]
    lines = printed(findings, troubled_summary).splitlines()
    critical = next(i for i, line in enumerate(lines) if "Shadow copies deleted" in line)
    high = next(i for i, line in enumerate(lines) if "Encoded PowerShell" in line)
    assert critical < high
    assert re.search(r"High +Encoded PowerShell +2$", lines[high])
    assert lines[high + 1].strip() == "WS01, WS02"
    assert lines[high + 2].strip() == "2026-03-01 08:12 → 09:30 UTC · T1059.001"
    assert "Findings  3 by 2 rules:  1 critical  2 high" in lines
    assert "Tactics   Execution 2 \u203a Impact 1" in lines


def test_says_what_was_not_read_and_which_rules_were_refused(troubled_summary: ScanSummary) -> None:
    text = printed([], troubled_summary)
    assert "None in what could be read." in text
    assert "2 files read, 1 of them in part, 1 file not read" in text
    assert "! logs/dc01.evtx" in text
    assert "corrupt (at record 812): A chunk has a wrong checksum." in text
    assert "✗ rules/odd.yml:12" in text
    assert "Odd rule: back-references are not supported" in text
    assert "One expression took too long." in text
    assert "24,003 events/s" in text


def test_run_without_findings_says_so() -> None:
    assert "None." in printed([], ScanSummary(files=[FileReport("a", "json", 1, 1)]))


def test_stopped_run_says_so(make_finding: Callable[..., Finding]) -> None:
    text = printed([make_finding()], ScanSummary(interrupted=True))
    assert "Stopped" in text
    assert "You stopped the run" in text
    assert "0 files" not in text
    assert "0 rules loaded" not in text


def test_speaks_vietnamese_throughout(
    make_finding: Callable[..., Finding], troubled_summary: ScanSummary
) -> None:
    text = printed([make_finding()], troubled_summary, lang="vi")
    for words in ("Mức độ", "Quy tắc", "Số lần", " Cao ", "1 theo 1 quy tắc:", "Chiến thuật  Thực thi 1"):
        assert words in text
    for words in ("989.642 sự kiện, 2,3 GB", "1 tệp không đọc được", "bị hỏng (tại bản ghi 812)", "Lưu ý"):
        assert words in text


def test_notices_reasons_and_details_speak_vietnamese() -> None:
    report = FileReport("a.json", records=1)
    report.note("truncated", "byte 9", "The file ends inside an array.")
    account = ScanSummary(
        files=[report],
        refused=[RuleError("a selection is empty", path="r.yml", line=3, rule="Odd")],
        notices=["Correlation 'Guessing': 12 left out (too many groups at once)."],
    )
    text = " ".join(printed([], account, lang="vi").split())
    assert "bị cắt cụt (tại byte 9): Tệp kết thúc giữa chừng một mảng." in text
    assert "Odd: có nhóm chọn rỗng" in text
    assert "Quy tắc tương quan 'Guessing': bỏ qua 12 mục (quá nhiều nhóm cùng lúc)." in text


@pytest.mark.parametrize("columns", [80, 160])
def test_rule_has_its_title_in_the_language_of_the_reader(
    columns: int, monkeypatch: pytest.MonkeyPatch, make_finding: Callable[..., Finding]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    finding = make_finding()
    account = ScanSummary(words={finding.rule.id: (RuleWords("vi", "Lệnh được mã hóa"),)})
    vietnamese, english = (printed([finding], account, lang=lang) for lang in ("vi", "en"))
    assert "Lệnh được mã hóa" in vietnamese
    assert finding.rule.title not in vietnamese
    assert finding.rule.title in english


@pytest.mark.parametrize("columns", [40, 80, 120, 160])
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_fits_the_terminal_and_pads_nothing(
    columns: int,
    lang: str,
    monkeypatch: pytest.MonkeyPatch,
    make_finding: Callable[..., Finding],
    troubled_summary: ScanSummary,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = printed(many(make_finding, 12), troubled_summary, lang=lang)
    for line in text.splitlines():
        assert cell_len(line) <= columns
        assert line == line.rstrip()


def test_wide_terminal_has_a_column_for_each_thing(
    monkeypatch: pytest.MonkeyPatch, make_finding: Callable[..., Finding]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    text = printed([make_finding()], ScanSummary())
    assert re.search(r"Encoded PowerShell +1 +T1059\.001 +WS01 +2026-03-01 08:12\n", text)


def test_many_hosts_are_the_first_few_and_a_number(make_finding: Callable[..., Finding]) -> None:
    findings = [make_finding(host=f"ws{i:02}") for i in range(9)]
    findings.append(make_finding(host="a-name-that-is-long.province.example"))
    text = printed(findings * 2 + [findings[-1]], ScanSummary())
    assert "a-name-that-is-long…, ws00, ws01 and 7 more" in text


def test_names_of_one_machine_are_one_host(make_finding: Callable[..., Finding]) -> None:
    names = ["DC01", "dc01.haivan.example", "dc01.haivan.example", "10.0.0.5"]
    text = printed([make_finding(host=name) for name in names], ScanSummary())
    assert "dc01.haivan.example, 10.0.0.5" in text
    assert "DC01" not in text


def test_long_table_is_cut_and_says_what_it_leaves_out(make_finding: Callable[..., Finding]) -> None:
    text = printed(many(make_finding, 53), ScanSummary())
    assert "… and 3 more rules with 3 findings" in text
    assert text.count("A rule with a title") == 50


@pytest.mark.parametrize("paged", [False, True])
def test_page_is_advised_where_the_run_writes_none(
    make_finding: Callable[..., Finding], *, paged: bool
) -> None:
    lost = [FileReport(f"{i}.evtx") for i in range(9)]
    for report in lost:
        report.note("corrupt", "byte 1", "")
    text = printed(many(make_finding, 53), ScanSummary(files=lost), paged=paged)
    assert "… and 3 more rules with 3 findings" in text
    assert "… and 5 more" in text
    assert text.count("--output report.html lists all of them") == (0 if paged else 2)


@pytest.mark.parametrize("list_refused", [False, True])
def test_refused_rules_are_the_first_few_or_all_of_them(*, list_refused: bool) -> None:
    errors = [RuleError("no", path=f"r{i}.yml", line=i, rule="r") for i in range(1, 10)]
    text = printed([], ScanSummary(refused=errors), list_refused=list_refused)
    assert ("r9.yml:9" in text) is list_refused
    assert ("--list-refused lists all of them" in text) is not list_refused
    assert "9 rules refused" in text


def test_colour_goes_to_terminals_alone(
    monkeypatch: pytest.MonkeyPatch, make_finding: Callable[..., Finding]
) -> None:
    plain = printed([make_finding()], ScanSummary())
    assert "\x1b" not in plain
    assert "\x1b[" in printed([make_finding()], ScanSummary(), stream=Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    uncoloured = printed([make_finding()], ScanSummary(), stream=Terminal())
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|4[0-7]|9[0-7])", uncoloured)


EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\n[bold red]:skull:[/]\u202e"


@pytest.mark.parametrize("columns", ["80", "160"])
def test_nothing_that_a_log_or_a_rule_says_drives_the_terminal(
    columns: str, monkeypatch: pytest.MonkeyPatch, make_finding: Callable[..., Finding]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    report = FileReport(EVIL, EVIL)
    report.note(EVIL, EVIL, EVIL)
    summary = ScanSummary(
        files=[report], refused=[RuleError(EVIL, path=EVIL, line=1, rule=EVIL)], notices=[EVIL], findings=1
    )
    finding = make_finding(host=EVIL, rule_title=EVIL, rule_level=EVIL, rule_tags=("attack." + EVIL,))
    text = printed([finding], summary)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "[bold red]:skull:[/]" in "".join(text.split("\n"))


def test_short_account_says_all_but_the_findings(troubled_summary: ScanSummary) -> None:
    stream = io.BytesIO()
    print_account(stream, troubled_summary, translator("en"))
    text = stream.getvalue().decode()
    assert "1 file not read" in text
    assert "1 rule refused" in text
    assert "Findings" not in text


def test_findings_are_counted_and_not_kept(make_finding: Callable[..., Finding]) -> None:
    writer = OUTPUT.open(io.BytesIO(), lang="en")
    finding = make_finding()
    before = sys.getrefcount(finding)
    writer.write(finding)
    assert sys.getrefcount(finding) == before
