"""Trails gathered over a run: process starts around the findings, and moves between hosts.

Rules:

- Nothing here grows with the logs: starts and moves are bounded by ``Limits.trail_starts`` and
  ``trail_moves``. Moves are counted by who, whence, whither and how.
- When there are too many starts, those that led to a finding's process, came from it or stand beside it
  stay, then the latest. When there are too many moves, further ones are not kept. Both are counted.
- ``related`` gives the starts that a page needs: one that has nothing to do with a finding is not shown.

What is gathered comes from logs and is untrusted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.findings.trails import About, Move, Start
    from haidang.limits import Limits

__all__ = ["Moves", "Trails"]

_SLACK = 5_000
"""Milliseconds by which an action may be logged before the start of its process: logs differ in delay."""
_NEVER = -1


class Moves:
    """All moves of one kind by one user from one host to another."""

    __slots__ = ("count", "first", "kind", "last", "source", "target", "user")

    def __init__(self, move: Move) -> None:
        """Begin with one."""
        self.source, self.target, self.kind, self.user, self.first = move
        self.last = self.first
        self.count = 1

    def join(self, other: Moves) -> None:
        """Count those of ``other`` too."""
        self.count += other.count
        self.first = min((time for time in (self.first, other.first) if time is not None), default=None)
        self.last = max((time for time in (self.last, other.last) if time is not None), default=None)


class Trails:
    """Gathers what events tell, within bounds."""

    def __init__(self, limits: Limits) -> None:
        """Begin with nothing."""
        self._most_starts = limits.trail_starts
        self._most_moves = limits.trail_moves
        self._starts: dict[tuple[str, str, str, int | None], Start] = {}
        self._wanted: dict[tuple[str, str, int | None], None] = {}
        self._moves: dict[tuple[str, str, str, str], Moves] = {}
        self._addresses: dict[str, str] = {}
        self.lost_starts = 0
        """Process starts that were left out: a tree may lack them."""
        self.lost_moves = 0
        """Moves that were left out."""

    @property
    def moves(self) -> Iterable[Moves]:
        """The moves, in the order in which they were first seen."""
        return self._moves.values()

    @property
    def addresses(self) -> dict[str, str]:
        """Address to the one host that said that it is its own."""
        return {address: host for address, host in self._addresses.items() if host}

    def gather(self, told: About) -> None:
        """Take what an event tells, whether a rule holds for it or not."""
        if told.start is not None:
            self._add_start(told.start)
        if told.move is not None:
            self._add_move(told.move)
        if told.address is not None:
            self._add_address(*told.address)

    def want(self, host: str, process: str, time: int | None) -> None:
        """Remember that a finding is about a process."""
        if process and len(self._wanted) < self._most_starts:
            self._wanted[host.lower(), process, time] = None

    def merge(self, other: Trails) -> None:
        """Take what was gathered elsewhere, its findings first, so that their kin is kept."""
        for host, process, time in other._wanted:
            self.want(host, process, time)
        for start in other._starts.values():
            self._add_start(start)
        for key, moves in other._moves.items():
            known = self._moves.get(key)
            if known is not None:
                known.join(moves)
            elif len(self._moves) < self._most_moves:
                self._moves[key] = moves
            else:
                self.lost_moves += moves.count
        for address, host in other._addresses.items():
            self._add_address(address, host)
        self.lost_starts += other.lost_starts
        self.lost_moves += other.lost_moves

    def related(self) -> list[Start]:
        """Return the starts of findings' processes, of their ancestors, descendants and siblings."""
        family = _Family(self._starts.values())
        for host, process, time in self._wanted:
            start = family.start(host, process, time)
            if start is not None:
                family.keep_around(start)
        return list(family.kept)

    def _add_start(self, start: Start) -> None:
        self._starts[start.host.lower(), start.guid, start.pid, start.time] = start
        if len(self._starts) > self._most_starts:
            self._shed()

    def _shed(self) -> None:
        """Keep half: what is related to findings, then the latest."""
        half = self._most_starts // 2
        kept = dict.fromkeys(self.related()[:half])
        others = [start for start in self._starts.values() if start not in kept]
        kept.update(dict.fromkeys(others[len(others) - max(0, half - len(kept)) :]))
        self.lost_starts += len(self._starts) - len(kept)
        self._starts = {(start.host.lower(), start.guid, start.pid, start.time): start for start in kept}

    def _add_move(self, move: Move) -> None:
        key = (move.source.lower(), move.target.lower(), move.kind, move.user.lower())
        known = self._moves.get(key)
        if known is not None:
            known.join(Moves(move))
        elif len(self._moves) < self._most_moves:
            self._moves[key] = Moves(move)
        else:
            self.lost_moves += 1

    def _add_address(self, address: str, host: str) -> None:
        known = self._addresses.get(address)
        if known is None:
            if len(self._addresses) < self._most_moves:
                self._addresses[address] = host
        elif not _same_host(known, host):
            # Two hosts have had it: it says nothing about either.
            self._addresses[address] = ""
        elif len(host) > len(known):
            self._addresses[address] = host


def _same_host(one: str, other: str) -> bool:
    """Return whether two names may mean one host: they are the same, or one lacks the domain of the other."""
    one, other = one.lower(), other.lower()
    return one == other or (
        one.partition(".")[0] == other.partition(".")[0] and ("." in one) != ("." in other)
    )


class _Family:
    """Starts by who they are and by whose children they are."""

    def __init__(self, starts: Iterable[Start]) -> None:
        self._guids: dict[tuple[str, str], Start] = {}
        self._numbers: dict[tuple[str, str], list[tuple[int, Start]]] = defaultdict(list)
        self._children: dict[Start | None, list[Start]] = defaultdict(list)
        self.kept: dict[Start, None] = {}
        self._above: set[Start] = set()
        self._below: set[Start] = set()
        self._sides: set[Start] = set()
        starts = sorted(starts, key=lambda start: _NEVER if start.time is None else start.time)
        for start in starts:
            host = start.host.lower()
            if start.guid:
                self._guids[host, start.guid] = start
            if start.pid:
                self._numbers[host, start.pid].append((start.time or _NEVER, start))
        for start in starts:
            self._children[self.parent(start)].append(start)

    def start(self, host: str, process: str, time: int | None) -> Start | None:
        """Return the start of a process that acted at ``time``."""
        if not process.startswith("#"):
            return self._guids.get((host, process))
        numbered = self._numbers.get((host, process[1:]), [])
        if time is None:
            return numbered[-1][1] if numbered else None
        at = bisect_right(numbered, time + _SLACK, key=lambda item: item[0])
        return numbered[at - 1][1] if at else None

    def parent(self, start: Start) -> Start | None:
        """Return the start of the process that a process was started by, where it is known."""
        host = start.host.lower()
        found = self._guids.get((host, start.parent_guid)) if start.parent_guid else None
        if found is None and start.parent_pid:
            found = self.start(host, f"#{start.parent_pid}", None if start.time is None else start.time)
        return None if found is start else found

    def keep_around(self, start: Start) -> None:
        """Keep a start, its siblings, its ancestors and its descendants; each family is walked once."""
        self.kept[start] = None
        above = self.parent(start)
        if above is not None and above not in self._sides:
            self._sides.add(above)
            self.kept.update(dict.fromkeys(self._children[above]))
        while above is not None and above not in self._above:
            self._above.add(above)
            self.kept[above] = None
            above = self.parent(above)
        pending = [start]
        while pending:
            one = pending.pop()
            if one not in self._below:
                self._below.add(one)
                children = self._children.get(one, ())
                self.kept.update(dict.fromkeys(children))
                pending.extend(children)
