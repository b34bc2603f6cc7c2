"""Lines of long texts, numbered by what they decide: the library knows a text by the numbers of its lines.

A line whose place may count (it may be part of what holds over several lines, or it is blank) has a number
of its own; all others that decide the same share one. What no decider must look at is decided by the set of
numbers and by the order of the lines whose place may count. Texts are untrusted; memory is bounded.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from itertools import accumulate
from sys import byteorder
from typing import TYPE_CHECKING

import orjson

from haidang.detect.native import APART, FIRST, KEPT, LAST, LINE
from haidang.detect.texts import NO_ANSWER, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.detect.memos import Memo
    from haidang.detect.native import Scan
    from haidang.detect.texts import Answer
    from haidang.detect.values import FieldTests

__all__ = ["NumberedLines"]


class NumberedLines:
    """The lines of one field's texts."""

    def __init__(self, memo: Memo, tests: Sequence[FieldTests], most: int) -> None:
        """Decide by ``tests``, those of ``memo``; remember at most ``most`` numbers."""
        self._memo = memo
        self._tests = tests
        self._most = most
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        nothing = (NO_ANSWER,) * len(self._tests)
        self._nothing = 0
        self._numbers: dict[tuple[bytes, tuple[Answer, ...]], int] = {(b"", nothing): self._nothing}
        self._answers: list[tuple[Answer, ...]] = [nothing]

    def learn(self, scan: Scan, text: int, asked: Sequence[tuple[int, bytes]]) -> None:
        """Number lines that were asked for, each with its place, as they are written in JSON."""
        if len(self._answers) > self._most:
            self.forget()
            scan.forget_text(text)
        told = orjson.loads(b'["%b"]' % b'","'.join([line for _, line in asked]))
        ruled_out = self._ruled_out(told)
        for (kind, line), written, nothing in zip(asked, told, ruled_out, strict=True):
            number = self._nothing if nothing and kind == LINE else self._number(kind, line, written)
            scan.learn_text(text, kind, line, number)

    def _ruled_out(self, lines: Sequence[str]) -> Sequence[bool]:
        """Return of which lines one search says that they decide nothing."""
        rulers = [one.ruler for one in self._tests]
        if None in rulers:
            return [False] * len(lines)
        folded = "\n".join(lines).lower()
        ends = list(accumulate(len(line) + 1 for line in lines))
        found = [not line or line.isspace() for line in lines]  # Their places count.
        for ruler in rulers:
            for place in ruler(folded) if ruler is not None else ():
                found[bisect_right(ends, place)] = True
        return [not one for one in found]

    def _number(self, kind: int, line: bytes, told: str) -> int:
        """Return the number of what a line decides at its place."""
        answers = tuple(one.of_line(told, first=kind == FIRST, last=kind == LAST) for one in self._tests)
        # Of a line that may be part of what holds over several, the library keeps the place.
        kept = any(one.place_counts(told) for one in self._tests)
        known = (line if kept else b"", answers)
        number = self._numbers.get(known)
        if number is None:
            number = self._numbers[known] = len(self._answers)
            self._answers.append(answers)
        return number | KEPT if kept else number

    def decide(self, key: bytes, value: bytes) -> int:
        """Return the class of a text with these lines, or ``APART``."""
        low = int.from_bytes(key[:8], byteorder)
        numbers = {at for at in range(64) if low >> at & 1}
        numbers.update(
            one & ~KEPT for one in struct.unpack(f"={(len(key) - 8) // 4}I", key[8:]) if one != APART
        )
        for at, one in enumerate(self._tests):
            still_open = one.still_open(joined(self._answers[number][at] for number in numbers))
            if not all(decide.segments for _, decide in still_open):
                return APART
        return self._memo.of_text(orjson.loads(value))
