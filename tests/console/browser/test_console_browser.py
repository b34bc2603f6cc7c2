"""The main paths through the console in a real browser, in both languages and colour schemes.

Whatever the browser complains of (the Content-Security-Policy, a script, a missing file) fails the test.
"""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.console.browser.sitting import (
    LAPTOP,
    PASSWORD,
    SECRET,
    alerts_of,
    archive,
    code,
    grave,
    seat,
    states,
    to_keys,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.console.browser.sitting import Seat
    from tests.console.identity import Provider

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib"),  # The identity provider's, not ours.
]

PHONE = {"width": 390, "height": 844}
_PLACES = (
    "channels/", "channels/3/", "channels/new/", "channels/dead/", "hunt/", "hunt/?kind=sql",
    "silences/?alert=400", "account/2fa/", "account/sessions/", "account/password/change/", "account/logout/",
)  # fmt: skip
LOOKS = [("vi-VN", "light"), ("en-GB", "dark")]


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


def test_a_liaison_meets_nothing_of_another_unit(
    browser: Browser, served: str, folder: Path, seats: list[Seat]
) -> None:
    own, foreign = alerts_of(folder, "Bệnh viện Đa khoa tỉnh")
    page = seat(seats, browser, served, locale="vi-VN").sign_in("binh")
    page.goto(f"{served}/alerts/?state=any")
    assert set(page.locator("#rows .c-unit").all_text_contents()) == {"Bệnh viện Đa khoa tỉnh"}
    # Not in the counts beside the list, nor in a search for what is there, nor by its address.
    counted = [int(text) for text in page.locator("[id^=f-level-] .fn").all_text_contents()]
    assert sum(counted) == int(page.inner_text(".shown b")) == len(own)
    word = next(entity for entity in foreign.values() if entity not in own.values())
    for asked, count in ((word, 0), (next(iter(own.values())), 1)):
        page.goto(f"{served}/alerts/?state=any")
        page.fill("[name=q]", asked)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("q="))
        assert (page.locator("#rows > .row").count() > 0) == (count > 0)
    for one in (next(iter(foreign)), 10**6):
        assert page.request.get(f"{served}/alerts/{one}/").status == 404
    assert page.request.get(f"{served}/alerts/{next(iter(own))}/").status == 200


def test_an_alert_is_followed_into_the_archive(
    browser: Browser, served: str, folder: Path, seats: list[Seat]
) -> None:
    with sqlite3.connect(folder / "console.sqlite3") as database:
        number, entity = database.execute(
            "SELECT id, entity FROM alerts_alert WHERE title LIKE 'Office Document Starts a Shell%'"
        ).fetchone()
    database.close()
    archive(folder / "archive", entity)
    page = seat(seats, browser, served, locale="en-GB", color_scheme="dark").sign_in("an")
    page.goto(f"{served}/alerts/{number}/")
    page.click("#detail .before-form button, main .before-form button")
    page.locator("#before details.proof").first.wait_for(timeout=60_000)
    assert "1 time, 1 of them before this alert" in page.inner_text("#before")
    page.click(".before-form a")
    page.click("main form.fields button[type=submit]")
    page.locator("details.record").first.wait_for(timeout=60_000)
    page.locator("details.record > summary").first.click()
    assert "powershell.exe -enc ABC" in page.inner_text("details.record[open] .pairs")


def test_news_come_by_themselves_and_disturb_nobody(
    browser: Browser, served: str, folder: Path, seats: list[Seat]
) -> None:
    one = seat(seats, browser, served, locale="en-GB").sign_in("an")
    one.goto(f"{served}/alerts/?state=new")
    one.wait_for_selector("html[data-live]")
    first = one.locator("#rows > .row").nth(4)
    number = (first.get_attribute("id") or "").removeprefix("alert-")
    one.locator("#rows .open").nth(4).click()
    one.wait_for_selector(f"#d{number}-tools")
    one.check(f"#alert-{number} input[name=alert]")
    one.locator("#detail details.proof > summary").first.click()
    before = int(one.inner_text("#f-state-new .fn"))
    badge = int(one.inner_text("#badge b"))
    one.locator(f"#d{number}-tools [data-act=note]").click()
    one.fill("dialog#note textarea", "half a")
    other = seat(seats, browser, served, locale="en-GB").sign_in("khoa")
    other.goto(f"{served}/alerts/{number}/")
    other.click("[data-act=acknowledge]")
    other.wait_for_selector(f"#d{number}-tools :not([data-act=acknowledge])")
    other.click("[data-act=note]")
    other.fill("dialog#note textarea", "Called the unit.")
    other.click("dialog#note button[type=submit]")
    # Nobody touched the first screen: row, detail and counts say by themselves who has taken it.
    one.wait_for_selector(f"#alert-{number}:not(.fresh)", timeout=8000)
    assert "Khoa" in one.inner_text(f"#alert-{number} .c-state")
    one.locator(f"#d{number}-talk .note", has_text="Called the unit.").wait_for(timeout=20_000)
    one.locator("#f-state-new .fn", has_text=str(before - 1)).wait_for(timeout=20_000)
    one.locator("#badge b", has_text=str(badge - 1)).wait_for(timeout=20_000)
    assert "Khoa" in one.inner_text(f"#d{number}-head")
    assert one.locator(f"#d{number}-tools [data-act=acknowledge]").count() == 0
    # What was ticked, folded, typed and where the cursor was stays.
    assert one.is_checked(f"#alert-{number} input[name=alert]")
    assert one.locator("#detail details.proof[open]").count() == 0
    assert one.input_value("dialog#note textarea") == "half a"
    one.keyboard.type(" sentence")
    assert one.input_value("dialog#note textarea") == "half a sentence"
    one.keyboard.press("Escape")
    one.focus(f"#d{number}-tools [data-act=assign]")
    # More findings are said, and shown when somebody asks for them.
    with sqlite3.connect(folder / "console.sqlite3", timeout=20) as database:
        database.execute("UPDATE alerts_alert SET count = count + 3 WHERE id = ?", (number,))
        database.execute(
            "INSERT INTO alerts_batch (spool, number, at) VALUES ('browser', ?, datetime('now'))", (number,)
        )
    database.close()
    one.locator(f"#d{number}-news .notice", has_text="3 more findings").wait_for(timeout=20_000)
    assert one.evaluate("document.activeElement.dataset.act") == "assign"
    one.click(f"#d{number}-news button")
    one.locator(f"#d{number}-news .notice").wait_for(state="detached", timeout=8000)


def test_the_code_of_an_authenticator_app_is_set_up_and_asked_for(
    browser: Browser, served: str, seats: list[Seat]
) -> None:
    page = seat(seats, browser, served, locale="vi-VN").sign_in("kiemtoan")
    page.goto(f"{served}/account/2fa/totp/activate/")
    page.fill("[name=password]", PASSWORD)
    page.click("main form button[type=submit]")
    secret = page.input_value("#authenticator_secret")
    page.fill("[name=code]", code(secret))
    page.click("main form button[type=submit]")
    page.wait_for_url(re.compile("recovery|2fa/$"))
    page = seat(seats, browser, served, locale="en-GB", color_scheme="dark").give_password("lanhdao")
    page.fill("[name=code]", code(SECRET, ago=10))
    page.click("main form button[type=submit]")
    page.wait_for_selector("text=Incorrect code.")
    assert page.request.get(f"{served}/alerts/", max_redirects=0).status == 302
    page.fill("[name=code]", code(SECRET))
    page.click("main form button[type=submit]")
    page.wait_for_selector("#over")


def test_a_security_key_is_set_up_and_signed_in_with(
    browser: Browser, served: str, seats: list[Seat]
) -> None:
    # A key is for a name; the number of a machine is none.
    sitting = seat(seats, browser, served, locale="vi-VN", color_scheme="dark")
    page = sitting.sign_in("quantri")
    to_keys(page, served)
    page.click("#mfa_webauthn_add")
    page.wait_for_selector("#failure:has-text('tên miền')")
    named = served.replace("127.0.0.1", "localhost")
    sitting = seat(seats, browser, named, locale="en-GB", color_scheme="light")
    page = sitting.sign_in("quantri")
    cdp = sitting.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "automaticPresenceSimulation": True}
    options |= {"hasUserVerification": True, "isUserVerified": True}
    key = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    to_keys(page, named)
    page.fill("[name=name]", "YubiKey")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(re.compile("recovery|webauthn/$"))
    assert len(cdp.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]) == 1
    page.goto(f"{named}/account/2fa/webauthn/")
    assert "YubiKey" in page.inner_text("main tbody")
    page.goto(f"{named}/account/logout/")
    page.click("main form button[type=submit]")
    sitting.give_password("quantri").wait_for_selector("#mfa_webauthn_authenticate")
    # Touched by nobody, it signs nobody in.
    cdp.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": key, "enabled": False})
    assert page.request.get(f"{named}/alerts/", max_redirects=0).status == 302
    cdp.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": key, "enabled": True})
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_selector("#over")


def test_somebody_signs_in_at_the_identity_provider(
    browser: Browser, served: str, provider: Provider, seats: list[Seat]
) -> None:
    provider.knows("7", preferred_username="an")
    provider.knows("8", preferred_username="la")
    for subject, locale in (("8", "en-GB"), ("7", "vi-VN")):
        sitting = seat(seats, browser, served, beside=provider.address, locale=locale)
        page = sitting.page
        # The provider's own page would have a style sheet from elsewhere.
        page.route("https://**", lambda route: route.abort())
        page.goto(f"{served}/alerts/?state=new")
        page.click("text=Cổng xác thực tỉnh")
        page.fill("[name=sub]", subject)
        if subject == "8":
            page.click("button[type=submit]")
            page.wait_for_selector("text=knows you as la")
            sitting.complaints.clear()
        else:
            page.click("button[type=submit]")
            page.wait_for_selector("#rows")
            assert page.url == f"{served}/alerts/?state=new"
            assert "Nguyễn Thu An" in page.inner_text("details.user summary")


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
    for width in (LAPTOP["width"], 1351, 1350, 1280, 1024):
        page.set_viewport_size({"width": width, "height": LAPTOP["height"]})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_the_list_goes_on_by_itself(browser: Browser, served: str, seats: list[Seat]) -> None:
    page = seat(seats, browser, served, locale="vi-VN").sign_in("truongca")
    page.goto(f"{served}/alerts/?state=any")
    page.evaluate("document.querySelector('#list').scrollTop = 1e6")
    # The policy of the page forbids wait_for_function, which evaluates text.
    page.locator("#rows > .row").nth(60).wait_for(timeout=8000)
    numbers = page.eval_on_selector_all("#rows > .row", "rows => rows.map(row => row.id)")
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize(
    ("locale", "scheme", "viewport"), [("vi-VN", "light", LAPTOP), ("en-GB", "dark", PHONE)]
)
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
