"""Measurements of the service in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db.models import Count

from haidang._version import __version__
from haidang.console.alerts.models import Alert, Level
from haidang.console.audit.models import Head
from haidang.console.sources import stores
from haidang.console.sources.models import Source
from haidang.errors import HaidangError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CLOSED_KEY", "CONTENT_TYPE", "text"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

CLOSED_KEY, _CLOSED_SECONDS = "measurements.closed", 60
"""What is closed is counted once in this time, and kept: it is nearly all that there ever was."""

_COUNTED = (
    ("events", "events_total", "Events taken, and on disk."),
    ("bytes", "bytes_total", "Bytes of the events taken."),
    ("refused", "refused_total", "Requests that were not taken."),
    ("quarantined", "quarantined_total", "Lines that could not be read."),
    ("lost", "lost_total", "Events known to have been lost before they were received."),
)


def text() -> str:
    """Return all measurements."""
    return "".join([*_service(), *_ingest(), *_alerts()])


def _service() -> Iterator[str]:
    yield from _metric("haidang_info", "gauge", "The version.", [({"version": __version__}, 1)])
    head = Head.objects.filter(pk=1).first()
    size = head.size if head else 0
    yield from _metric("haidang_audit_entries_total", "counter", "Entries of the audit log.", [({}, size)])


def _ingest() -> Iterator[str]:
    try:
        counted = stores.counters().all()
        backlog = stores.spool().backlog()
    except HaidangError:
        yield from _metric("haidang_spool_up", "gauge", "Whether the spool can be read.", [({}, 0)])
        return
    yield from _metric("haidang_spool_up", "gauge", "Whether the spool can be read.", [({}, 1)])
    names = {str(key): name for key, name in Source.objects.values_list("pk", "name")}
    for field, name, about in _COUNTED:
        rows = [
            ({"source": names.get(source, source or "unknown")}, getattr(counts, field))
            for source, counts in sorted(counted.items())
        ]
        yield from _metric(f"haidang_ingest_{name}", "counter", about, rows)
    age = max(0.0, time.time() - backlog.oldest / 1e9) if backlog.oldest else 0.0
    for name, about, value in (
        ("batches", "Batches that wait for detection.", backlog.batches),
        ("events", "Events that wait for detection.", backlog.events),
        ("bytes", "Bytes that wait for detection.", backlog.bytes),
        ("oldest_seconds", "Age of what waits longest.", round(age, 3)),
    ):
        yield from _metric(f"haidang_spool_{name}", "gauge", about, [({}, value)])


def _alerts() -> Iterator[str]:
    rows = Alert.objects.order_by()
    still = rows.filter(closed_at__isnull=True).values_list("state", "level").annotate(n=Count("*"))
    closed = rows.filter(closed_at__isnull=False).values_list("level").annotate(n=Count("*"))
    kept = cache.get_or_set(CLOSED_KEY, lambda: list(closed), _CLOSED_SECONDS)
    counted = [*still, *((Alert.State.CLOSED.value, level, number) for level, number in kept or ())]
    yield from _metric(
        "haidang_alerts",
        "gauge",
        f"Alerts by state and level; closed ones are counted once in {_CLOSED_SECONDS} seconds.",
        [
            ({"state": state, "level": Level(level).name.lower()}, number)
            for state, level, number in sorted(counted)
        ],
    )


def _metric(name: str, kind: str, about: str, rows: Iterable[tuple[dict[str, str], float]]) -> Iterator[str]:
    yield f"# HELP {name} {about}\n# TYPE {name} {kind}\n"
    for labels, value in rows:
        said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{said}}} {value}\n" if said else f"{name} {value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
