"""Follows files and hands over what they hold.

- What is taken of a file and the position behind it go to disk in one transaction of the spool: after a
  sudden end each line is there once.
- While the intake takes nothing, nothing more is read.
- A source that is not known, or disabled, is waited for; so is a spool that cannot be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Protocol

from haidang.errors import HaidangError
from haidang.ingest.delivering import deliver
from haidang.ingest.ending import let_end
from haidang.ingest.tailing.counts import TailCounts
from haidang.ingest.tailing.follower import Follower
from haidang.ingest.tailing.known import marks_prefix
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.ingest.delivering import Taking
    from haidang.ingest.model import Source, SourceBook
    from haidang.ingest.tailing.followed import Followed
    from haidang.ingest.tailing.portions import Portion
    from haidang.ingest.tailing.tail import Tail

__all__ = ["MarkStore", "TailReceiver"]

_LOG = logging.getLogger(__name__)
_PAUSE = 1.0
"""Seconds until something that does not work is tried again."""


class MarkStore(Protocol):
    """Where the marks are that the intake was given."""

    def marks(self, prefix: str) -> dict[str, bytes]:
        """Return the marks whose names begin with ``prefix``.

        Raises:
            StorageError: They cannot be read now.
        """
        ...


class TailReceiver:
    """Follows the files of any number of sources."""

    def __init__(
        self,
        tails: Iterable[Tail],
        intake: Taking,
        store: MarkStore,
        book: SourceBook,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Hand what they hold to ``intake``, which keeps marks where ``store`` reads them."""
        self._tails: dict[str, list[Tail]] = {}
        for tail in tails:
            self._tails.setdefault(tail.source, []).append(tail)
        self._intake = intake
        self._store = store
        self._book = book
        self._limits = limits
        self._followers: dict[str, Follower] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    def counts(self) -> dict[str, TailCounts]:
        """Return what was counted so far, by the name of the source."""
        return {
            name: self._followers[name].counts() if name in self._followers else TailCounts()
            for name in self._tails
        }

    async def start(self) -> None:
        """Begin to follow."""
        for name in self._tails:
            self._tasks.add(asyncio.create_task(self._follow_always(name)))

    async def close(self) -> None:
        """Take what is under way, and stop. What is not on disk by then is taken at the next start."""
        self._closing.set()
        await let_end(self._tasks, self._limits.syslog_close_seconds)

    async def _follow_always(self, name: str) -> None:
        """Follow the files of a source; what goes wrong is logged, and all begins anew from the marks."""
        while not self._closing.is_set():
            try:
                await self._follow(name)
            except HaidangError as error:
                _LOG.warning("files not followed", extra={"source": name, "reason": error.message})
            except Exception:  # noqa: BLE001 - the other sources go on, and this one begins anew
                _LOG.exception("files not followed", extra={"source": name})
            await self._rest(_PAUSE)

    async def _follow(self, name: str) -> None:
        source = self._source(name)
        if source is None:
            return
        marks = await asyncio.to_thread(self._store.marks, marks_prefix(source.id))
        follower = Follower(source.id, self._tails[name], marks, self._limits)
        self._followers[name] = follower
        try:
            next_scan = time.monotonic()
            while not self._closing.is_set() and (source := self._source(name)) is not None:
                if time.monotonic() >= next_scan:
                    await asyncio.to_thread(follower.scan)
                    next_scan = time.monotonic() + self._limits.tail_scan_seconds
                if not await self._turn(follower, source):
                    await self._rest(self._limits.tail_poll_seconds)
        finally:
            follower.close()

    async def _turn(self, follower: Follower, source: Source) -> bool:
        """Take what there is; return whether there may be more at once."""
        if follower.marks:
            marks = dict(follower.marks)
            await deliver(self._intake, source, b"", format="", count=0, marks=marks)
            for name in marks:
                del follower.marks[name]
        found = await asyncio.to_thread(follower.look)
        await asyncio.gather(*(self._take(follower, source, file, portion) for file, portion in found))
        return any(portion.more for _, portion in found)

    async def _take(self, follower: Follower, source: Source, file: Followed, portion: Portion) -> None:
        await deliver(
            self._intake,
            source,
            portion.data,
            format=portion.position.form or source.format,
            count=portion.count,
            alone=bool(portion.position.preamble),
            marks=follower.mark(portion.position),
        )
        follower.taken(file, portion)

    def _source(self, name: str) -> Source | None:
        source = self._book.by_name(name)
        if source is None or not source.enabled:
            return None
        return source

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
