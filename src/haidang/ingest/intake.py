"""The intake: where every receiver hands over what it read, and waits until that is on disk.

Rules of this module:

- What ``submit`` promised and its future confirmed is in the spool, and its broken lines in the quarantine.
  One request is kept in whole or not at all.
- One thread writes: whatever waits goes to disk in one transaction (group commit), small requests of one
  source together as one batch.
- Memory is bounded: where too much waits, senders are told to come later. So they are where the disk is
  full or the database away; the next request tries again, so that the service recovers by itself.

Example::

    with Intake(Spool(path), Quarantine(other), Counters(path), book) as intake:
        await intake.take(source, b'{"a": 1}', format="ndjson", count=1)
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from haidang.errors import StorageError
from haidang.ingest._buckets import Buckets
from haidang.ingest.counting import UNKNOWN, Counts
from haidang.ingest.model import (
    Arrival,
    Portion,
    SpoolUnavailableError,
    TooMuchError,
    UnknownSourceError,
)
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Self

    from haidang.ingest.counting import Counters
    from haidang.ingest.model import BrokenLines, Source, SourceBook
    from haidang.ingest.quarantine import Quarantine
    from haidang.ingest.spool import Spool
    from haidang.limits import Limits

__all__ = ["Intake"]

_SAVE_SECONDS = 2.0
_BUSY_SECONDS = 1.0


class _Waiting(NamedTuple):
    """One request that is not on disk yet."""

    source: Source
    received: int
    portions: Sequence[Portion]
    broken: BrokenLines | None
    marks: Mapping[str, bytes]
    size: int
    future: Future[None]


class Intake:
    """Takes from any number of receivers; a context manager that ends when all it took is on disk."""

    def __init__(
        self,
        spool: Spool,
        quarantine: Quarantine,
        counters: Counters,
        book: SourceBook,
        limits: Limits = DEFAULT_LIMITS,
        *,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Nothing is opened or started yet; ``clock`` gives nanoseconds since 1970."""
        self.book = book
        self.limits = limits
        self.counters = counters
        self._spool = spool
        self._quarantine = quarantine
        self._clock = clock
        self._buckets = Buckets(time.monotonic)
        self._waiting: deque[_Waiting] = deque()
        self._held = 0
        self._change = threading.Condition()
        self._ending = False
        self._thread: threading.Thread | None = None
        self._trouble: StorageError | None = None
        self._uncounted: StorageError | None = None

    def __enter__(self) -> Self:
        """Start; see ``start``."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End; see ``close``."""
        self.close()

    def start(self) -> None:
        """Start the thread that writes."""
        self._ending = False
        self._thread = threading.Thread(target=self._write_all, name="haidang-intake", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more, write what waits, and return when it is on disk (or was refused)."""
        with self._change:
            self._ending = True
            self._change.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for one in (self._spool, self._quarantine, self.counters):
            one.close()

    @property
    def trouble(self) -> StorageError | None:
        """Why events cannot be written to disk, as far as is known; None where they can."""
        return self._trouble or self._uncounted

    @property
    def held(self) -> int:
        """Bytes of events in memory, on their way to disk."""
        return self._held

    def identify(self, token: str) -> Source:
        """Return the source of a token.

        Raises:
            UnknownSourceError: Nobody has it, or the source is switched off; that is counted.
        """
        source = self.book.by_token(token) if token else None
        if source is None:
            self.counters.count(UNKNOWN, Counts(refused=1, seen=self._clock()))
            raise UnknownSourceError("unknown token")
        if not source.enabled:
            self.refuse(source)
            raise UnknownSourceError("this source is switched off")
        return source

    def admit(self, source: Source) -> None:
        """See that a source may send now, before what it sends is read.

        Raises:
            TooMuchError: It must wait; that is counted.
        """
        with self._change:
            try:
                self._buckets.look(source)
            except TooMuchError:
                self.refuse(source)
                raise

    def refuse(self, source: Source) -> None:
        """Count a request that was not taken."""
        self.counters.count(source.id, Counts(refused=1, seen=self._clock()))

    def hold(self, size: int) -> None:
        """Count bytes that a receiver is about to hold in memory; it must ``release`` them.

        Raises:
            TooMuchError: Too much is held.
        """
        with self._change:
            # A single request must fit whatever the limits are.
            if self._held and self._held + size > self.limits.ingest_held_bytes:
                raise TooMuchError("too many events wait to be written", retry_after=_BUSY_SECONDS)
            self._held += size

    def release(self, size: int) -> None:
        """Count bytes as no longer held."""
        with self._change:
            self._held -= size

    async def take(
        self,
        source: Source,
        data: bytes,
        *,
        format: str,  # noqa: A002 - as everywhere
        count: int,
        alone: bool = False,
        marks: Mapping[str, bytes] | None = None,
    ) -> None:
        """Put records of a source on disk; see ``submit``, whose errors it raises, and ``Portion``."""
        portion = Portion(format, data, count, alone)
        await asyncio.wrap_future(self.submit(source, [portion], marks=marks))

    def submit(
        self,
        source: Source,
        portions: Sequence[Portion],
        broken: BrokenLines | None = None,
        *,
        marks: Mapping[str, bytes] | None = None,
    ) -> Future[None]:
        """Have the records of a request put on disk, and its broken lines into the quarantine.

        Args:
            source: Who sent them.
            portions: The records, by format.
            broken: The lines that could not be read.
            marks: What is kept in the same transaction; see :meth:`haidang.ingest.spool.Spool.append`.

        Returns:
            What is done when all of it is on disk, and raises :class:`SpoolFullError` or
            :class:`SpoolUnavailableError` when nothing of it is. Cancelled before it is written, it is not
            written.

        Raises:
            TooMuchError: The source sends more than it may, or too much waits.
            SpoolUnavailableError: The service is ending.
        """
        size = sum(len(one.data) for one in portions)
        future: Future[None] = Future()
        with self._change:
            if self._ending or self._thread is None:
                raise SpoolUnavailableError("the service is ending")
            try:
                self._buckets.look(source)
                self.hold(size)
            except TooMuchError:
                self.refuse(source)
                raise
            self._buckets.pay(source, sum(one.count for one in portions))
            self._waiting.append(_Waiting(source, self._clock(), portions, broken, marks or {}, size, future))
            self._change.notify()
        return future

    def _write_all(self) -> None:
        saved = time.monotonic()
        while True:
            group = self._next_group()
            if group:
                self._write(group)
            if time.monotonic() - saved >= _SAVE_SECONDS or not group:
                self._look_after()
                saved = time.monotonic()
            if not group and self._ending:
                return

    def _next_group(self) -> list[_Waiting]:
        """Return what to write together; nothing where the service ends, or nothing came for a while."""
        group: list[_Waiting] = []
        size = 0
        with self._change:
            if not self._waiting and not self._ending:
                self._change.wait(_SAVE_SECONDS)
            while self._waiting and (not group or size < self.limits.ingest_commit_bytes):
                one = self._waiting.popleft()
                if one.future.set_running_or_notify_cancel():
                    group.append(one)
                    size += one.size
                else:
                    self._held -= one.size
            return group

    def _write(self, group: list[_Waiting]) -> None:
        error: Exception | None = None
        try:
            additions = [(one.source.id, one.received, one.broken.lines) for one in group if one.broken]
            if any(lines for _, _, lines in additions):
                self._quarantine.add_all(additions)
            arrivals = list(self._arrivals(group))
            marks = {name: mark for one in group for name, mark in one.marks.items()}
            if arrivals or marks:
                self._spool.append(arrivals, marks)
            self._trouble = None
        except StorageError as storage_error:
            error = self._trouble = storage_error
        except Exception as mistake:  # noqa: BLE001 - whoever waits must hear of it, and the thread go on
            error = self._trouble = SpoolUnavailableError(f"{type(mistake).__name__}: {mistake}")
        for one in group:
            if error is None:
                self._count(one)
                one.future.set_result(None)
            else:
                self.refuse(one.source)
                one.future.set_exception(error)
        self.release(sum(one.size for one in group))

    def _arrivals(self, group: list[_Waiting]) -> Iterator[Arrival]:
        """Yield batches; the small requests of one source and format are together, as they came."""
        together: dict[tuple[str, str], list[tuple[int, Portion]]] = {}
        sizes: dict[tuple[str, str], int] = {}
        most = self.limits.ingest_batch_bytes
        for one in group:
            for portion in one.portions:
                if not portion.count:
                    continue
                key = (one.source.id, portion.format)
                if portion.alone:
                    yield _joined(key, [(one.received, portion)])
                    continue
                size = sizes.get(key, 0)
                if size and size + len(portion.data) > most:
                    yield _joined(key, together.pop(key))
                    size = 0
                together.setdefault(key, []).append((one.received, portion))
                sizes[key] = size + len(portion.data)
        for key, parts in together.items():
            yield _joined(key, parts)

    def _count(self, one: _Waiting) -> None:
        events = sum(portion.count for portion in one.portions)
        quarantined = one.broken.count if one.broken else 0
        if events or quarantined:
            counts = Counts(events=events, bytes=one.size, quarantined=quarantined, seen=one.received)
            self.counters.count(one.source.id, counts)

    def _look_after(self) -> None:
        """Save the counters, and see whether trouble has ended by itself."""
        try:
            self.counters.save()
            self._uncounted = None
        except StorageError as error:
            self._uncounted = error
        if self._trouble is not None:
            try:
                self._spool.require_room()
                self._trouble = None
            except StorageError as error:
                self._trouble = error


def _joined(key: tuple[str, str], parts: list[tuple[int, Portion]]) -> Arrival:
    source, format_ = key
    data = b"\n".join(portion.data for _, portion in parts) if len(parts) > 1 else parts[0][1].data
    return Arrival(source, format_, parts[0][0], data, sum(portion.count for _, portion in parts))
