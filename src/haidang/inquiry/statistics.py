"""What logs hold, without rules: formats, sources, hosts, spans of time, gaps in it, event ids.

Rules:

- A source is what a product calls the place of an event: a channel, a program, a log. It is the first field
  of ``route_by`` in the product's logsource map, and the event id is the second (of the audit log, which is
  one source, the first record's type); an origin without a map is one source without ids.
- A gap is a stretch without any event of a source on a host that is unusual for that source and host: at
  least 30 minutes, and ten times as long as nine out of ten pauses between its events are.
- A file that nothing recognised counts with its size on disk.
- Time is counted in slots of a minute, which grow where a source spans so long that
  ``Limits.stats_slots`` would not do. Hosts, sources and ids beyond their limits are counted together and
  said to be so.

Logs are untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from haidang.detect.semantics import lookup, text
from haidang.events.times import FIRST

if TYPE_CHECKING:
    from haidang.events.model import FileReport
    from haidang.inquiry.questions import LogEvent, Question
    from haidang.limits import Limits

__all__ = ["Gap", "Group", "Statistics", "statistics"]

REST = "…"
"""Host or source under which what is beyond a limit is counted."""
_MINUTE = 60 * 1_000_000_000
_SHORTEST_GAP = 30 * _MINUTE
_UNUSUAL = 10
"""Times the usual pause that makes a gap."""
_USUAL_SHARE = 0.9
_LEAST_PAUSES = 10
"""Pauses that must be known before one is called unusual."""
_LONGEST_NAME = 256
_NO_NAMES = ("", "")
_NAMES = {"auditd": ("", "type")}
"""Where the first field of ``route_by`` is no source but an id."""


class Gap(NamedTuple):
    """A stretch without events, in nanoseconds since 1970."""

    start: int
    end: int


class _Slots:
    """Which stretches of time had an event."""

    def __init__(self) -> None:
        self.width = _MINUTE
        self.taken: set[int] = set()

    def __len__(self) -> int:
        return len(self.taken)

    def add(self, time: int) -> None:
        # Counted from the first time there is, so that all slots become one in the end.
        self.taken.add((time - FIRST) // self.width)

    def widen(self) -> None:
        """Remember the same in at most half of the slots, if they are next to each other."""
        self.width *= 2
        self.taken = {slot // 2 for slot in self.taken}

    def gaps(self) -> list[Gap]:
        """Return the unusually long pauses, in order."""
        slots = sorted(self.taken)
        pauses = [after - before for before, after in pairwise(slots)]
        if len(pauses) < _LEAST_PAUSES:
            return []
        usual = sorted(pauses)[int(len(pauses) * _USUAL_SHARE)]
        width = self.width
        return [
            Gap((before + 1) * width + FIRST, after * width + FIRST)
            for before, after in pairwise(slots)
            if after - before > usual * _UNUSUAL and (after - before - 1) * width >= _SHORTEST_GAP
        ]


@dataclass(slots=True)
class Group:
    """The events of one source on one host."""

    origin: str
    source: str
    host: str
    slots: _Slots
    events: int = 0
    untimed: int = 0
    """Events without a time."""
    first: int | None = None
    last: int | None = None

    def add(self, time: int | None) -> None:
        """Count one event."""
        self.events += 1
        if time is None:
            self.untimed += 1
            return
        if self.first is None or time < self.first:
            self.first = time
        if self.last is None or time > self.last:
            self.last = time
        self.slots.add(time)

    @property
    def gaps(self) -> list[Gap]:
        """The stretches in which it was unusually silent."""
        return self.slots.gaps()


@dataclass(slots=True)
class Statistics:
    """What was counted."""

    groups: dict[tuple[str, str, str], Group] = field(default_factory=dict)
    """By origin, source and host."""
    ids: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """Events by origin, source and event id."""
    reports: list[FileReport] = field(default_factory=list)
    events: int = 0
    _slots: int = 0

    def add(
        self, event: LogEvent, place: tuple[str, str], time: int | None, host: str, limits: Limits
    ) -> None:
        """Count one event; ``place`` is its source and event id."""
        self.events += 1
        source, identifier = place
        key = (event.origin, source, host)
        group = self.groups.get(key)
        if group is None:
            if len(self.groups) >= limits.stats_groups:
                key = (event.origin, REST, REST)
            group = self.groups.get(key)
            if group is None:
                group = self.groups[key] = Group(*key, _Slots())
        before = len(group.slots)
        group.add(time)
        self._slots += len(group.slots) - before
        if self._slots > limits.stats_slots:
            self._widen(limits.stats_slots)
        if identifier:
            name = (event.origin, source, identifier)
            if name not in self.ids and len(self.ids) >= limits.stats_ids:
                name = (event.origin, REST, REST)
            self.ids[name] = self.ids.get(name, 0) + 1

    def _widen(self, most: int) -> None:
        """Widen the slots of those that have most of them, until a quarter is free (or all have but one)."""
        groups = self.groups.values()
        while self._slots > most * 3 // 4 and any(len(group.slots) > 1 for group in groups):
            average = self._slots / len(groups)
            for group in groups:
                if len(group.slots) >= average:
                    group.slots.widen()
            self._slots = sum(len(group.slots) for group in groups)

    def formats(self) -> dict[str, int]:
        """Return the number of files of each format, "" for those that nothing recognised."""
        counts: dict[str, int] = {}
        for report in self.reports:
            counts[report.format] = counts.get(report.format, 0) + 1
        return dict(sorted(counts.items()))


def statistics(question: Question) -> Statistics:
    """Count what the logs hold.

    Raises:
        InputError: A path does not exist.
    """
    names = {each.origin: _first_two(each.route_by) for each in question.maps} | _NAMES
    channels: dict[str, str] = {}
    found = Statistics(reports=question.reports)
    bounded = question.since is not None or question.until is not None
    for event in question.events():
        time = question.time(event)
        if bounded and not question.wants_time(time):
            continue
        host = question.host(event)
        if question.wants_host(host):
            place = _place(event, names.get(event.origin, _NO_NAMES), channels)
            if len(channels) > question.limits.stats_groups:
                channels.clear()
            found.add(event, place, time, host, question.limits)
    for report in found.reports:
        if not report.format and not report.size:
            report.size = _on_disk(report.path)
    return found


def _on_disk(path: str) -> int:
    """Return the size of a file that nothing recognised, of which no byte was read; 0 inside archives."""
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return 0


def _first_two(names: tuple[str, ...]) -> tuple[str, str]:
    first, second, *_ = (*names, "", "")
    return first, second


def _place(event: LogEvent, names: tuple[str, str], channels: dict[str, str]) -> tuple[str, str]:
    """Return the source and the event id of an event, "" where it has none."""
    source, identifier = names
    name = _value(event, source)
    if event.origin == "windows":
        # Windows takes "security" and "Security" for one channel, and so do rules; shippers spell both.
        name = channels.setdefault(name.lower(), name)
    return name, _value(event, identifier)


def _value(event: LogEvent, name: str) -> str:
    value = lookup(event.fields, name) if name else None
    if isinstance(value, list):
        # The records of one audit event have several types; the first is what happened.
        value = value[0] if value else None
    return text(value)[:_LONGEST_NAME]
