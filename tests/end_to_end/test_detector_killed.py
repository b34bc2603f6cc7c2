"""Killed at any moment and started again, detection loses nothing and does nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgresql import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).with_name("detector_under_fire.py")
EVENTS = 10
"""Of a batch."""
BATCHES, KILLS = {"sqlite": 1500, "postgresql": 400}, {"sqlite": 100, "postgresql": 30}
COUNT = """
from haidang.console.setup import set_up
set_up()
from django.db.models import Sum
from haidang.console.alerts.models import Alert, Correlated, RuleDay
tool = Alert.objects.filter(title="Tool")
print(tool.count(), tool.aggregate(n=Sum("count"))["n"])
many = Alert.objects.filter(title="Many tools")
print(many.count(), many.aggregate(n=Sum("count"))["n"], Correlated.objects.count())
print(sorted(Alert.objects.filter(title="Many tools").values_list("examples__finding__count", flat=True)))
"""


@pytest.fixture
def database(kind: str) -> Iterator[str]:
    """Return the URL of an empty database, "" for SQLite."""
    if kind == "sqlite":
        yield ""
        return
    url = os.environ.get("DATABASE_URL")
    if not url:
        pytest.skip("DATABASE_URL names no PostgreSQL")
    with own_database(url) as own:
        yield own


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_kills_lose_nothing_and_double_nothing(tmp_path: Path, kind: str, database: str) -> None:
    batches, kills = BATCHES[kind], KILLS[kind]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment |= {"HAIDANG_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "haidang.console.settings"}
    if database:
        environment["DATABASE_URL"] = database
    python = [sys.executable, "-W", "error"]
    subprocess.run(
        [*python, "-m", "django", "migrate", "--verbosity=0"], env=environment, check=True, timeout=120
    )
    writer = subprocess.Popen(
        [*python, SCRIPT, "write", tmp_path, str(batches), str(EVENTS)], env=environment
    )
    try:
        subprocess.run(
            [*python, SCRIPT, "detect", tmp_path, str(kills)], env=environment, check=True, timeout=240
        )
    finally:
        writer.kill()
        writer.wait()
    told = subprocess.run(
        [*python, "-c", COUNT], env=environment, check=True, timeout=60, capture_output=True, text=True
    ).stdout.splitlines()
    # Each of the 40 hosts has one alert; the last event, three hours later, joins that of pc0.
    assert told[0] == f"40 {batches * EVENTS + 1}"
    assert told[1] == "5 5 5"
    assert told[2] == str([batches * EVENTS // 5] * 5)
