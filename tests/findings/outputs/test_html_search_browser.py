"""Searching and filtering the page in a browser, by mouse and by keyboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from haidang.findings.model import Finding, FindingRule, ScanSummary, Source
from tests.findings.outputs._opened import opened, write
from tests.findings.outputs.synthetic import findings

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_filters_combine_and_the_address_carries_them(browser: Browser, many: Path) -> None:
    items = list(findings(2_000))
    view = opened(browser, many)
    assert view.count() == "2,000 findings"
    view.page.click('[data-key="level-1"]')
    high = [item for item in items if item.rule.level == "high"]
    assert view.count() == f"{len(high):,} of 2,000 findings"
    view.search("powershell")
    both = [
        item
        for item in high
        if "powershell" in json.dumps(item.event).lower() or "PowerShell" in item.rule.title
    ]
    assert view.count() == f"{len(both):,} of 2,000 findings"
    view.page.locator('#facets [data-key^="host-"]').first.click()
    few = view.count()
    fragment = view.page.evaluate("location.hash")
    assert opened(browser, many, fragment).count() == few
    view.page.keyboard.press("x")
    assert view.count() == "2,000 findings"


def test_back_undoes_the_last_step(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    page = view.page
    everything = view.count()
    page.locator("#levels button").first.click()
    critical = view.count()
    view.search("a")
    view.search("an")
    page.locator("#rows .row").first.click()
    for _ in range(3):
        page.keyboard.press("j")
    # Back: out of the findings that were walked along, out of the search as a whole, out of the filter.
    page.go_back()
    assert not page.is_visible("#detail")
    assert page.input_value("#search") == "an"
    page.go_back()
    assert page.input_value("#search") == ""
    assert view.count() == critical
    page.go_back()
    assert view.count() == everything
    page.go_forward()
    assert view.count() == critical
    assert view.complaints == []


def test_each_facet_count_is_what_choosing_it_leaves(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    view.page.click('[data-key="level-2"]')
    for kind in ("host", "rule", "file", "technique", "tactic"):
        choice = view.page.locator(
            f'.fitem[data-key^="{kind}-"], .tactic:not(.nil)[data-key^="{kind}-"]'
        ).last
        promised = choice.locator("b, .fn").inner_text()
        choice.click()
        assert view.count().split(" ")[0] == promised, kind
        view.page.keyboard.press("x")
        view.page.click('[data-key="level-2"]')


def test_search_finds_fields_values_hosts_rules_files_and_phrases(browser: Browser, many: Path) -> None:
    items = list(findings(2_000))
    view = opened(browser, many)

    def expect(query: str, matches: list[Finding]) -> None:
        view.search(query)
        found = view.page.evaluate("document.getElementById('grid').getAttribute('aria-rowcount')")
        assert int(found) - 1 == len(matches), query

    expect('"net group"', [i for i in items if "net group" in str(i.event)])
    expect("LAMSON\\tt.binh", [i for i in items if i.event.get("User") == "LAMSON\\tt.binh"])
    expect("bv-dakhoa-12", [i for i in items if i.host == "BV-DAKHOA-12"])
    expect("shadow copies deleted", [i for i in items if i.rule.title == "Shadow Copies Deleted"])
    expect("dns.log.gz", [i for i in items if i.source.path.endswith("dns.log.gz")])
    expect("nothing-like-this", [])
    assert view.page.is_visible("#none")


def test_names_of_one_machine_count_as_one_and_findings_keep_their_own(
    browser: Browser, tmp_path: Path
) -> None:
    rule = FindingRule("r", "Rule", "high", "test", ("attack.execution",))
    names = ["DC01", "dc01.haivan.example", "DC01.haivan.example", "dc01.haivan.example", "10.0.0.5", "10"]
    items = [
        Finding(f"{at:032}", rule, f"2026-03-01T08:00:0{at}Z", name, Source("a.json", at), {"n": at}, ())
        for at, name in enumerate(names)
    ]
    path = write(tmp_path / "hosts.html", items, ScanSummary(rules=1, events=6, findings=6))
    view = opened(browser, path)
    assert "on 3 hosts" in view.page.inner_text("#verdict")
    assert view.page.inner_text("#rules td.hosts") == "3"
    view = opened(browser, path, "#host=DC01")
    assert view.count().split(" ")[0] == "4"
    shown = view.page.locator("#grid .c-host").all_inner_texts()
    assert sorted(shown[-4:]) == sorted(names[:4])
    assert not view.complaints


def test_dragging_over_the_time_line_filters_by_time(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    box = view.page.locator("#time").bounding_box()
    assert box
    view.page.mouse.move(box["x"] + 300, box["y"] + 40)
    view.page.mouse.down()
    view.page.mouse.move(box["x"] + 500, box["y"] + 40, steps=5)
    view.page.mouse.up()
    times = view.page.evaluate("[...new URLSearchParams(location.hash.slice(1))].filter(p => p[0] !== 'q')")
    limits = {name: value for name, value in times if name in ("from", "to")}
    inside = [i for i in findings(2_000) if i.time and limits["from"] <= i.time < limits["to"]]
    assert 0 < len(inside) < 2_000
    assert view.count() == f"{len(inside):,} of 2,000 findings"
    view.page.focus("#time")
    view.page.keyboard.press("Escape")
    assert view.count() == "2,000 findings"


def test_keyboard_alone_searches_moves_opens_and_closes(browser: Browser, many: Path) -> None:
    page = opened(browser, many).page
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.press("Escape")
    for _ in range(3):
        page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.locator("#rows .row[aria-selected=true]").get_attribute("aria-rowindex") == "3"
    assert page.is_visible("#detail")
    page.keyboard.press("Escape")
    assert not page.is_visible("#detail")
    page.focus("#grid")
    page.keyboard.press("End")
    assert page.locator("#rows .row[aria-selected=true]").get_attribute("aria-rowindex") == "2001"
