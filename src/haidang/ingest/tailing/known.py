"""Every content of which something was taken: which is found where, and which is looked for.

A content that no file holds any more is free. It may turn up again: under another inode (a copy made before
the file was truncated), or compressed. What is free and was not taken to its end is missing, and looked for.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

import msgspec

from haidang.ingest.tailing.positions import Position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from haidang.ingest.tailing.positions import Content, Key

__all__ = ["KnownContents", "begun_name", "mark_name", "marks_prefix"]

_MARK = re.compile(r"/at/[0-9a-f]{32}\Z")


def marks_prefix(source: str) -> str:
    """Return what the marks of a source (by its id) begin with."""
    return f"tail/{source}/"


def mark_name(source: str, position: Position) -> str:
    """Return the name of the mark that keeps a position."""
    return f"{marks_prefix(source)}at/{position.id}"


def begun_name(source: str, pattern: str) -> str:
    """Return the name of the mark that says that a pattern was followed before."""
    return f"{marks_prefix(source)}begun/{pattern}"


class KnownContents:
    """The positions of one source."""

    def __init__(self, marks: Mapping[str, bytes]) -> None:
        """Begin with the marks of the spool; one that cannot be read is left out and counted."""
        self.unreadable = 0
        self.truncated: set[str] = set()
        """Ids of contents that were seen to be replaced in their own file."""
        self._positions: dict[str, Position] = {}
        self._held: set[str] = set()
        self._missing: dict[str, float] = {}
        for name, mark in marks.items():
            if not _MARK.search(name):
                continue
            try:
                position = Position.decode(mark)
            except msgspec.MsgspecError:
                self.unreadable += 1
            else:
                self._positions[position.id] = position

    def keep(self, position: Position) -> None:
        """Keep a position that a file holds."""
        self._positions[position.id] = position
        self._held.add(position.id)
        self._missing.pop(position.id, None)
        self.truncated.discard(position.id)

    def free(self, position: Position, *, truncated: bool = False, missing_until: float = 0.0) -> None:
        """No file holds it any more."""
        self._held.discard(position.id)
        if not position.offset and not position.ended:
            self._positions.pop(position.id, None)
            return
        if truncated:
            self.truncated.add(position.id)
        if missing_until and not position.ended:
            self._missing[position.id] = missing_until

    def of_key(self, key: Key) -> list[Position]:
        """Return what is free and was last found under a device and inode, the latest first."""
        found = [one for one in self._free() if one.key == key]
        return sorted(found, key=lambda one: one.seen, reverse=True)

    def held_alike(self, first: bytes) -> Iterator[Position]:
        """Yield what is held and begins with ``first``, or with as much as was taken of it."""
        for one in self._positions.values():
            if (
                one.id in self._held
                and one.offset
                and (first.startswith(one.head) or one.head.startswith(first))
            ):
                yield one

    def copied(self, first: bytes, content: Content, *, packed: bool) -> Position | None:
        """Return the free position that ``content`` is a copy of, the furthest; None where there is none.

        Little was taken of some: it is no proof that something else begins with the same line. Such a content
        is a copy only where one is expected, because its file was truncated or compressed.
        """
        likely = [
            one
            for one in self._free()
            if one.offset
            and first.startswith(one.head)
            and (one.is_sure or packed or one.id in self.truncated)
        ]
        # Packed contents are read forward, so the order matters.
        fitting = [one for one in sorted(likely, key=lambda one: one.offset) if one.goes_on(content)]
        return fitting[-1] if fitting else None

    def latest(self) -> dict[str, Position]:
        """Return of each path the position of which something was taken last."""
        found: dict[str, Position] = {}
        for one in sorted(self._positions.values(), key=lambda one: one.seen):
            if one.seen:
                found[os.fsdecode(one.path)] = one
        return found

    def miss(self, until: float) -> None:
        """Look for everything that is free, until then."""
        for one in self._free():
            if not one.ended:
                self._missing.setdefault(one.id, until)

    def missing(self, now: float) -> list[Position]:
        """Return what is looked for."""
        self._missing = {ident: until for ident, until in self._missing.items() if until > now}
        return [self._positions[ident] for ident in self._missing if ident in self._positions]

    def forget(self, days: float) -> list[Position]:
        """Forget, and return, what has been free for longer than ``days``."""
        oldest = int(time.time() - days * 86_400)
        old = [one for one in self._free() if one.seen < oldest]
        for one in old:
            del self._positions[one.id]
            self._missing.pop(one.id, None)
            self.truncated.discard(one.id)
        return old

    def _free(self) -> Iterable[Position]:
        return [one for one in self._positions.values() if one.id not in self._held]
