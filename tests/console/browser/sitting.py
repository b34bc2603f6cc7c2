"""Somebody before a screen, who hears whatever the browser complains of; and what is behind the screen."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from haidang.ingest.archive import Archive
from haidang.ingest.model import Arrival
from haidang.ingest.spool import Spooled
from tests.scanning.material import event

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

__all__ = [
    "LAPTOP",
    "PASSWORD",
    "SECRET",
    "Seat",
    "alerts_of",
    "archive",
    "code",
    "grave",
    "seat",
    "states",
    "to_keys",
]

PASSWORD = "mot mat khau dai"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
"""Of lanhdao's authenticator app."""
LAPTOP = {"width": 1366, "height": 768}


class Seat:
    """Somebody before a screen, and everything that the browser complained of."""

    def __init__(self, browser: Browser, address: str, beside: str = "", **context: Any) -> None:
        self.address = address
        self.beside = beside or address
        """Another host that is gone to; its own pages are none of ours."""
        self.context = browser.new_context(**{"viewport": LAPTOP, **context})
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("response", self._answered)
        self.page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type in {"error", "warning"} and self.page.url.startswith(self.address):
            self.complaints.append(message.text)

    def _answered(self, response: Any) -> None:
        if response.status >= 400 and response.url.startswith(self.address):
            self.complaints.append(f"{response.status} {response.url}")

    def _asked(self, request: Any) -> None:
        ours = request.frame.url.startswith(self.address)
        if ours and not request.url.startswith((self.address, self.beside, "data:")):
            self.complaints.append(f"asked another host: {request.url}")

    def give_password(self, name: str) -> Page:
        self.page.goto(f"{self.address}/account/login/")
        self.page.fill("[name=login]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("form.fields button[type=submit]")
        return self.page

    def sign_in(self, name: str) -> Page:
        self.give_password(name).wait_for_selector("#over")
        return self.page


def seat(seats: list[Seat], browser: Browser, served: str, **context: Any) -> Seat:
    made = Seat(browser, served, **context)
    seats.append(made)
    return made


def alerts_of(folder: Path, unit: str) -> tuple[dict[int, str], dict[int, str]]:
    """Return number and entity of a unit's alerts, and of all others."""
    with sqlite3.connect(folder / "console.sqlite3") as database:
        rows = database.execute(
            "SELECT a.id, a.entity, u.name FROM alerts_alert a JOIN units_unit u ON u.id = a.unit_id"
        ).fetchall()
    database.close()
    own = {number: entity for number, entity, name in rows if name == unit}
    return own, {number: entity for number, entity, name in rows if name != unit}


def states(folder: Path) -> dict[int, tuple[str, str]]:
    with sqlite3.connect(folder / "console.sqlite3") as database:
        rows = database.execute("SELECT id, state, disposition FROM alerts_alert").fetchall()
    database.close()
    return {number: (state, disposition) for number, state, disposition in rows}


def archive(folder: Path, host: str) -> None:
    """Make an archive that holds one event of a host, of twenty days ago."""
    at = datetime.now(UTC) - timedelta(days=20)
    line = event(
        1,
        Hostname=host,
        UtcTime=at.strftime("%Y-%m-%d %H:%M:%S.000"),
        Image="C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
        OriginalFileName="PowerShell.EXE",
        ParentImage="C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE",
        CommandLine="powershell.exe -enc ABC",
    )
    line["@timestamp"] = at.isoformat()
    data = json.dumps(line).encode()
    made = Archive(folder)
    made.take([Spooled(1, Arrival("1", "", int(at.timestamp() * 1e9), data, 1))])
    made.flush()


def code(secret: str, ago: int = 0) -> str:
    """Return what an authenticator app shows, or showed some half minutes ago."""
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    now = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, now - ago)))


def to_keys(page: Page, address: str) -> None:
    page.goto(f"{address}/account/2fa/webauthn/add/")
    page.fill("[name=password]", PASSWORD)
    page.click("main form button[type=submit]")
    page.wait_for_selector("#mfa_webauthn_add")


def grave(results: Any, place: str) -> list[str]:
    return [
        f"{place}: {violation['id']}: {[node['html'][:120] for node in violation['nodes']][:3]}"
        for violation in results.response["violations"]
        if violation["impact"] in {"serious", "critical"}
    ]
