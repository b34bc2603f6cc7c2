"""Bytes of a connection to syslog messages (RFC 6587, RFC 5425).

Rules of this module:

- Each message is framed by itself: a count of octets, a space and ``<`` begin a counted one, all else ends at
  LF, or at NUL, as Python's own handler ends it. A line that begins with digits without that is a line.
- A message of more than ``most`` bytes is passed on cut to that length and counted; its rest is passed over
  without being held.
- What a connection leaves unfinished at its end is passed on, and counted unless it is a line.
- A message is one record of a batch: a LF within a counted message becomes ``#012``, as rsyslog writes it.
  Nothing else is changed but CR, LF and NUL at the end, which go.

All input is untrusted.
"""

from __future__ import annotations

import re

__all__ = ["Framer", "records"]

# Seven digits are 10 MB, which no sender means by a count.
_COUNT = re.compile(rb"([1-9]\d{0,6}) (?=<)")
_BEGUN_COUNT = re.compile(rb"[1-9]\d{0,6} ?\Z")
_ENDS = b"\r\n\x00"


class Framer:
    """Cuts the bytes of one connection into messages."""

    def __init__(self, most: int) -> None:
        """Hold no more of one message than ``most`` bytes."""
        self.cut = 0
        """Messages that were too long."""
        self.incomplete = 0
        """Counted messages whose end never came."""
        self._most = most
        self._held = bytearray()
        self._searched = 0
        self._passing = 0
        self._passing_line = False

    @property
    def waiting(self) -> bool:
        """Return whether a message has begun and not ended."""
        return bool(self._held) or self._passing > 0 or self._passing_line

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that ``data`` completes, without their frames."""
        held = self._held
        held += data
        messages: list[bytes] = []
        position = 0
        while position < len(held):
            end = self._pass(position) if self._passing or self._passing_line else None
            if end is None:
                end = self._message(position, messages)
            if end < 0:
                break
            position = end
            self._searched = 0
        del held[:position]
        return messages

    def finish(self) -> list[bytes]:
        """Return what the connection left unfinished."""
        left = bytes(self._held)
        counted = _COUNT.match(left)
        if counted or self._passing:
            self.incomplete += 1
        self._held.clear()
        self._searched = self._passing = 0
        self._passing_line = False
        return [left[counted.end() :] if counted else left] if left else []

    def _pass(self, position: int) -> int:
        """Pass over the rest of a message that was cut; return where what is held goes on."""
        size = len(self._held)
        if self._passing:
            step = min(self._passing, size - position)
            self._passing -= step
            return position + step
        end = self._end(position)
        self._passing_line = end < 0
        return size if end < 0 else end + 1

    def _message(self, position: int, messages: list[bytes]) -> int:
        """Add the message that begins at ``position``; return where it ends, -1 where that is not there."""
        held = self._held
        if 0x31 <= held[position] <= 0x39:
            if counted := _COUNT.match(held, position):
                return self._counted(counted.end(), int(counted[1]), messages)
            if _BEGUN_COUNT.match(held, position):
                return -1
        end = self._end(max(position, self._searched))
        length = (len(held) if end < 0 else end) - position
        if length > self._most:
            self.cut += 1
            self._passing_line = end < 0
            messages.append(bytes(held[position : position + self._most]))
            return len(held) if end < 0 else end + 1
        if end < 0:
            # What is before ``position`` goes before the next look.
            self._searched = length
            return -1
        messages.append(bytes(held[position:end]))
        return end + 1

    def _end(self, start: int) -> int:
        """Return where the line ends that is looked at from ``start`` on, -1 where it has not."""
        end = self._held.find(b"\n", start)
        nul = self._held.find(b"\0", start, len(self._held) if end < 0 else end)
        return end if nul < 0 else nul

    def _counted(self, start: int, length: int, messages: list[bytes]) -> int:
        end = start + min(length, self._most)
        if end > len(self._held):
            return -1
        messages.append(bytes(self._held[start:end]))
        if length > self._most:
            self.cut += 1
            self._passing = length - self._most
        return end


def records(messages: list[bytes]) -> tuple[bytes, int]:
    """Return messages as the records of a batch, and how many they are: an empty one is none."""
    kept = [
        plain.replace(b"\n", b"#012") if b"\n" in plain else plain
        for message in messages
        if (plain := message.rstrip(_ENDS))
    ]
    return b"\n".join(kept), len(kept)
