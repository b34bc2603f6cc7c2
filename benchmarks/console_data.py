"""Made data for ``benchmarks.console``: units, sources, people, alerts, and an audit log of some length.

Indexes are made after the rows, which is several times as quick; PostgreSQL takes the rows by COPY.
"""

from __future__ import annotations

import itertools
import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.findings.words import TACTIC_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["fill"]

_UNITS, _SOURCES, _RULES, _ENTITIES, _ENTRIES, _EXAMPLES = 60, 120, 400, 6_000, 200_000, 20
_WORDS = (
    "powershell.exe", "cmd.exe", "rundll32.exe", "-enc", "-nop", "download", "invoke", "curl", "wget", "schtasks",
    "reg", "add", "currentversion", "run", "users", "appdata", "temp", "system32", "svchost", "lsass", "service",
    "administrator", "network", "share", "backup", "báo", "cáo", "văn", "thư", "sudo", "bash", "/etc/passwd",
    "chmod", "ssh", "root", "cron", "http", "https", "dns", "tcp", "443", "445", "3389", "logon", "failed",
)  # fmt: skip
_TACTICS = tuple(TACTIC_WORDS)
_CHUNK = 20_000
_ALERT = (
    "id", "rule", "title", "level", "tags", "techniques", "entity", "entity_kind", "unit_id", "source_id", "count",
    "first_seen", "last_seen", "created", "risk", "state", "owner_id", "disposition", "acknowledged_at",
    "closed_at", "search",
)  # fmt: skip
_ENTRY = (
    "number", "at", "actor", "address", "action", "object_kind", "object_id", "object_name", "unit_path", "before",
    "after", "leaf",
)  # fmt: skip


def fill(alerts: int, percent_open: float) -> None:
    """Fill an empty database, whose tables are there."""
    from django.db import connection

    from haidang.console.alerts import fulltext
    from haidang.console.alerts.models import Alert

    _around()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in ("insert", "delete", "update"):
                cursor.execute(f"DROP TRIGGER alerts_search_{name}")
        else:
            cursor.execute("ALTER TABLE alerts_alert DROP COLUMN words")
    indexes = Alert._meta.indexes  # noqa: SLF001 -- Django documents it
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.remove_index(Alert, index)
    known = _Known.read()
    _insert("alerts_alert", _ALERT, _alerts(alerts, percent_open, known))
    with connection.schema_editor() as editor:
        for index in indexes:
            editor.add_index(Alert, index)
    fulltext.install(connection)
    _examples(alerts)
    _log(alerts)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT setval('alerts_alert_id_seq', (SELECT max(id) FROM alerts_alert))")
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("ANALYZE")


def _insert(table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    from django.db import connection, transaction

    named = ", ".join(columns)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({named}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    rows = iter(rows)
    marks = ", ".join(["%s"] * len(columns))
    while chunk := list(itertools.islice(rows, _CHUNK)):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} ({named}) VALUES ({marks})", chunk)  # noqa: S608 -- fixed


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
    User.objects.create_user("chi", role="administrator")
    for number in range(8):
        User.objects.create_user(f"analyst{number}", role="analyst")


class _Known(NamedTuple):
    """Keys of what alerts refer to, read beforehand: nothing else is asked while rows are copied."""

    units: list[int]
    sources: list[int]
    people: list[int]

    @classmethod
    def read(cls) -> _Known:
        from haidang.console.people.models import User
        from haidang.console.sources.models import Source
        from haidang.console.units.models import Unit

        people = User.objects.filter(role="analyst")
        return cls(
            *(list(rows.values_list("pk", flat=True)) for rows in (Unit.objects, Source.objects, people))
        )


def _alerts(alerts: int, percent_open: float, known: _Known) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(5)  # noqa: S311 -- made data wants a seed, not secrecy
    units, sources, people = known
    rules = [_rule(chance, number) for number in range(_RULES)]
    now = _now()
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


def _examples(alerts: int) -> None:
    """Give the newest alerts findings, as many as are kept, each about as wide as an event of Sysmon."""
    from haidang.console.alerts.models import Alert, Example

    chance = random.Random(6)  # noqa: S311 -- as above
    made = []
    for alert in Alert.objects.filter(pk__gt=alerts - 200).defer("search"):
        for number in range(_EXAMPLES):
            event = {f"Field{place}": " ".join(chance.choices(_WORDS, k=4)) for place in range(22)}
            event["CommandLine"] = "powershell.exe -nop -enc " + "QUJD" * 20
            finding = {
                "kind": "finding", "id": f"{alert.pk:016x}{number:016x}", "time": alert.last_seen.isoformat(),
                "rule": {"id": alert.rule, "title": alert.title, "level": "high", "status": "test",
                         "tags": alert.tags, "author": "made"},
                "host": alert.entity, "origin": "rule", "source": {"path": "source-1/5", "record": number},
                "matched": [{"field": "CommandLine", "value": event["CommandLine"], "operator": "contains",
                             "pattern": "-enc"}],
                "event": event,
            }  # fmt: skip
            made.append(Example(alert=alert, finding_id=finding["id"], at=alert.last_seen, finding=finding))
    Example.objects.bulk_create(made, batch_size=500)


def _log(alerts: int) -> None:
    """Make an audit log; its leaves are not those of its entries, since nobody verifies it here."""
    from haidang.console.audit.models import Entry, Head
    from haidang.crypto.merkle import Tree

    chance = random.Random(7)  # noqa: S311 -- as above
    Entry.objects.all().delete()
    tree = Tree.resumed(0, b"")
    begun = _now() - timedelta(days=365)

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(_ENTRIES):
            leaf = chance.randbytes(32)
            tree.append_leaf(leaf)
            yield (
                number, begun + timedelta(days=365 * number / _ENTRIES), f"analyst{number % 8}", "10.0.0.7",
                chance.choice(("alert.see", "alert.see", "alert.acknowledge", "alert.close")), "alert",
                str(chance.randrange(alerts) + 1), "Made Rule", "/1/", None,
                json.dumps({"state": "closed"}), leaf,
            )  # fmt: skip

    _insert("audit_entry", _ENTRY, rows())
    Head.objects.update_or_create(
        pk=1, defaults={"size": tree.size, "peaks": tree.peaks, "signed_at": datetime.now(UTC)}
    )


def _now() -> datetime:
    """Return the time as the database's driver takes it."""
    from django.db import connection

    now = datetime.now(UTC)
    return now if connection.vendor == "postgresql" else now.replace(tzinfo=None)
