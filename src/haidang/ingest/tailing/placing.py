"""Which content a file holds that is not known by its inode: a new one, or what is left of a known one.

Rules of this module:

- Nothing is decided of an empty file, nor of a compressed one that has just changed.
- What goes on where a free content was left is that content.
- What is, so far, the beginning of a content that another file still holds may be a copy in the making. It
  waits until that one is free, until it goes on in another way (then it is new), or until it has rested for
  ``limits.tail_settle_seconds``: then it is a copy of which nothing is to be taken, or new where there is so
  little of it that this is no proof. A compressed one waits for as long as the other is held.
- What has a zero byte in its first line is no text, and refused.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from haidang.ingest.tailing.contents import is_text
from haidang.ingest.tailing.positions import WINDOW, Position, at_end, moved_to, new_position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from haidang.ingest.tailing.followed import Stamp
    from haidang.ingest.tailing.known import KnownContents
    from haidang.ingest.tailing.positions import Content, Key
    from haidang.ingest.tailing.seeing import Seen
    from haidang.limits import Limits

__all__ = ["Decision", "Placed", "Placing", "Verdict"]

_FORGOTTEN = 10
"""So many times ``limits.tail_settle_seconds`` a file is remembered that nobody asks about any more."""


class Verdict(Enum):
    """What is done with a file for now."""

    WAIT = "wait"
    REFUSE = "refuse"


class Placed(NamedTuple):
    """The content that a file holds."""

    position: Position
    is_copy: bool
    """Whether it is no file that is written to, but what is left of one."""


Decision: TypeAlias = Verdict | Placed


class _Resting(NamedTuple):
    stamp: Stamp
    since: float
    asked: float


class Placing:
    """Decides on new files; remembers for how long each has rested."""

    def __init__(
        self, known: KnownContents, holder: Callable[[Position], Content | None], limits: Limits
    ) -> None:
        """Ask ``holder`` for the content of the file that holds a position."""
        self._known = known
        self._holder = holder
        self._limits = limits
        self._resting: dict[Key, _Resting] = {}

    def place(self, seen: Seen, content: Content, *, packed: bool, now: float) -> Decision:
        """Decide on a file that a pattern finds."""
        first = self._first(seen, content, packed=packed, now=now)
        if not first:
            return Verdict.WAIT
        if not is_text(first):
            return Verdict.REFUSE
        copied = self._known.copied(first, content, packed=packed)
        if copied is not None:
            return Placed(moved_to(copied, seen.key, seen.path), is_copy=True)
        start = new_position(seen.key, seen.path, seen.form)
        likely = list(self._known.held_alike(first))
        if packed:
            return Verdict.WAIT if likely else Placed(start, is_copy=True)
        size = content.size()
        longer = list(self._longer(content, size, likely))
        if not longer or (size < WINDOW and self._rests(seen, now)):
            return Placed(start, is_copy=False)
        # What was not taken yet may be all that is left of it tomorrow.
        if self._rests(seen, now) and any(one.offset >= size for one in longer):
            return Placed(at_end(start, content, size), is_copy=True)
        return Verdict.WAIT

    def recover(self, seen: Seen, content: Content, *, packed: bool, now: float) -> Decision:
        """Decide on a file that no pattern finds; refused is what goes on with nothing that is free."""
        first = self._first(seen, content, packed=packed, now=now)
        if not first:
            return Verdict.WAIT
        copied = self._known.copied(first, content, packed=packed)
        if copied is None:
            return Verdict.REFUSE
        return Placed(moved_to(copied, seen.key, seen.path), is_copy=True)

    def _first(self, seen: Seen, content: Content, *, packed: bool, now: float) -> bytes:
        """Return the first bytes of a file; nothing while it is too early to look at them."""
        rests = self._rests(seen, now)
        return content.read(0, WINDOW) if rests or not packed else b""

    def _longer(self, content: Content, size: int, likely: Iterable[Position]) -> Iterator[Position]:
        """Yield the positions of files of which ``content`` is the beginning, or may be."""
        window = min(size, WINDOW)
        for position in likely:
            other = self._holder(position)
            is_same = other is not None and (
                content.read(size - window, window) == other.read(size - window, window)
            )
            # Had that file been truncated meanwhile, a difference would say nothing.
            if other is None or is_same or not position.holds(other):
                yield position

    def _rests(self, seen: Seen, now: float) -> bool:
        """Return whether a file has not changed for long enough."""
        resting = self._resting.pop(seen.key, None)
        since = resting.since if resting and resting.stamp == seen.stamp else now
        self._resting[seen.key] = _Resting(seen.stamp, since, now)
        settle = self._limits.tail_settle_seconds
        # The one that was asked for longest ago is the first.
        for key in list(self._resting):
            if now - self._resting[key].asked <= _FORGOTTEN * settle:
                break
            del self._resting[key]
        return now - since >= settle
