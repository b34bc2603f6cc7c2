"""How long the console's pages take with many alerts, through Django's test client, without a network.

python -m benchmarks.console [ALERTS] [ROUNDS] [OPEN]

Alerts (1,000,000) are spread over a year, the newest the most recent; the newest OPEN percent (2) of them are
open, the rest closed. The database is SQLite in a new folder, unless DATABASE_URL names an empty one of
PostgreSQL. A page is asked ROUNDS (30) times after one time that does not count; each whole answer is timed,
middleware, session and audit entry included. The bar is 300 ms at p95 with SQLite, 150 ms with PostgreSQL.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.findings.words import TACTIC_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

__all__ = ["main"]

_UNITS, _SOURCES, _RULES, _ENTITIES = 60, 120, 400, 6_000
_WORDS = (
    "powershell.exe", "cmd.exe", "rundll32.exe", "-enc", "-nop", "download", "invoke", "curl", "wget", "schtasks",
    "reg", "add", "currentversion", "run", "users", "appdata", "temp", "system32", "svchost", "lsass", "service",
    "administrator", "network", "share", "backup", "báo", "cáo", "văn", "thư", "sudo", "bash", "/etc/passwd",
    "chmod", "ssh", "root", "cron", "http", "https", "dns", "tcp", "443", "445", "3389", "logon", "failed",
)  # fmt: skip
_TACTICS = tuple(TACTIC_WORDS)
_CHUNK = 20_000


def main(alerts: int, rounds: int, percent_open: float) -> None:
    """Print a line for each page."""
    folder = Path(tempfile.mkdtemp(prefix="console-"))
    os.environ["HAIDANG_DATA"] = str(folder)
    try:
        from haidang.console.setup import set_up

        set_up()
        _fill(alerts, percent_open)
        _measure(rounds)
    finally:
        shutil.rmtree(folder)


def _fill(alerts: int, percent_open: float) -> None:
    from django.core.management import call_command
    from django.db import connection, transaction

    from haidang.console.alerts import fulltext

    started = time.perf_counter()
    call_command("migrate", verbosity=0)
    _around()
    names = (
        "id, rule, title, level, tags, techniques, entity, entity_kind, unit_id, source_id, count, first_seen,"
        " last_seen, created, risk, state, owner_id, disposition, acknowledged_at, closed_at, search"
    )
    sqlite = connection.vendor == "sqlite"
    rows = _rows(alerts, percent_open)
    with connection.cursor() as cursor:
        if sqlite:
            # The index is filled in one go below: what is measured is reading.
            for name in ("insert", "delete", "update"):
                cursor.execute(f"DROP TRIGGER alerts_search_{name}")
        marks = ", ".join(["%s"] * 21)
        while chunk := list(itertools.islice(rows, _CHUNK)):
            with transaction.atomic():
                cursor.executemany(f"INSERT INTO alerts_alert ({names}) VALUES ({marks})", chunk)  # noqa: S608 -- fixed
        fulltext.install(connection)
        if not sqlite:
            cursor.execute("SELECT setval('alerts_alert_id_seq', (SELECT max(id) FROM alerts_alert))")
        cursor.execute("ANALYZE")
    size = ""
    if sqlite:
        size = f", {Path(connection.settings_dict['NAME']).stat().st_size / 1e9:.2f} GB"
    print(f"{alerts:,} alerts ({percent_open:g} % open) in {time.perf_counter() - started:.0f} s{size}")


def _around() -> None:
    """Make units in two storeys, sources and people."""
    from haidang.console.people.models import User
    from haidang.console.sources.models import Source
    from haidang.console.units.models import Unit

    top = Unit.objects.create(name="Tỉnh", code="T")
    storey = [Unit.objects.create(name=f"Sở {n}", code=f"S{n}", parent=top) for n in range(9)]
    for number in range(_UNITS - 10):
        Unit.objects.create(name=f"Đơn vị {number}", code=f"D{number}", parent=storey[number % 9])
    units = list(Unit.objects.all())
    now = datetime.now(UTC)
    for number in range(_SOURCES):
        Source.objects.create(
            name=f"source-{number}",
            unit=units[number % len(units)],
            last_seen=now - timedelta(minutes=number),
        )
    User.objects.create_user("an", role="analyst")
    User.objects.create_user("binh", role="liaison", unit=storey[0])
    for number in range(8):
        User.objects.create_user(f"analyst{number}", role="analyst")


def _rows(alerts: int, percent_open: float) -> Iterator[tuple[Any, ...]]:
    from haidang.console.people.models import User
    from haidang.console.sources.models import Source
    from haidang.console.units.models import Unit

    chance = random.Random(5)  # noqa: S311 -- made data wants a seed, not secrecy
    units = list(Unit.objects.values_list("pk", flat=True))
    sources = list(Source.objects.values_list("pk", flat=True))
    people = list(User.objects.filter(role="analyst").values_list("pk", flat=True))
    rules = [_rule(chance, number) for number in range(_RULES)]
    now = datetime.now(UTC).replace(tzinfo=None)
    begun = now - timedelta(days=365)
    still = alerts * (1 - percent_open / 100)
    for number in range(1, alerts + 1):
        rule, title, level, tags, techniques = rules[int(chance.random() ** 2 * _RULES)]
        entity = f"host-{int(chance.random() ** 2 * _ENTITIES)}.example"
        # One unit in sixty has a third of the alerts, as a data centre has.
        unit = units[0] if chance.random() < 0.3 else chance.choice(units)
        created = begun + timedelta(seconds=365 * 86400 * number / alerts)
        seen = created + timedelta(minutes=chance.expovariate(1 / 30))
        is_open = number > still
        taken = not is_open or chance.random() < 0.2
        yield (
            number, rule, title, level, tags, techniques, entity, "host", unit, chance.choice(sources),
            1 + int(chance.expovariate(0.5)), created, seen, created, 10 * level,
            ("acknowledged" if taken else "new") if is_open else "closed",
            chance.choice(people) if taken else None,
            "" if is_open else chance.choice(("true-positive", "benign", "false-positive", "false-positive")),
            created + timedelta(minutes=20) if taken else None,
            None if is_open else created + timedelta(hours=3),
            f"{title} {entity} needle{number} {' '.join(chance.choices(_WORDS, k=14))}".lower(),
        )  # fmt: skip


def _rule(chance: random.Random, number: int) -> tuple[str, str, int, str, str]:
    tactic = chance.choice(_TACTICS)
    technique = f"T{1000 + number % 200}"
    level = chance.choices((0, 1, 2, 3, 4), (5, 15, 40, 32, 8))[0]
    tags = json.dumps([f"attack.{tactic}", f"attack.{technique.lower()}"])
    return (
        f"0000{number:04}-made-rule",
        f"Made Rule Number {number} of the Benchmark",
        level,
        tags,
        json.dumps([technique]),
    )


def _pages() -> dict[str, str]:
    from haidang.console.alerts.models import Alert
    from haidang.console.sources.models import Source
    from haidang.console.units.models import Unit

    unit_of_liaison = Unit.objects.get(code="S0")
    newest = Alert.objects.filter(unit__path__startswith=unit_of_liaison.path).order_by("-id")[0]
    middle = Alert.objects.get(pk=newest.pk // 2)
    place = f"{int(middle.last_seen.timestamp() * 1e6)}-{middle.pk}"
    unit, source = Unit.objects.order_by("pk")[5].pk, Source.objects.order_by("pk")[7].pk
    return {
        "overview": "/",
        "queue, open": "/alerts/",
        "queue, all": "/alerts/?state=any",
        "queue, all, half a million down": f"/alerts/?state=any&after={place}",
        "queue, closed": "/alerts/?state=closed",
        "queue, critical, all": "/alerts/?state=any&level=4",
        "queue, a unit, all": f"/alerts/?state=any&unit={unit}",
        "queue, a source, all": f"/alerts/?state=any&source={source}",
        "queue, mine": "/alerts/?owner=me",
        "queue, mine, all": "/alerts/?state=any&owner=me",
        "queue, a tactic, all": "/alerts/?state=any&tactic=impact",
        "queue, seven days": "/alerts/?state=any&time=7d",
        "queue, a rule, all": f"/alerts/?state=any&rule={newest.rule}",
        "queue, an entity, all": f"/alerts/?state=any&entity={newest.entity}",
        "queue, critical, a unit, a source": f"/alerts/?state=any&level=4&unit={unit}&source={source}",
        "search, a word of most": "/alerts/?state=any&q=benchmark",
        "search, two words": "/alerts/?state=any&q=powershell+lsass",
        "search, one alert": f"/alerts/?state=any&q=needle{newest.pk // 3}",
        "search, nothing": "/alerts/?state=any&q=nosuchword",
        "search, a word, critical, a unit": f"/alerts/?state=any&level=4&unit={unit}&q=rundll32",
        "alert": f"/alerts/{newest.pk}/",
        "silences": "/silences/",
    }


def _measure(rounds: int) -> None:
    from django.conf import settings
    from django.test import Client

    from haidang.console.alerts.rulebook import RULEBOOK
    from haidang.console.people.models import User

    settings.ALLOWED_HOSTS.append("testserver")
    RULEBOOK.load()
    print(f"{'page':<36} {'analyst p50':>12} {'p95':>8} {'liaison p50':>12} {'p95':>8}   ms")
    clients = []
    for name in ("an", "binh"):
        client = Client(headers={"accept-language": "vi"})
        client.force_login(User.objects.get(username=name), backend=settings.AUTHENTICATION_BACKENDS[1])
        clients.append(client)
    for name, address in _pages().items():
        figures = [figure for client in clients for figure in _timed(client, address, rounds)]
        print(
            f"{name:<36} {figures[0]:12.1f} {figures[1]:8.1f} {figures[2]:12.1f} {figures[3]:8.1f}",
            flush=True,
        )


def _timed(client: Client, address: str, rounds: int) -> tuple[float, float]:
    taken = []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        answer = client.get(address)
        taken.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
    taken = sorted(taken[1:])
    return taken[len(taken) // 2], taken[min(len(taken) - 1, int(len(taken) * 0.95))]


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(given[0]) if given else 1_000_000,
        int(given[1]) if len(given) > 1 else 30,
        float(given[2]) if len(given) > 2 else 2.0,
    )
