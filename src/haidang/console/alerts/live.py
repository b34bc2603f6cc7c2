"""What has happened since, to everybody who looks: one look at the database each second for all of them.

Rules:

- There is one :class:`Hub` in a process. It asks as long as somebody listens, in a thread of its own; who
  listens has a short queue, and who does not keep up is told to load again instead of being waited for.
- A listener is told of alerts of units that it may see, and of nothing else.
- When the database is away the hub waits and asks again; nothing is lost, because it remembers the last id.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from django.db import DatabaseError, close_old_connections
from django.db.models import Max

from haidang.console.alerts.models import Alert, Batch
from haidang.console.audit.models import Entry
from haidang.console.units.models import Unit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from haidang.console.people.models import User

__all__ = ["HUB", "Change", "Hub", "News"]

_LOG = logging.getLogger(__name__)
_PAUSE, _PAUSE_AWAY = 1.0, 5.0
_MOST = 500
_QUEUE = 30


class Change(NamedTuple):
    """An alert that is new, or that somebody worked on."""

    alert: int
    level: int
    path: str
    """Of its unit; "" for none."""
    new: bool


class News(NamedTuple):
    """Numbers of alerts; ``reload`` where there were too many to name."""

    new: list[int]
    changed: list[int]
    worst: int
    reload: bool
    moved: bool = False
    """Findings came in since, which may have made any alert grow: who shows one looks at it again."""


@dataclass(eq=False, slots=True)
class _Listener:
    everything: bool
    path: str
    queue: asyncio.Queue[News] = field(default_factory=lambda: asyncio.Queue(_QUEUE))

    def sees(self, change: Change) -> bool:
        return self.everything or bool(self.path and change.path.startswith(self.path))

    def tell(self, news: News) -> None:
        try:
            self.queue.put_nowait(news)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(News([], [], 0, reload=True))


class Hub:
    """Asks once, tells all."""

    def __init__(self, pause: float = _PAUSE) -> None:
        """Ask each ``pause`` seconds."""
        self._pause = pause
        self._listeners: set[_Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._last: tuple[int, int, int] | None = None
        self._moved = False

    @asynccontextmanager
    async def listening(self, user: User) -> AsyncIterator[asyncio.Queue[News]]:
        """Give the news that a person may see, from now on."""
        everything = user.sees_everything
        unit = None if everything or user.unit_id is None else await Unit.objects.aget(pk=user.unit_id)
        path = unit.path if unit is not None else ""
        listener = _Listener(everything, path)
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            # In a context of its own: that of the first request ends with it.
            self._last = None
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._run(), context=Context())
        try:
            yield listener.queue
        finally:
            self._listeners.discard(listener)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="news") as thread:
            while self._listeners:
                try:
                    changes = await loop.run_in_executor(thread, self._ask_anew)
                except DatabaseError:
                    _LOG.warning("news-database-away", exc_info=True)
                    await asyncio.sleep(_PAUSE_AWAY)
                    continue
                self._tell(changes)
                await asyncio.sleep(self._pause)
            await loop.run_in_executor(thread, _close)

    def _tell(self, changes: list[Change]) -> None:
        moved, self._moved = self._moved, False
        if not changes and not moved:
            return
        for listener in self._listeners:
            seen = [change for change in changes if listener.sees(change)]
            if not seen and not moved:
                continue
            new = [change.alert for change in seen if change.new]
            changed = [change.alert for change in seen if not change.new]
            worst = max((change.level for change in seen if change.new), default=0)
            listener.tell(News(new, changed, worst, reload=len(changes) >= _MOST, moved=moved))

    def _ask_anew(self) -> list[Change]:
        # A connection that has broken is given up here, as Django does it before a request.
        close_old_connections()
        return self._ask()

    def _ask(self) -> list[Change]:
        """Return what is new since the last time; the first time nothing is."""
        if self._last is None:
            alert = Alert.objects.aggregate(last=Max("id"))["last"] or 0
            entry = Entry.objects.aggregate(last=Max("number"))["last"]
            self._last = (alert, -1 if entry is None else entry, _last_batch())
            return []
        last_alert, last_entry, last_batch = self._last
        batch = _last_batch()
        self._moved = batch != last_batch
        made = list(
            Alert.objects.filter(id__gt=last_alert)
            .order_by("id")
            .values_list("id", "level", "unit__path")[:_MOST]
        )
        entries = list(
            Entry.objects.filter(number__gt=last_entry)
            .order_by("number")
            .values_list("number", "action", "object_kind", "object_id", "unit_path")[:_MOST]
        )
        self._last = (
            made[-1][0] if made else last_alert,
            entries[-1][0] if entries else last_entry,
            batch,
        )
        worked_on = {
            int(number): path
            for _, action, kind, number, path in entries
            if kind == "alert" and action != "alert.see" and number.isdigit()
        }
        return [
            *(Change(number, level, path or "", new=True) for number, level, path in made),
            *(Change(number, 0, path, new=False) for number, path in worked_on.items()),
        ]


def _last_batch() -> int:
    return Batch.objects.aggregate(last=Max("id"))["last"] or 0


def _close() -> None:
    from django.db import connections

    connections.close_all()


HUB = Hub()
