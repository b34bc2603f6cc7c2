"""Take the pictures of the console that the READMEs show, of the demonstration.

``python docs/_console_screenshots.py`` runs ``haidang demo`` and writes ``docs/assets/console-*.png``. It
needs Chromium (Debian: ``apt install chromium``).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from playwright.sync_api import ViewportSize, sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["main"]

ASSETS = Path(__file__).resolve().parent / "assets"
_PORT = 8239
_STORY = 20
"""Seconds that the story takes to come in."""


def main() -> int:
    """Write the pictures; return the exit code."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("there is no chromium on PATH", file=sys.stderr)
        return 1
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        command = [sys.executable, "-m", "haidang", "--lang", "en", "demo"]
        command += ["--port", str(_PORT), "--seconds", str(_STORY)]
        environ = {"HAIDANG_DATA": f"{folder}/serve", "PATH": "/usr/bin:/bin", "HOME": folder}
        with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as demo:
            try:
                password = _password(demo)
                time.sleep(_STORY + 40)  # Until the archive has it, too.
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                _take(browser, password, "vi", "light")
                _take(browser, password, "en", "dark")
                browser.close()
            finally:
                demo.terminate()
    return 0


def _password(demo: subprocess.Popen[str]) -> str:
    for line in demo.stderr or ():
        if found := re.search(r"password is (\S+)", line):
            return found[1]
    raise SystemExit("the demonstration did not start")


def _take(browser: Browser, password: str, lang: str, scheme: Literal["light", "dark"]) -> None:
    locale = {"vi": "vi-VN", "en": "en-US"}[lang]
    context = browser.new_context(
        locale=locale, color_scheme=scheme, viewport=ViewportSize(width=1366, height=768)
    )
    page = context.new_page()
    base = f"http://127.0.0.1:{_PORT}"
    page.goto(f"{base}/account/login/")
    page.fill("input[name=login]", "truongca")
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_load_state("domcontentloaded")
    page.goto(f"{base}/", wait_until="domcontentloaded")
    page.wait_for_timeout(800)
    page.screenshot(path=ASSETS / f"console-overview-{lang}.png")
    page.goto(f"{base}/alerts/", wait_until="domcontentloaded")
    page.wait_for_timeout(500)
    page.keyboard.press("j")
    page.wait_for_timeout(1500)
    page.screenshot(path=ASSETS / f"console-alerts-{lang}.png")
    page.goto(f"{base}/hunt/", wait_until="domcontentloaded")
    page.fill("[name=words]", "powershell")
    page.click("main form.fields button[type=submit]")
    page.locator("details.record").first.wait_for(timeout=60_000)
    page.locator("details.record > summary").first.click()
    page.wait_for_timeout(500)
    page.screenshot(path=ASSETS / f"console-hunt-{lang}.png")
    page.set_viewport_size(ViewportSize(width=390, height=844))
    page.goto(f"{base}/alerts/", wait_until="domcontentloaded")
    page.wait_for_timeout(800)
    page.screenshot(path=ASSETS / f"console-phone-{lang}.png")
    context.close()


if __name__ == "__main__":
    sys.exit(main())
