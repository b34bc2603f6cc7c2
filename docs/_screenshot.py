"""Take the pictures of the HTML page that the READMEs and the tutorial show.

``python docs/_screenshot.py`` scans the sample logs once for each language and writes
``docs/assets/report-<lang>.png``, and of the English page the parts that the tutorial speaks of. It needs
Chromium (Debian: ``apt install chromium``).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import ViewportSize, sync_playwright

__all__ = ["main"]

REPOSITORY = Path(__file__).resolve().parent.parent
ASSETS = REPOSITORY / "docs" / "assets"
INCOMPLETE = 3
"""Exit code of a scan of the samples: one of them is damaged on purpose."""


def main() -> int:
    """Write the pictures; return the exit code."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("there is no chromium on PATH", file=sys.stderr)
        return 2
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for lang in ("en", "vi"):
            report = _report(Path(folder), lang)
            window = ViewportSize(width=1360, height=860)
            page = browser.new_page(viewport=window, color_scheme="light", locale=lang)
            page.goto(report.as_uri())
            page.wait_for_load_state("networkidle")
            page.screenshot(path=ASSETS / f"report-{lang}.png")
            if lang == "en":
                page.locator("#moves-card").screenshot(path=ASSETS / "moves-en.png")
                page.locator("#rows .row").filter(has_text="Sudo Used").click()
                page.locator("#detail").screenshot(path=ASSETS / "tree-en.png")
        browser.close()
    return 0


def _report(folder: Path, lang: str) -> Path:
    path = folder / f"{lang}.html"
    haidang = Path(sys.executable).with_name("haidang")
    options: list[str | Path] = ["--quiet", "--lang", lang, "--output", path]
    command = [haidang, "scan", "samples/logs", *options]
    code = subprocess.run(command, cwd=REPOSITORY, check=False).returncode
    if code not in {0, INCOMPLETE}:
        sys.exit(code)
    return path


if __name__ == "__main__":
    sys.exit(main())
