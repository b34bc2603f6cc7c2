"""The HTML page in a real browser: inert, offline, accessible, honest and quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.findings.model import ScanSummary
from tests.findings.outputs._opened import DESK, HOSTILE, PHONE, axe_faults, hostile_finding, opened, write
from tests.findings.outputs.synthetic import findings, summary

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_hostile_text_runs_nothing_and_hides_nothing(browser: Browser, tmp_path: Path) -> None:
    account = summary(1)
    account.notices.append(HOSTILE)
    account.files[0].path = HOSTILE
    account.files[0].note("corrupt", HOSTILE, HOSTILE)
    view = opened(browser, write(tmp_path / "hostile.html", [hostile_finding(), *findings(20)], account))
    page = view.page
    page.click("#unread button")
    page.locator("#rows .row").filter(has_text="onerror").click()
    page.locator("#rules tbody tr").filter(has_text="onerror").click()
    assert page.evaluate("window.owned") is None
    assert page.locator("img").count() == 0
    detail = page.inner_text("#detail")
    assert "<img src=x onerror=window.owned=1>" in detail
    for code in ("U+2028", "U+202E", "U+202C", "U+200B"):
        assert code in detail
    texts = page.evaluate("document.body.innerText + [...document.querySelectorAll('[title],[aria-label]')]"
                          ".map(e => e.title + e.ariaLabel).join()")  # fmt: skip
    assert not set(texts) & set("\u2028\u202e\u202c\u200b")
    assert view.complaints == []


def test_without_a_script_the_page_says_which_rules_found_what(browser: Browser, tmp_path: Path) -> None:
    path = write(tmp_path / "plain.html", [hostile_finding(), *findings(20)], summary(21))
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(path.as_uri())
    said = page.inner_text(".without")
    assert "21 findings" in said
    assert "1 rule refused" in said
    assert "<img src=x onerror=window.owned=1>\\u2028\\u202eexe.cod" in said
    assert page.locator(".without img").count() == 0
    assert not page.is_visible("#frame")
    assert not page.is_visible("h1")
    assert page.locator(".without tr").count() > 2


def test_loads_nothing_but_itself(browser: Browser, many: Path) -> None:
    view = opened(browser, many)
    view.page.keyboard.press("j")
    assert [url.partition("#")[0] for url in view.requests if not url.startswith("data:")] == [many.as_uri()]
    refused = view.page.evaluate("fetch('https://example.org/').then(() => 'loaded', () => 'refused')")
    assert refused == "refused"
    markup = "try { document.body.innerHTML = '<b>x</b>'; 'made' } catch { 'refused' }"
    assert (
        view.page.evaluate(f"() => {{ {markup.replace(chr(39) + 'made' + chr(39), 'return 1')} return 0 }}")
        == 0
    )


@pytest.mark.parametrize(
    ("lang", "scheme", "size"),
    [("vi", "dark", DESK), ("en", "light", PHONE)],
    ids=["desk-dark", "phone-light"],
)
def test_axe_finds_nothing_wrong(
    browser: Browser, tmp_path: Path, lang: str, scheme: str, size: dict[str, int]
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    path = write(tmp_path / "page.html", findings(100), summary(100), lang)
    view = opened(browser, path, viewport=size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page = view.page
    page.click("#unread button")
    faults = axe_faults(axe, page)
    page.locator("#rows .row").first.click()
    faults += axe_faults(axe, page)
    assert faults == []


@pytest.mark.parametrize(
    "size", [DESK, PHONE, {"width": 820, "height": 1180}], ids=["desk", "phone", "tablet"]
)
def test_nothing_sticks_out_sideways(browser: Browser, many: Path, size: dict[str, int]) -> None:
    page = opened(browser, many, viewport=size).page
    page.locator("#rows .row").first.click()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.locator("#detail button").last.bounding_box() is not None


@pytest.mark.parametrize("count", [0, 1])
def test_page_with_nothing_or_one_finding_is_honest(browser: Browser, tmp_path: Path, count: int) -> None:
    view = opened(browser, write(tmp_path / "few.html", findings(count), summary(count)))
    verdict = view.page.inner_text("h1")
    if count:
        assert verdict.startswith("1 informational finding on 1 host at 2026-11-18")
    else:
        assert verdict == "Nothing was found in what could be read."
        assert "the file ends in the middle of a chunk" in view.page.inner_text("#read")
    assert "3 files could not be read in whole · 1 rule was refused" in view.page.inner_text("#unread")
    assert view.complaints == []


def test_page_of_a_clean_run_without_findings_says_that_everything_was_read(
    browser: Browser, tmp_path: Path
) -> None:
    page = opened(browser, write(tmp_path / "clean.html", [], summary(0, broken=False))).page
    assert page.inner_text("h1") == "Nothing was found."
    assert not page.is_visible("#unread")
    assert "Every file was read in whole." in page.inner_text("#read")
    empty = opened(browser, write(tmp_path / "empty.html", [], ScanSummary())).page
    assert empty.inner_text("h1") == "No rules were loaded, so nothing could be found."


def test_printing_puts_rows_on_paper(browser: Browser, many: Path) -> None:
    page = opened(browser, many).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#printed .row").count() == 500
    assert "The first 500 of 2,000 findings" in page.inner_text("#printed")
    assert not page.is_visible("#bar")


def test_vietnamese_page_writes_dates_and_numbers_the_vietnamese_way(
    browser: Browser, tmp_path: Path
) -> None:
    path = write(tmp_path / "vi.html", findings(1_200), summary(1_200), "vi")
    view = opened(browser, path)
    assert view.count() == "1.200 phát hiện"
    assert "phát hiện mức nghiêm trọng trên" in view.page.inner_text("h1")
    assert view.page.locator("#rows .c-time").first.inner_text().startswith("18/11/2026 ")


@pytest.mark.slow
def test_a_hundred_thousand_findings_stay_quick(browser: Browser, tmp_path: Path) -> None:
    path = write(tmp_path / "huge.html", findings(100_000), summary(100_000))
    assert path.stat().st_size < 20_000_000
    page = opened(browser, path).page
    assert float(page.get_attribute("html", "data-ready") or "inf") < 10_000
    page.wait_for_timeout(1_000)
    taken = []
    for key in ("level-0", "level-1", "tactic-discovery", "level-1", "level-0"):
        page.click(f'[data-key="{key}"]')
        taken.append(float(page.get_attribute("html", "data-filter-ms") or "inf"))
    # The median: other work on the machine may delay one of them.
    assert sorted(taken)[2] < 100
    assert page.locator("#rows .row").count() < 120
    page.keyboard.press("x")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_selector('#rows .row[aria-rowindex="100001"]')
