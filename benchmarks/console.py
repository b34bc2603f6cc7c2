"""How long the console's pages take with many alerts, through Django's test client, without a network.

    python -m benchmarks.console [--alerts N] [--rounds N] [--open PERCENT] [--postgresql] [--keep FOLDER] [--only WORD]

Alerts (1,000,000) are spread over a year, the newest the most recent; the newest 2 percent of them are open, the
rest closed. The database is SQLite in a new folder; with ``--postgresql`` a PostgreSQL that is started for it, or the
empty one that DATABASE_URL names. ``--keep`` names a folder in which the filled database stays for the next run.

A page is asked as many times as ``--rounds`` says after one time that does not count; each whole answer is timed,
middleware, session and audit entry included, and without the count that /metrics keeps for a minute. CPU time is that of
this process and of its PostgreSQL backend (where that is on this machine), per answer. Milliseconds. The bar is 300
at p95 with SQLite, 150 with PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.console_data import fill
from tests.postgresql import postgresql

if TYPE_CHECKING:
    from django.test import Client

__all__ = ["main"]

_PEOPLE = ("an", "binh", "chi")
"""An analyst, a liaison of a unit of some, an administrator."""


class Page(NamedTuple):
    """A page that is asked for."""

    name: str
    address: str
    people: tuple[str, ...] = ("an", "binh")
    htmx: bool = False


class Taken(NamedTuple):
    """Milliseconds of an answer."""

    median: float
    p95: float
    cpu: float


def main() -> None:
    """Print a line for each page and person."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--alerts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--open", type=float, default=2.0, metavar="PERCENT")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--only", default="", metavar="WORD", help="pages whose name holds it")
    given = parser.parse_args()
    with ExitStack() as stack:
        if given.keep:
            folder: Path = given.keep
            folder.mkdir(parents=True, exist_ok=True)
        else:
            folder = Path(tempfile.mkdtemp(prefix="console-"))
            stack.callback(shutil.rmtree, folder)
        os.environ["HAIDANG_DATA"] = str(folder)
        if given.postgresql:
            # Its own folder: the server's user must reach it.
            kept = given.keep.with_name(given.keep.name + "-postgresql") if given.keep else None
            os.environ["DATABASE_URL"] = stack.enter_context(postgresql(kept))
        from haidang.console.setup import set_up

        set_up()
        from django.db import connections

        stack.callback(connections.close_all)
        _filled(given.alerts, given.open)
        _measure(given.rounds, given.only)


def _filled(alerts: int, percent_open: float) -> None:
    """Bring the tables up to date, and fill them where they are empty."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from haidang.console.alerts.models import Alert
    from haidang.console.service.chores import look_at_indexes
    from haidang.console.sources.models import Source

    started = time.perf_counter()
    call_command("migrate", verbosity=0)
    if not Alert.objects.exists():
        fill(alerts, percent_open)
    kept = Alert.objects.count()
    if kept != alerts:
        raise SystemExit(f"The database holds {kept:,} alerts, not {alerts:,}: name another folder.")
    # Of a kept database, too, few sources have been silent for long.
    now = timezone.now()
    for number, source in enumerate(Source.objects.order_by("pk")):
        source.last_seen = now - timedelta(minutes=0 if number % 20 else 90)
        source.save(update_fields=["last_seen"])
    look_at_indexes()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # As much as the service itself lets SQLite look at.
            cursor.execute("ANALYZE")
            size = Path(connection.settings_dict["NAME"]).stat().st_size
        else:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0]
    print(
        f"{connection.vendor}: {alerts:,} alerts ({percent_open:g} % open), {size / 1e9:.2f} GB,"
        f" ready in {time.perf_counter() - started:.0f} s"
    )


def _pages() -> list[Page]:
    from haidang.console.alerts.models import Alert
    from haidang.console.rules.catalogue import loaded
    from haidang.console.sources.models import Source
    from haidang.console.units.models import Unit

    unit_of_liaison = Unit.objects.get(code="S0")
    newest = Alert.objects.filter(unit__path__startswith=unit_of_liaison.path).order_by("-id")[0]
    middle = Alert.objects.get(pk=newest.pk // 2)
    place = f"{int(middle.last_seen.timestamp() * 1e6)}-{middle.pk}"
    unit, source = Unit.objects.order_by("pk")[5].pk, Source.objects.order_by("pk")[7].pk
    seeing, running = ("an",), ("chi",)
    return [
        Page("overview", "/"),
        Page("queue, open", "/alerts/"),
        Page("queue, all", "/alerts/?state=any"),
        Page("queue, all, half a million down", f"/alerts/?state=any&after={place}"),
        Page("queue, all, the rows there alone", f"/alerts/?state=any&after={place}", htmx=True),
        Page("queue, closed", "/alerts/?state=closed"),
        Page("queue, critical, all", "/alerts/?state=any&level=4"),
        Page("queue, a unit, all", f"/alerts/?state=any&unit={unit}"),
        Page("queue, a source, all", f"/alerts/?state=any&source={source}"),
        Page("queue, mine", "/alerts/?owner=me"),
        Page("queue, mine, all", "/alerts/?state=any&owner=me"),
        Page("queue, a tactic, all", "/alerts/?state=any&tactic=impact"),
        Page("queue, seven days", "/alerts/?state=any&time=7d"),
        Page("queue, a rule, all", f"/alerts/?state=any&rule={newest.rule}"),
        Page("queue, an entity, all", f"/alerts/?state=any&entity={newest.entity}"),
        Page("queue, critical, a unit, a source", f"/alerts/?state=any&level=4&unit={unit}&source={source}"),
        Page("search, a word of most", "/alerts/?state=any&q=benchmark"),
        Page("search, two words", "/alerts/?state=any&q=powershell+lsass"),
        Page("search, one alert", f"/alerts/?state=any&q=needle{newest.pk // 3}"),
        Page("search, nothing", "/alerts/?state=any&q=nosuchword"),
        Page("search, a word, critical, a unit", f"/alerts/?state=any&level=4&unit={unit}&q=rundll32"),
        Page("alert", f"/alerts/{newest.pk}/"),
        Page("silences", "/silences/"),
        Page("units", "/units/"),
        Page("unit", f"/units/{unit_of_liaison.pk}/"),
        Page("sources", "/sources/"),
        Page("source", f"/sources/{unit_of_liaison.sources.all()[0].pk}/"),
        Page("rules", "/rules/", seeing),
        Page("rule", f"/rules/show/{next(iter(loaded().by_name))}", seeing),
        Page("people", "/people/", running),
        Page("audit log", "/audit/", running),
        Page("audit log of one person", "/audit/?actor=analyst3", running),
        Page("sessions", "/account/sessions/", running),
        Page("metrics", "/metrics", running),
        Page("API, alerts", "/api/v1/alerts"),
    ]


def _measure(rounds: int, word: str) -> None:
    from django.conf import settings
    from django.test import Client

    from haidang.console.people.models import User
    from haidang.console.rules import catalogue
    from haidang.console.service.starting import settle

    settings.ALLOWED_HOSTS.append("testserver")
    catalogue.loaded()
    settle()
    clients = {}
    for name in _PEOPLE:
        client = Client(headers={"accept-language": "vi"})
        client.force_login(User.objects.get(username=name), backend=settings.AUTHENTICATION_BACKENDS[1])
        clients[name] = client
    print(f"{'page':<36} {'person':<6} {'p50':>8} {'p95':>8} {'CPU':>8}   ms")
    for page in _pages():
        if word not in page.name:
            continue
        for name in page.people:
            taken = _timed(clients[name], page, rounds)
            print(
                f"{page.name:<36} {name:<6} {taken.median:8.1f} {taken.p95:8.1f} {taken.cpu:8.1f}", flush=True
            )


def _timed(client: Client, page: Page, rounds: int) -> Taken:
    from django.core.cache import cache

    from haidang.console.api.measurements import CLOSED_KEY

    taken = []
    cpu = 0.0
    for number in range(rounds + 1):
        if number == 1:
            cpu = _cpu()
        cache.delete(CLOSED_KEY)
        started = time.perf_counter()
        answer = client.get(page.address, headers={"hx-request": "true"} if page.htmx else None)
        taken.append((time.perf_counter() - started) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{page.address}: {answer.status_code}")
    cpu = (_cpu() - cpu) * 1000 / rounds
    taken = sorted(taken[1:])
    return Taken(taken[len(taken) // 2], taken[min(len(taken) - 1, int(len(taken) * 0.95))], cpu)


def _cpu() -> float:
    """Return the seconds that this process has used, and its backend with the workers that it had."""
    from django.db import connection

    used = time.process_time()
    if connection.vendor != "postgresql":
        return used
    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}")
    try:
        if not (backend / "comm").read_text(encoding="utf-8").startswith("postgres"):
            return used
        used += int((backend / "schedstat").read_text(encoding="utf-8").split()[0]) / 1e9
        parent = (backend / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
        # Parallel workers are children of the server: theirs is counted when they end.
        ended = Path(f"/proc/{parent}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[13:15]
        return used + sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return used


if __name__ == "__main__":
    main()
