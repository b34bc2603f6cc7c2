"""What the page tells of one finding, in a browser: its row, its event, its rule, its members."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from haidang.findings.model import Finding, FindingRule, Match, MemberSource, NamedRule, ScanSummary, Source
from haidang.sigma.ir import RuleWords
from tests.findings.outputs._opened import HOSTILE, opened, write
from tests.findings.outputs.synthetic import findings, summary

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1280, 1440])
def test_a_row_shows_what_matched_wherever_it_is_in_the_value(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    value = "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"
    rule = FindingRule("r", "Rule", "high", "test", (), "", "")
    item = Finding(
        "1" * 32, rule, "2026-11-18T01:02:03Z", "pc", Source("a.json", 1), {"ParentImage": value},
        (Match("ParentImage", value, "endswith '\\winword.exe'"),), "windows",
    )  # fmt: skip
    path = write(tmp_path / "long.html", [item, *findings(3)], summary(4))
    page = opened(browser, path, viewport={"width": width, "height": 900}).page
    row = page.locator("#rows .row").filter(has_text="WINWORD.EXE")
    mark, cell = (row.locator(part).bounding_box() for part in ("mark", ".c-evidence"))
    assert mark is not None
    assert cell is not None
    assert mark["x"] + mark["width"] <= cell["x"] + cell["width"]


def test_long_paths_are_told_apart_by_their_ends(browser: Browser, tmp_path: Path) -> None:
    items = [
        structs.replace(item, source=Source(f"a{n}/{'deep/' * 9}host-{n}/security-2026.evtx", 1))
        for n, item in enumerate(findings(3))
    ]
    page = opened(browser, write(tmp_path / "paths.html", items, summary(3))).page
    names = page.locator(".facet[aria-label=File] .fname")
    assert names.count() == 3
    for n in range(3):
        box = names.nth(n).bounding_box()
        text = names.nth(n).locator("bdi").bounding_box()
        assert box is not None
        assert text is not None
        # What does not fit sticks out at the beginning; the end is in sight.
        assert text["x"] < box["x"]
        assert text["x"] + text["width"] <= box["x"] + box["width"] + 1


def test_detail_shows_the_whole_event_and_marks_what_matched(browser: Browser, tmp_path: Path) -> None:
    rule = FindingRule(
        "r", "R", "high", "test", ("attack.t1059.001", "attack.execution", "cve.2026-1"), "Says why."
    )
    values = (
        ("A", "one TWO three", "contains 'two'", "TWO"),
        ("B", r"C:\x\evil.exe", r"endswith '\\evil.exe'", r"\evil.exe"),
        ("C", r"C:\x\evil.exe", r"startswith 'C:\'", "C:\\"),
        ("D", "ab-12-cd", "re '[0-9]+'", "12"),
        ("D2", "ab-12-cd", "re '(?=1)12'", "ab-12-cd"),
        ("E", 4688, "equals 4688", "4688"),
        ("F", "first second third", "matches 'first*third'", "first|third"),
        ("G", r"C:\a\x.exe", r"matches 'C:\*\x.exe'", "C:\\|\\x.exe"),
        ("H", "Two", "equals 'Two' (cased)", "Two"),
    )
    matched = tuple(Match(field, value, test) for field, value, test, _ in values)
    event = {field: value for field, value, _, _ in values} | {"Other": None, "Nested": {"x": [1]}}
    item = Finding("a" * 32, rule, "2026-11-18T01:02:03Z", "h", Source("z.zip!a.json", 9), event, matched)
    page = opened(browser, write(tmp_path / "one.html", [item], summary(1))).page
    page.keyboard.press("j")
    marks = page.evaluate("[...document.querySelectorAll('.matched dd')].map(d =>"
                          " [...d.querySelectorAll('mark')].map(m => m.textContent).join('|'))")  # fmt: skip
    assert marks == [mark for _, _, _, mark in values]
    text = page.inner_text("#detail")
    for part in (
        "Says why.",
        "z.zip!a.json",
        "record 9",
        "a" * 32,
        "PowerShell",
        "Execution",
        "cve.2026-1",
        "null",
    ):
        assert part in text, part


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_rule_speaks_the_language_of_the_page_and_says_what_to_do_first(
    browser: Browser, tmp_path: Path, lang: str
) -> None:
    rule = FindingRule("r", "A Rule", "high", "test", ("attack.execution",), "", "What it means.")
    item = Finding("0" * 32, rule, "2026-03-01T08:00:00Z", "h", Source("a.json", 1), {"n": 1}, ())
    vietnamese = RuleWords("vi", "Một quy tắc", "Nghĩa là gì.", HOSTILE)
    account = ScanSummary(rules=1, events=1, words={"r": (RuleWords("en", advice=HOSTILE), vietnamese)})
    view = opened(browser, write(tmp_path / "words.html", [item], account, lang))
    view.page.keyboard.press("j")
    title, description, heading = {
        "en": ("A Rule", "What it means.", "What to do first"),
        "vi": ("Một quy tắc", "Nghĩa là gì.", "Việc cần làm trước tiên"),
    }[lang]
    assert view.page.inner_text("#detail h2") == title
    assert view.page.inner_text("#detail .said") == description
    assert view.page.inner_text("#detail .advice h3").lower() == heading.lower()
    assert "window.owned=1" in view.page.inner_text("#detail .advice p")
    assert view.page.inner_text("#rules td.title") == title
    assert view.page.inner_text("#grid .row .c-rule >> nth=-1") == title
    view.search("quy tắc")
    found = view.page.evaluate("document.getElementById('grid').getAttribute('aria-rowcount')")
    assert int(found) - 1 == (1 if lang == "vi" else 0)
    assert not view.complaints


def test_copy_gives_the_finding_as_in_ndjson(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    view.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    view.page.keyboard.press("j")
    view.page.keyboard.press("c")
    view.page.wait_for_selector("#live:text('Copied')", state="attached")
    copied = json.loads(view.page.evaluate("navigator.clipboard.readText()"))
    original = next(item for item in findings(2_000) if item.id == copied["id"])
    assert copied["event"] == original.event
    assert copied["rule"]["id"] == original.rule.id
    assert copied["source"] == {"path": original.source.path, "record": original.source.record}
    assert copied["time"] == original.time


@pytest.mark.parametrize("width", [1280, 1440])
@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_buttons_of_a_finding_are_in_sight_beside_a_short_table(
    browser: Browser, tmp_path: Path, lang: str, width: int
) -> None:
    path = write(tmp_path / "short.html", findings(6), summary(6), lang)
    page = opened(browser, path, viewport={"width": width, "height": 900}).page
    page.keyboard.press("j")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    head, bar = (page.locator(part).bounding_box() for part in (".detail-head", "#bar"))
    assert head is not None
    assert bar is not None
    assert head["y"] >= bar["y"] + bar["height"]
    assert head["height"] < 60, "the buttons stand in one row"


def test_an_event_that_is_no_finding_alone_is_named_by_its_place(browser: Browser, tmp_path: Path) -> None:
    rule = FindingRule("r", "Many Failures, Then a Logon", "critical", "test", (), "", "")
    places = tuple(
        MemberSource("may-chu/auth.log", record, f"2026-11-18T01:0{minute}:03Z", NamedRule("", said))
        for record, minute, said in ((17, 1, "Failed Logon"), (1018, 2, "Logon"))
    )
    item = Finding(
        "1" * 32, rule, "2026-11-18T01:02:03Z", "pc", places[-1], {"addr": "10.0.0.9"}, (), "correlation",
        members=("2" * 32, "3" * 32), member_sources=places, group={"addr": "10.0.0.9"}, count=2,
    )  # fmt: skip
    page = opened(browser, write(tmp_path / "joined.html", [item], summary(1))).page
    page.keyboard.press("j")
    assert page.locator("#detail .members li").all_inner_texts() == [
        "2026-11-18 01:01:03 Failed Logon · auth.log record 17",
        "2026-11-18 01:02:03 Logon · auth.log record 1018",
    ]


def test_members_of_a_correlation_open_their_findings(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    view.search('"theft, then a logon"')
    view.page.locator("#rows .row").first.click()
    view.page.keyboard.press("x")
    member = next(item for item in findings(2_000) if item.members).members[0]
    view.page.locator(".members button").first.click()
    assert member in view.page.inner_text("#detail")
