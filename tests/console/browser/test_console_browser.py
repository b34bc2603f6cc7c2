"""The main paths through the console in a real browser, in both languages and colour schemes.

Whatever the browser complains of (the Content-Security-Policy, a script, a missing file) fails the test.
"""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "mot mat khau dai"
LAPTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
_PLACES = (
    "silences/?alert=400", "hunt/", "hunt/?kind=sql", "account/2fa/", "account/sessions/",
    "account/password/change/", "account/logout/",
)  # fmt: skip
LOOKS = [("vi-VN", "light"), ("en-GB", "dark")]


class Seat:
    """Somebody before a screen, and everything that the browser complained of."""

    def __init__(self, browser: Browser, address: str, **context: Any) -> None:
        self.address = address
        self.context = browser.new_context(**{"viewport": LAPTOP, **context})
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._answered)
        self.page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.complaints.append(f"asked another host: {request.url}")

    def sign_in(self, name: str) -> Page:
        self.page.goto(f"{self.address}/account/login/")
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("form.fields button[type=submit]")
        self.page.wait_for_selector("#over")
        return self.page


@pytest.fixture
def seats(browser: Browser, served: str) -> Iterator[list[Seat]]:
    made: list[Seat] = []
    yield made
    complaints = [complaint for seat in made for complaint in seat.complaints]
    for seat in made:
        seat.context.close()
    assert not complaints


def seat(seats: list[Seat], browser: Browser, served: str, **context: Any) -> Seat:
    made = Seat(browser, served, **context)
    seats.append(made)
    return made


def states(folder: Path) -> dict[int, tuple[str, str]]:
    with sqlite3.connect(folder / "console.sqlite3") as database:
        rows = database.execute("SELECT id, state, disposition FROM alerts_alert").fetchall()
    database.close()
    return {number: (state, disposition) for number, state, disposition in rows}


@pytest.mark.parametrize(("locale", "scheme"), LOOKS)
def test_ten_alerts_are_triaged_by_keyboard(
    browser: Browser, served: str, folder: Path, seats: list[Seat], locale: str, scheme: str
) -> None:
    page = seat(seats, browser, served, locale=locale, color_scheme=scheme).sign_in("an")
    page.goto(f"{served}/alerts/?state=new")
    numbers = [
        int((row.get_attribute("id") or "").removeprefix("alert-"))
        for row in page.locator("#rows > .row").all()[:10]
    ]
    before = states(folder)
    for place, number in enumerate(numbers):
        if place == 0:
            page.keyboard.press("j")
        page.wait_for_selector(f"#detail [data-alert='{number}']")
        if place % 2:
            page.keyboard.press("a")
            page.wait_for_selector(f"#alert-{number}:not(.fresh)")
            page.keyboard.press("j")
        else:
            page.keyboard.press("c")
            page.wait_for_selector("dialog#close[open]")
            page.keyboard.press("1" if place < 5 else "2")
            page.keyboard.press("Enter")
            page.wait_for_selector(f"#alert-{number}.done")
    after = states(folder)
    assert [after[number][0] for number in numbers] == ["closed", "acknowledged"] * 5
    assert [after[number][1] for number in numbers[::2]] == ["true-positive"] * 3 + ["benign"] * 2
    assert {number for number in after if after[number] != before[number]} == set(numbers)


@pytest.mark.parametrize(("locale", "scheme"), LOOKS)
def test_a_noisy_rule_is_silenced(
    browser: Browser, served: str, seats: list[Seat], locale: str, scheme: str
) -> None:
    page = seat(seats, browser, served, locale=locale, color_scheme=scheme).sign_in("an")
    page.goto(f"{served}/alerts/?state=new")
    page.keyboard.press("j")
    page.wait_for_selector("#detail [data-alert]")
    page.keyboard.press("c")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    page.click("#detail .notice a")
    page.wait_for_selector("[name=reason]")
    entity = page.input_value("[name=entity]")
    assert page.input_value("[name=rule]")
    assert entity
    rows = page.locator("main section table tbody tr").count()
    page.click("main form.columns button[type=submit]")
    page.wait_for_selector(".said .success")
    assert page.locator("main section table tbody tr").count() == rows + 1
    assert entity in page.inner_text("main section table")


def test_a_liaison_meets_nothing_of_another_unit(browser: Browser, served: str, seats: list[Seat]) -> None:
    page = seat(seats, browser, served, locale="vi-VN").sign_in("binh")
    page.goto(f"{served}/alerts/?state=any")
    units = set(page.locator("#rows .c-unit").all_text_contents())
    assert units == {"Bệnh viện Đa khoa tỉnh"}


def test_news_come_by_themselves(browser: Browser, served: str, seats: list[Seat]) -> None:
    one = seat(seats, browser, served, locale="en-GB").sign_in("an")
    one.goto(f"{served}/alerts/?state=new")
    one.wait_for_selector("html[data-live]")
    first = one.locator("#rows > .row").nth(4)
    number = (first.get_attribute("id") or "").removeprefix("alert-")
    other = seat(seats, browser, served, locale="en-GB").sign_in("khoa")
    other.goto(f"{served}/alerts/{number}/")
    other.click("[data-act=acknowledge]")
    # Nobody touched the first screen: the row says by itself who has taken it.
    one.wait_for_selector(f"#alert-{number}:not(.fresh)", timeout=8000)
    assert "Khoa" in one.inner_text(f"#alert-{number} .c-state")


def test_a_second_factor_is_set_up_and_asked_for(browser: Browser, served: str, seats: list[Seat]) -> None:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    def code(secret: str) -> str:
        return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))

    page = seat(seats, browser, served, locale="vi-VN").sign_in("kiemtoan")
    page.goto(f"{served}/account/2fa/totp/activate/")
    if page.locator("[name=password]").count():
        page.fill("[name=password]", PASSWORD)
        page.click("main form button[type=submit]")
    secret = page.input_value("#authenticator_secret")
    page.fill("[name=code]", code(secret))
    page.click("main form button[type=submit]")
    page.wait_for_url(re.compile("recovery|2fa/$"))
    other = seat(seats, browser, served, locale="en-GB")
    other.page.goto(f"{served}/account/login/")
    other.page.fill("[name=login]", "kiemtoan")
    other.page.fill("[name=password]", PASSWORD)
    other.page.click("form.fields button[type=submit]")
    other.page.wait_for_selector("[name=code]")
    assert other.page.locator("#over").count() == 0


def test_twenty_alerts_are_on_a_laptop_s_screen_beside_the_detail(
    browser: Browser, served: str, seats: list[Seat]
) -> None:
    page = seat(seats, browser, served, locale="vi-VN").sign_in("truongca")
    page.goto(f"{served}/alerts/?state=any")
    page.keyboard.press("j")
    page.wait_for_selector("#detail [data-alert]")
    inside = (
        "[...document.querySelectorAll('#rows > .row')]"
        ".filter(row => row.getBoundingClientRect().bottom <= innerHeight)"
    )
    assert page.evaluate(f"{inside}.length") >= 20
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_list_goes_on_by_itself(browser: Browser, served: str, seats: list[Seat]) -> None:
    page = seat(seats, browser, served, locale="vi-VN").sign_in("truongca")
    page.goto(f"{served}/alerts/?state=any")
    page.evaluate("document.querySelector('#list').scrollTop = 1e6")
    # The policy of the page forbids wait_for_function, which evaluates text.
    page.locator("#rows > .row").nth(60).wait_for(timeout=8000)
    numbers = page.eval_on_selector_all("#rows > .row", "rows => rows.map(row => row.id)")
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("viewport", [LAPTOP, PHONE])
@pytest.mark.parametrize(("locale", "scheme"), LOOKS)
def test_axe_finds_nothing_serious(
    browser: Browser, served: str, seats: list[Seat], locale: str, scheme: str, viewport: dict[str, int]
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )
    sitting = seat(seats, browser, served, locale=locale, color_scheme=scheme, viewport=viewport)
    sitting.page.goto(f"{served}/account/login/")
    found = [grave(axe.Axe().run(sitting.page), "login")]
    page = sitting.sign_in("truongca")
    found.append(grave(axe.Axe().run(page), "overview"))
    page.goto(f"{served}/alerts/?state=any")
    page.locator("#rows .open").nth(1).click()
    page.wait_for_selector("#detail [data-alert]")
    found.append(grave(axe.Axe().run(page), "queue"))
    if viewport is LAPTOP:
        page.keyboard.press("c")
        page.wait_for_selector("dialog[open]")
        found.append(grave(axe.Axe().run(page), "dialog"))
    for place in _PLACES:
        page.goto(f"{served}/{place}")
        found.append(grave(axe.Axe().run(page), place))
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
    assert not [one for page_found in found for one in page_found]


def grave(results: Any, place: str) -> list[str]:
    return [
        f"{place}: {violation['id']}: {[node['html'][:120] for node in violation['nodes']][:3]}"
        for violation in results.response["violations"]
        if violation["impact"] in {"serious", "critical"}
    ]
