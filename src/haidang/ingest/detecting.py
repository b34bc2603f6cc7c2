"""Detection: takes batches from the spool, finds what the rules find, hands it on once, and says so.

Rules of this module:

- What a batch brings about (alerts, members of correlations, counts) is kept by the :class:`Sink` in one
  transaction together with the batch's number; then the spool is told. Killed in between, the batch comes
  again and the sink knows its number: delivered at least once, its effects happen exactly once.
- A finding's id depends on the batch's number and the record's place in it: it is the same in every delivery.
- Correlations look back over batches. What they are fed with is kept by the sink, and fed again after a
  restart; a correlation's finding that was handed on before has no second effect.
- Lines that cannot be read go to the quarantine. So does what is known of a batch that the disk damaged, or
  on which the rules fail: it stops nothing behind it.
- A sink or a spool that is away is asked again until it is back; nothing is taken on meanwhile.

What batches hold is untrusted.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from haidang.errors import HaidangError
from haidang.events.model import FileReport
from haidang.ingest.model import BrokenLine
from haidang.scanning.live import TOLERANCE_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from haidang.findings.model import Finding
    from haidang.ingest.quarantine import Quarantine
    from haidang.ingest.spool import Spool, Spooled
    from haidang.scanning.live import LiveMatcher, Member

__all__ = ["Detected", "Detector", "Follower", "Sink"]

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 8 << 20
"""Bytes of records whose effects are kept in one transaction."""
_IDLE_SECONDS = 0.1
_LONGEST_PAUSE = 15.0
_CORRELATE_SECONDS = 1.0
_BROKEN_LINES = 1000
"""Broken lines of one batch that are kept; all are counted."""
_UNREADABLE = frozenset(
    {
        "broken-line",
        "oversized-line",
        "too-deep",
        "ragged-row",
        "broken-record",
        "truncated",
        "unknown-format",
    }
)
"""Kinds of problems by which records are lost; others only say how something was read."""
_NUMBERED = frozenset({"line", "record", "row"})
"""What positions count; in the spool, a record is a line."""


@dataclass(frozen=True, slots=True)
class Detected:
    """What a batch brings about."""

    number: int
    source: str
    """Id of the source."""
    received: int
    """Nanoseconds since 1970."""
    events: int
    size: int
    """Bytes of its records."""
    broken: int
    """Records that could not be read."""
    findings: Sequence[Finding]
    """Of rules on single events."""
    members: Sequence[Member]
    """What it fed correlations with, in the order in which they were fed."""


class Sink(Protocol):
    """Keeps what detection brings about."""

    def position(self) -> int:
        """Return the number of the last batch whose effects are kept, 0 for none."""
        ...

    def members(self) -> Iterator[Sequence[Member]]:
        """Yield what correlations were fed with, batch by batch, in the order in which they were."""
        ...

    def apply(self, batches: Sequence[Detected], correlated: Sequence[Finding]) -> None:
        """Keep the effects of batches, in order of their numbers, in one transaction with the numbers.

        Args:
            batches: A batch whose number is not above ``position()`` has no effect.
            correlated: Findings of correlations. One with a known id only tells its true count.

        Raises:
            HaidangError: The database is away; nothing was kept.
        """
        ...


class Follower(Protocol):
    """Somebody else who reads batches on their way: they stay in the spool until it has them safe, too."""

    def take(self, batches: Sequence[Spooled]) -> None:
        """Take notice of batches, in order; those that it has already do not matter.

        Raises:
            HaidangError: They cannot be taken now.
        """
        ...

    def safe(self) -> int:
        """Return the number up to which the batches taken so far are safe with it; 0 for none."""
        ...


class Detector:
    """Works off one spool."""

    def __init__(
        self,
        spool: Spool,
        matcher: LiveMatcher,
        sink: Sink,
        *,
        quarantine: Quarantine | None = None,
        follower: Follower | None = None,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        """Prepare.

        Args:
            spool: What waits.
            matcher: A fresh one; it is fed with what the sink kept.
            sink: Where effects are kept.
            quarantine: Where broken lines go.
            follower: Somebody else who needs the batches, such as the archive.
            most_bytes: Bytes of records whose effects are kept in one transaction.
        """
        self._spool = spool
        self._matcher = matcher
        self._sink = sink
        self._quarantine = quarantine
        self._follower = follower
        self._most_bytes = most_bytes
        self._stop = threading.Event()
        self._next: tuple[Callable[[], LiveMatcher], Callable[[LiveMatcher], None]] | None = None
        self._applied: int | None = None
        """The number up to which the sink has everything; None before the start."""
        self._taken = 0
        self._done = 0
        self._correlated: list[Finding] = []
        self._broken: list[tuple[str, int, list[BrokenLine]]] = []
        self._newest: int | None = None
        self._newest_seen = 0.0
        self._advanced = -math.inf

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set."""
        self._stop = stop
        pause = _IDLE_SECONDS
        while not stop.is_set():
            try:
                busy = self.step()
            except HaidangError as error:
                _LOG.warning("detection waits: %s", error.diagnostics())
                stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _IDLE_SECONDS
            if not busy:
                stop.wait(_IDLE_SECONDS)

    def replace(
        self, make: Callable[[], LiveMatcher], on_replaced: Callable[[LiveMatcher], None] = lambda _: None
    ) -> None:
        """Detect with another matcher from the next batch on; any thread may ask for it.

        What correlations look back at is fed to it first, as after a restart: nothing is lost by it, and what
        was handed on before has no second effect.

        Args:
            make: Makes a fresh matcher; it is called again where the sink is away meanwhile.
            on_replaced: Is told, between two batches, once the matcher is in use.
        """
        self._next = (make, on_replaced)

    def step(self) -> int:
        """Work off the batches of one transaction; return how many they were.

        Raises:
            HaidangError: The spool or the sink is away; the same batches come again.
        """
        applied = self._begin()
        self._renew()
        taken = self._spool.take(self._taken, self._most_bytes)
        detected = [self._detect(spooled) for spooled in taken if spooled.number > applied]
        self._correlate()
        self._keep(detected, taken)
        if detected:
            self._applied = detected[-1].number
        if taken:
            self._taken = taken[-1].number
        self._tell()
        return len(taken)

    def _begin(self) -> int:
        """Return what the sink has; at the start, feed correlations with what came before."""
        if self._applied is None:
            applied = self._sink.position()
            self._correlated.extend(self._fed(self._matcher))
            self._applied = applied
            self._taken = applied if self._follower is None else min(applied, self._follower.safe())
        return self._applied

    def _renew(self) -> None:
        """Take up another matcher where there is one; whatever was detected so far has had its effect."""
        waiting = self._next
        if waiting is None:
            return
        make, on_replaced = waiting
        matcher = make()
        self._correlated.extend(self._fed(matcher))
        self._matcher = matcher
        if self._next is waiting:
            self._next = None
        on_replaced(matcher)

    def _fed(self, matcher: LiveMatcher) -> list[Finding]:
        """Feed correlations with what the sink kept; return what they make of it."""
        found: list[Finding] = []
        for members in list(self._sink.members()):
            found.extend(matcher.feed(members))
            self._note(members)
        return found

    def _detect(self, spooled: Spooled) -> Detected:
        arrival = spooled.arrival
        path = f"{arrival.source}/{spooled.number}"
        report = _Account(path)
        findings: list[Finding] = []
        members: Sequence[Member] = ()
        if spooled.damage:
            report.note("corrupt", "byte 0", spooled.damage, skipped=arrival.count)
            _LOG.error("batch %s of the spool is damaged: %s", path, spooled.damage)
        else:
            try:
                piece = self._matcher.match(arrival.data, arrival.format, path=path, report=report)
            except Exception as error:  # noqa: BLE001 -- whatever it is, the batches behind must not wait for it
                report.note("unreadable", "byte 0", f"{type(error).__name__}: {error}", skipped=arrival.count)
                _LOG.exception("rules fail on batch %s", path)
            else:
                for finding in piece.findings:
                    correlation = finding.origin == "correlation"
                    (self._correlated if correlation else findings).append(finding)
                members = piece.members
                self._note(members)
        broken = list(report.broken(arrival.data))
        if broken:
            self._broken.append((arrival.source, arrival.received, broken))
        return Detected(
            number=spooled.number,
            source=arrival.source,
            received=arrival.received,
            events=arrival.count,
            size=len(arrival.data),
            broken=report.skipped,
            findings=findings,
            members=members,
        )

    def _note(self, members: Iterable[Member]) -> None:
        """Keep the newest time of events, for when none come."""
        newest = max((member.time for member in members), default=None)
        if newest is not None and (self._newest is None or newest > self._newest):
            self._newest, self._newest_seen = newest, time.monotonic()

    def _correlate(self) -> None:
        """Let correlations know what time it is, and take what they have to say; once a second is enough."""
        now = time.monotonic()
        if self._newest is None or now - self._advanced < _CORRELATE_SECONDS:
            return
        self._advanced = now
        # Time passes for old logs that are fed again as for new ones, from their newest event on.
        passed = int((now - self._newest_seen) * 1e9)
        self._correlated.extend(self._matcher.advance(self._newest + passed - TOLERANCE_NS))
        self._correlated.extend(self._matcher.ongoing())

    def _keep(self, detected: Sequence[Detected], taken: Sequence[Spooled]) -> None:
        """Hand on what was found, and the batches themselves to the follower."""
        if self._broken and self._quarantine is not None:
            self._insist(partial(self._quarantine.add_all, self._broken))
        self._broken = []
        if detected or self._correlated:
            self._insist(partial(self._sink.apply, detected, self._correlated))
        self._correlated = []
        if self._follower is not None:
            self._insist(partial(self._follower.take, taken))

    def _insist(self, act: Callable[[], None]) -> None:
        """Do something again until it succeeds: what correlations took in cannot be taken in twice."""
        pause = _IDLE_SECONDS
        while True:
            try:
                return act()
            except HaidangError as error:
                if self._stop.is_set():
                    raise
                _LOG.warning("detection waits: %s", error.diagnostics())
                self._stop.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    def _tell(self) -> None:
        through = self._taken if self._follower is None else min(self._taken, self._follower.safe())
        if through > self._done:
            self._spool.done(through)
            self._done = through


class _Account(FileReport):
    """A report that keeps where each broken record is, so that its bytes can be found again."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._places: list[tuple[str, str, str]] = []

    def note(self, kind: str, where: str, detail: str, *, skipped: int = 0, count: int = 1) -> None:
        """Count a problem and keep its place."""
        super().note(kind, where, detail, skipped=skipped, count=count)
        if (skipped or kind in _UNREADABLE) and len(self._places) < _BROKEN_LINES:
            self._places.append((kind, where, detail))

    def broken(self, data: bytes) -> Iterator[BrokenLine]:
        """Yield the records that could not be read."""
        if not self._places:
            return
        lines = data.split(b"\n")
        for kind, where, detail in self._places:
            unit, _, number = where.partition(" ")
            at = int(number) - 1 if unit in _NUMBERED and number.isdecimal() else -1
            yield BrokenLine(kind, detail, lines[at] if 0 <= at < len(lines) else data)
