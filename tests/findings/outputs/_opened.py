"""The page as a browser opened it, with what it asked for and complained of; and a hostile finding."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source
from haidang.findings.outputs.html import HtmlOutput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

__all__ = ["DESK", "HOSTILE", "PHONE", "axe_faults", "hostile_finding", "opened", "write"]

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
HOSTILE = (
    "</script><script>window.owned=1</script><img src=x onerror=window.owned=1>"
    "\u2028\u202eexe.cod\u202c\u200b"
)


def write(path: Path, items: Iterable[Finding], account: ScanSummary, lang: str = "en") -> Path:
    with path.open("wb") as stream:
        output = HtmlOutput(clock=lambda: datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
        writer = output.open(stream, lang=lang)
        for item in items:
            writer.write(item)
        writer.close(account)
    return path


class Opened:
    """A page, with everything that it asked for or complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def count(self) -> str:
        return self.page.inner_text("#shown")

    def search(self, text: str) -> None:
        self.page.fill("#search", text)
        # The page waits out the typing; its address says when the search has been run. The policy of the
        # page forbids wait_for_function, which evaluates text.
        asked = "new URLSearchParams(location.hash.slice(1)).get('q')"
        for _ in range(400):
            if self.page.evaluate(asked) == text:
                return
            self.page.wait_for_timeout(25)
        pytest.fail(f"the search for {text!r} was not run")


def opened(browser: Browser, path: Path, fragment: str = "", **context: Any) -> Opened:
    page = browser.new_context(**{"viewport": DESK, **context}).new_page()
    result = Opened(page)
    page.goto(path.as_uri() + fragment)
    page.wait_for_selector("html[data-ready]", timeout=20_000)
    return result


def hostile_finding() -> Finding:
    rule = FindingRule(HOSTILE, HOSTILE, "high", HOSTILE, (HOSTILE, "attack.execution"), HOSTILE, HOSTILE)
    matched = (Match(HOSTILE, HOSTILE, f"contains '{HOSTILE}'"), Match("", HOSTILE, HOSTILE))
    event = {HOSTILE: HOSTILE, "list": [HOSTILE], "__proto__": HOSTILE, "constructor": HOSTILE}
    return Finding(
        HOSTILE, rule, "2026-11-18T01:02:03Z", HOSTILE, Source(HOSTILE, 1), event, matched, HOSTILE,
        members=(HOSTILE, "gone"), group={HOSTILE: HOSTILE}, count=2,
    )  # fmt: skip


def axe_faults(axe: Any, page: Page) -> list[str]:
    found = axe.Axe().run(page).response["violations"]
    return [f"{v['id']} ({v['impact']}): {v['nodes'][0]['html'][:200]}" for v in found]
