"""The HTML page as Python writes it: whole, self-contained, inert, bounded; its words in two languages."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tracemalloc
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from haidang.errors import OutputError, RuleError
from haidang.events.model import FileReport
from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source
from haidang.findings.outputs import _html_page, outputs
from haidang.findings.outputs._html_spans import regex_span
from haidang.findings.outputs._html_words import SCRIPT_WORDS, TEMPLATE_WORDS, page_words
from haidang.findings.outputs.html import OUTPUT, HtmlOutput
from haidang.i18n import translator
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.ir import RuleWords
from tests.findings.outputs.synthetic import findings, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028\u202e\"'&"
FOLDER = _html_page.FOLDER


def fixed_clock() -> datetime:
    return datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


def page_of(
    items: Iterable[Finding], account: ScanSummary | None = None, *, lang: str = "en", **limits: int
) -> str:
    stream = BytesIO()
    output = HtmlOutput(clock=fixed_clock, limits=replace(DEFAULT_LIMITS, **limits))
    writer = output.open(stream, lang=lang)
    for item in items:
        writer.write(item)
    writer.close(account or ScanSummary())
    return stream.getvalue().decode()


def blocks_of(page: str) -> list[tuple[dict[str, Any], list[list[Any]]]]:
    """Return the columns and rows of each block, as the browser unpacks them."""
    packed = re.findall(r'<script type="application/octet-stream" class="block">([^<]*)</script>', page)
    unpacked = [zlib.decompress(base64.b64decode(block)).decode().split("\n") for block in packed]
    return [(json.loads(lines[0]), [json.loads(line) for line in lines[1:]]) for lines in unpacked]


def head_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="head">(.*?)</script>', page, re.DOTALL)
    assert found
    head: dict[str, Any] = json.loads(found[1])
    return head


def one(**changed: Any) -> Finding:
    rule = FindingRule("id-1", "A rule", "high", "test", ("attack.execution", "attack.t1059.001"))
    event = {"CommandLine": "x"}
    fields: dict[str, Any] = {
        "id": "0" * 32,
        "rule": rule,
        "time": "2026-11-18T01:02:03.5Z",
        "host": "h1",
        "source": Source("a.json", 7),
        "event": event,
        "matched": (Match("CommandLine", "x", "contains 'x'"),),
        **changed,
    }
    return Finding(**fields)


def test_is_found_by_the_registry_and_by_file_name() -> None:
    assert outputs()["html"].title == OUTPUT.title
    assert ".html" in OUTPUT.suffixes


def test_each_finding_is_in_the_page_once_in_order_with_its_evidence() -> None:
    items = list(findings(500))
    blocks = blocks_of(page_of(items, page_rows=64))
    assert len(blocks) == 8
    rows = [row for _, lines in blocks for row in lines]
    assert [row[0] for row in rows] == [item.id for item in items]
    assert [row[3] for row in rows] == [item.event for item in items]
    assert [row[2] for row in rows] == [item.source.record for item in items]
    hosts = [columns["hosts"][i] for columns, _ in blocks for i in columns["host"]]
    assert hosts == [item.host for item in items]


def test_a_rule_is_written_once_whatever_the_number_of_its_findings() -> None:
    items = list(findings(600))
    rules = [rule for columns, _ in blocks_of(page_of(items, page_rows=50)) for rule in columns["rules"]]
    assert [rule["title"] for rule in rules] == list(dict.fromkeys(item.rule.title for item in items))


def test_time_column_is_milliseconds_and_null_where_there_is_no_time() -> None:
    times = ["2026-11-18T01:02:03.5Z", None, "not a time", "2026-11-18T01:02:03.123456789Z"]
    ((columns, rows),) = blocks_of(page_of([one(time=time) for time in times]))
    assert columns["time"][0] == int(datetime(2026, 11, 18, 1, 2, 3, 500000, UTC).timestamp() * 1000)
    assert columns["time"][1:3] == [None, None]
    assert [row[1] for row in rows] == times


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_page_names_nothing_that_a_browser_would_load(lang: str) -> None:
    page = page_of(findings(50), summary(50), lang=lang)
    for found in re.findall(r"""(?:src|href|action|poster|data|content)=["']?([^"'>\s]+)""", page):
        assert not found.startswith(("http:", "https:", "//", "ftp:")), found
    assert "@import" not in page
    assert not re.search(r"url\(", page)
    # The one address is the name of the SVG language inside the icon, which nothing fetches.
    assert set(re.findall(r"https?://[^\s\"'<>)]+", page)) == {"http://www.w3.org/2000/svg"}


def test_policy_admits_only_the_style_and_script_of_the_page_by_their_hash() -> None:
    page = page_of([one()])
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert policy
    assert style
    assert script
    rules = dict(part.strip().partition(" ")[::2] for part in policy[1].split(";"))
    assert rules["default-src"] == "'none'"
    for name, text in (("style-src", style[1]), ("script-src", script[1])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy[1]


def test_the_script_never_makes_markup_or_code_from_text() -> None:
    script = "".join(path.read_text("utf-8") for path in (FOLDER / "script").glob("*.js"))
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
    ):
        assert forbidden not in script


def test_hostile_text_of_logs_rules_and_files_cannot_leave_its_element() -> None:
    account = summary(1)
    account.notices.append(HOSTILE)
    account.files[0].path = HOSTILE
    account.files[0].note("corrupt", HOSTILE, HOSTILE)
    rule = FindingRule(HOSTILE, HOSTILE, HOSTILE, HOSTILE, (HOSTILE, "attack.t1059<img>"), HOSTILE, HOSTILE)
    item = one(rule=rule, host=HOSTILE, event={HOSTILE: HOSTILE}, source=Source(HOSTILE, 1), id=HOSTILE)
    page = page_of([item], account)
    assert "<img" not in page
    bare = re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.DOTALL)
    # What is shown without a script is markup, in which it is escaped.
    assert bare.count("alert(1)") == bare.count("&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x") * 2 > 0
    assert page.count("</script>") == page.count("<script")
    assert "\u2028" not in page
    assert head_of(page)["notices"][-1] == HOSTILE
    ((columns, rows),) = blocks_of(page)
    assert rows[0][3] == {HOSTILE: HOSTILE}
    assert columns["hosts"] == [HOSTILE]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (9259400833873739776, "9259400833873739776"),
        (-(1 << 60), str(-(1 << 60))),
        (float("nan"), None),
        ("\ud800 lone", "\ud800 lone"),
        (b"\x00\xff", "b'\\x00\\xff'"),
        ([1, {"a": [1 << 70]}], [1, {"a": [str(1 << 70)]}]),
    ],
)
def test_values_that_a_browser_would_lose_or_refuse_are_kept_as_text(value: object, shown: object) -> None:
    ((_, rows),) = blocks_of(page_of([one(event={"v": value})]))
    assert rows[0][3] == {"v": shown}


def test_matched_value_is_written_again_only_where_the_event_holds_another() -> None:
    true: Any = True
    event = {"a": "x", "b": 1}
    matched = (Match("a", "x", "t1"), Match("b", true, "t2"), Match("", "word", "t1"))
    ((columns, rows),) = blocks_of(page_of([one(event=event, matched=matched)]))
    assert rows[0][4] == [["a", 0], ["b", 1, None, True], ["", 0, None, "word"]]
    assert columns["tests"] == ["t1", "t2"]


@pytest.mark.parametrize(
    ("test", "value", "span"),
    [
        ("re '[0-9]+'", "ab-12-cd", [3, 5]),
        ("re|i 'LAM'", "xx lam", [3, 6]),
        ("re 'LAM'", "xx lam", None),
        ("re|i|s 'a.b'", "xA\nB", [1, 4]),
        ("re 'b+'", "\U0001f5fcế bb", [4, 6]),
        ("re '(?=look)around'", "lookaround", None),
        ("re 'x'", 5, None),
        ("re 'x'", "\ud800x", None),
        ("contains 'x'", "x", None),
        ("re 'x'", "x" * 200, None),
    ],
)
def test_place_of_a_regular_expression_is_noted_as_browsers_count(
    test: str, value: object, span: list[int] | None
) -> None:
    assert regex_span(test, value, longest=100) == span


def test_deep_nesting_is_survived() -> None:
    deep: Any = "end"
    for _ in range(5_000):
        deep = [deep]
    ((_, rows),) = blocks_of(page_of([one(event={"deep": deep})]))
    assert "…" in json.dumps(rows[0][3], ensure_ascii=False)


def test_limit_page_value_chars_cuts_long_texts_and_says_so() -> None:
    ((_, rows),) = blocks_of(page_of([one(event={"a": "x" * 500, "b": "y"})], page_value_chars=100))
    assert rows[0][3]["b"] == "y"
    assert rows[0][3]["a"].startswith("x" * 100 + " … [+400 characters")


def test_limit_page_rows_bounds_a_block() -> None:
    assert [len(rows) for _, rows in blocks_of(page_of(findings(25), page_rows=10))] == [10, 10, 5]


def test_limit_page_bytes_bounds_a_block() -> None:
    items = [one(event={"a": "z" * 1_000}) for _ in range(10)]
    assert [len(rows) for _, rows in blocks_of(page_of(items, page_bytes=3_000))] == [3, 3, 3, 1]


class _Sink(BytesIO):
    """Counts what is written and keeps nothing."""

    total = 0

    def write(self, data: Any) -> int:
        self.total += len(data)
        return len(data)


def test_memory_does_not_grow_with_the_number_of_findings_or_hosts() -> None:
    limits = replace(DEFAULT_LIMITS, page_rows=256)

    def peak(count: int) -> int:
        writer = HtmlOutput(limits=limits).open(_Sink(), lang="en")
        tracemalloc.start()
        for number in range(count):
            writer.write(one(host=f"host-{number}", id=f"{number:032x}"))
        writer.close(ScanSummary())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(300)
    assert peak(6_000) < peak(600) * 1.5


def test_a_full_disk_is_an_output_error() -> None:
    class Full(BytesIO):
        def write(self, data: Any) -> int:  # noqa: ARG002 -- the interface of a stream
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        OUTPUT.open(Full(), lang="en")


def test_the_same_findings_give_the_same_bytes() -> None:
    assert page_of(findings(300), summary(300)) == page_of(findings(300), summary(300))


def test_the_account_of_the_run_is_in_the_page() -> None:
    head = head_of(page_of([], summary(0)))
    assert head["written"] == "2026-11-23T08:30:00Z"
    assert (head["rules"], head["events"], head["findings"]) == (3_780, 1_470_000, 0)
    broken = [file for file in head["files"] if file["problems"]]
    assert [file["path"] for file in broken] == [
        "thu-thap/may-tram/Sysmon.evtx",
        "thu-thap/may-chu/auth.log",
        "thu-thap/ghi-chu.docx",
    ]
    assert broken[0]["problems"] == [
        ["cut short", "byte 73,400,320", "the file ends in the middle of a chunk", 1]
    ]
    assert head["refused"] == [["rules/web/x.yml", 17, "Web X", "the modifier 'nearby' is not part of Sigma"]]
    assert len(head["notices"]) == 1


def test_technique_names_are_those_of_the_rules_found_and_their_parents() -> None:
    head = head_of(page_of([one()]))
    assert head["techniques"] == {"T1059": "Command and Scripting Interpreter", "T1059.001": "PowerShell"}


def test_words_of_the_script_and_the_template_are_those_of_the_catalogue() -> None:
    script = "\n".join(path.read_text("utf-8") for path in sorted((FOLDER / "script").glob("*.js")))
    template = (FOLDER / "page.html").read_text("utf-8")
    plain = set(re.findall(r'\b(?:_|nodesOf)\("((?:[^"\\]|\\.)*)"', script))
    counted = {form for pair in re.findall(r'\b_n\(\s*"([^"]*)",\s*"([^"]*)"', script) for form in pair}
    assert plain == set(SCRIPT_WORDS)
    assert plain | counted == set(page_words(translator("en")))
    assert set(re.findall(r"\{\{([^=}{][^{}]*)\}\}", template)) == set(TEMPLATE_WORDS)


def test_vietnamese_page_speaks_vietnamese() -> None:
    page = page_of([one()], lang="vi")
    assert '<html lang="vi">' in page
    assert "Dòng thời gian" in page
    assert "Time line" not in page
    assert head_of(page)["words"]["{n} findings"] == "{n} phát hiện"
    untranslated = [word for word, said in head_of(page)["words"].items() if word == said]
    assert untranslated == []


def test_account_of_the_run_speaks_vietnamese_in_the_page() -> None:
    report = FileReport("a.json", records=1)
    report.note("oversized-line", "line 1700", "longer than 4096 bytes")
    account = ScanSummary(
        files=[report],
        refused=[RuleError("a selection is empty", path="r.yml", line=3, rule="Odd")],
        notices=["3 events without a time could not take part in correlations."],
    )
    head = head_of(page_of([], account, lang="vi"))
    assert head["files"][0]["problems"] == [["dòng quá dài", "dòng 1.700", "dài hơn 4096 byte", 1]]
    assert head["refused"] == [["r.yml", 3, "Odd", "có nhóm chọn rỗng"]]
    assert head["notices"] == [
        "3 sự kiện không có thời gian nên không được xét trong các quy tắc tương quan."
    ]


def test_page_holds_what_the_rules_that_found_something_say_in_each_language() -> None:
    vietnamese = RuleWords("vi", "Một quy tắc", "Là gì.", "Làm gì.")
    words = {"id-1": (RuleWords("en", advice="What to do."), vietnamese), "id-2": (vietnamese,)}
    assert head_of(page_of([one()], ScanSummary(words=words)))["said"] == {
        "id-1": {
            "en": {"title": "", "description": "", "advice": "What to do."},
            "vi": {"title": "Một quy tắc", "description": "Là gì.", "advice": "Làm gì."},
        }
    }


def test_page_without_findings_stays_small() -> None:
    assert len(page_of([])) < 200_000


def test_template_and_assets_are_in_the_package() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"page.html", "style.css", "script"}
    assert Path(_html_page.__file__).parent == FOLDER.parent
