"""The next lines of a content: what there is of whole ones, within bounds.

- A line that LF does not end waits, unless the caller knows that nothing follows (``final``).
- A line of more than ``limits.line_bytes`` is passed over and counted.
- Header lines that explain those below them come with them in each portion, see ``preambles``.

The content is untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from haidang.ingest.tailing.positions import WINDOW, digest, moved
from haidang.ingest.tailing.preambles import preamble_behind

if TYPE_CHECKING:
    from haidang.ingest.tailing.positions import Content, Position
    from haidang.limits import Limits

__all__ = ["ChangedError", "Portion", "next_portion"]


class ChangedError(Exception):
    """The content is not that which was taken up to the position any more."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What is to be appended, and the position behind it."""

    data: bytes
    """Lines joined by LF; empty where there is nothing but a new position."""
    count: int
    """How many of them are not blank."""
    position: Position
    oversized: bool
    """Whether a line is passed over because it is too long."""
    more: bool
    """Whether there may be more at once."""


def next_portion(
    content: Content, position: Position, limits: Limits, *, final: bool = False
) -> Portion | None:
    """Return the next lines behind ``position``; None where there is no whole line.

    Args:
        content: Where to read.
        position: How far it was taken.
        limits: Bounds.
        final: Whether the last line is whole though no LF ends it.

    Raises:
        ChangedError: The content was replaced.
    """
    window = min(position.offset, WINDOW)
    # No more than one line that is too long fits into that.
    size = min(limits.tail_read_bytes, limits.line_bytes + 1)
    if position.offset > WINDOW and not position.begins(content):
        raise ChangedError
    while True:
        data = content.read(position.offset - window, window + size)
        if digest(data[:window]) != position.trail:
            raise ChangedError
        full = len(data) == window + size
        end = data.rfind(b"\n", window) + 1
        is_long = not end and len(data) - window > limits.line_bytes
        if is_long or (position.passing and len(data) > window):
            return _pass_over(data, window, position)
        if not end and final and not full:
            end = len(data)
        if end > window:
            return _portion(data, window, end, position, more=full)
        if not full:
            return None
        # Whether the line is too long shows by one byte more than is allowed.
        size = min(4 * size, limits.line_bytes + 1)


def _portion(data: bytes, window: int, end: int, position: Position, *, more: bool) -> Portion:
    lines = data[window:end].removesuffix(b"\n")
    preamble = preamble_behind(lines, position)
    behind = _behind(data, window, end, position, preamble=preamble)
    count = _count(lines)
    if count and position.offset and position.preamble:
        lines = position.preamble + b"\n" + lines
    return Portion(lines, count, behind, oversized=False, more=more)


def _count(lines: bytes) -> int:
    """Return how many lines are not empty."""
    if b"\n\n" not in lines and not lines.startswith(b"\n"):
        return lines.count(b"\n") + 1 if lines else 0
    return sum(1 for line in lines.split(b"\n") if line)


def _pass_over(data: bytes, window: int, position: Position) -> Portion:
    """Pass over what is there of a line that is too long."""
    found = data.find(b"\n", window) + 1
    end = found or len(data)
    return Portion(
        b"",
        0,
        _behind(data, window, end, position, passing=not found),
        oversized=not position.passing,
        more=True,
    )


def _behind(data: bytes, window: int, end: int, position: Position, **changes: object) -> Position:
    """Return the position behind ``data[window:end]``; the window before is what was taken last."""
    head = position.head
    if position.offset < WINDOW:
        # The window is all that was taken, so ``data`` begins where the content does.
        head = data[: min(end, WINDOW)]
    offset = position.offset + end - window
    return moved(
        position, offset=offset, head=head, trail=digest(data[max(0, end - WINDOW) : end]), **changes
    )
