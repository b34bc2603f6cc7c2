"""The part of the lanes that is in machine code: what it is told, and what it asks for.

It scans undecoded documents, notes the values that rules look at, and looks up what was decided of them.
It decides nothing: what it does not know it asks for, and what it cannot read for certain it leaves to whole
decoding.
"""

from __future__ import annotations

import ctypes
import secrets
import struct
from array import array
from sys import byteorder
from typing import TYPE_CHECKING
from weakref import finalize

from haidang.detect.gate import Joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.limits import Limits

__all__ = [
    "ANSWERS",
    "APART",
    "CLASS",
    "FIRST",
    "KEPT",
    "LAST",
    "LINE",
    "NOTHING",
    "PLAIN",
    "ROUTE",
    "SIGNATURE",
    "TEXT",
    "UNKNOWN",
    "WAITING",
    "Miss",
    "Scan",
]

NOTHING, PLAIN, UNKNOWN, WAITING = range(4)
"""What is known of a document: that no rule holds, that it must be decoded whole, that its route has no plan,
that something was not known."""
ANSWERS = 8
"""Numbers of answers begin here."""
APART = (1 << 32) - 2
"""In place of a class: lines do not decide."""
KEPT = 1 << 31
"""What the number of a line has besides, whose place among others counts.

Between such lines of a set, ``APART`` stands for any others.
"""
CLASS, SIGNATURE, ROUTE, LINE, FIRST, LAST, TEXT = range(7)
"""What may not be known: the class of values, the answer for a signature, the plan of a route, a line by its
place in a text, a set of lines."""

_PASSING = 7
"""In place of ``CLASS``: known to this batch only."""
_TOLD = struct.Struct("=4I")
_SIZE = ctypes.c_size_t


Miss = tuple[int, int, int, bytes, bytes]
"""What was not known: its kind; the memo, the text or the plan that it is of; the position of the document in
which it was met; its key; and the whole value, where the key is not written as it is."""


class Scan:
    """What one set of lanes knows, and its way to the library."""

    def __init__(self, library: ctypes.CDLL, limits: Limits) -> None:
        """Know nothing; ``limits`` bound what is remembered."""
        self._library = library
        self._handle: int = library.hd_new(secrets.randbits(64), limits.memo_entries, limits.memo_chars)
        finalize(self, library.hd_free, self._handle)
        self._documents = Joined(())
        self._told = bytearray()

    def slot(self, path: Sequence[str]) -> int:
        """Return the number of a place in documents: the names of members, one in another, none with a NUL.

        Raises:
            ValueError: The library takes no more.
        """
        joined = "\0".join(path).encode()
        found = int(self._library.hd_slot(self._handle, joined, len(joined)))
        if found < 0:
            raise ValueError(path)
        return found

    def forbid(self, slot: int) -> None:
        """Leave documents to whole decoding that have a value there."""
        self._library.hd_forbid(self._handle, slot)

    def imply(self, first: int, second: int) -> None:
        """Leave documents to whole decoding that have the first value without the second."""
        self._library.hd_imply(self._handle, first, second)

    def route_by(self, channel: Sequence[int], event_id: Sequence[tuple[int, int]]) -> None:
        """Say where the routing values are; an EventID may be in an object, which the second place is in."""
        places = array("I", channel), *(array("I", some) for some in zip(*event_id, strict=True))
        addresses = [one.buffer_info()[0] for one in places]
        self._library.hd_route_by(
            self._handle, addresses[0], len(channel), addresses[1], addresses[2], len(event_id)
        )

    def memo(self) -> int:
        """Return the number of a new memo."""
        return int(self._library.hd_memo(self._handle))

    def plan(self, *, gate: int = 0, idle: bool = False, plain: bool = False) -> int:
        """Return the number of a new plan.

        Args:
            gate: Number of the gate that its documents must be held to, 0 for none.
            idle: Whether no rule can ever hold.
            plain: Whether all documents must be decoded whole.
        """
        return int(self._library.hd_plan(self._handle, gate, idle, plain))

    def require(self, plan: int, slots: Sequence[int]) -> None:
        """Leave documents of a plan to whole decoding that have none of these values."""
        given = array("I", slots)
        self._library.hd_require(self._handle, plan, given.buffer_info()[0], len(given))

    def text(self, *, ends: bool, long: int, longest: int) -> int:
        """Return the number of a new way to look at texts: by their lines.

        Args:
            ends: Whether the first and the last line may decide what others do not.
            long: Characters beyond which a text of several lines is looked at so.
            longest: Characters beyond which it is not.
        """
        return int(self._library.hd_text(self._handle, ends, long, longest))

    def cell(self, plan: int, memo: int, text: int | None, needs: Sequence[Sequence[int]]) -> None:
        """Add what rules look at: values, each the first of several places, and the memo of their class."""
        given = array("I", [number for slots in needs for number in (len(slots), *slots)])
        self._library.hd_cell(
            self._handle, plan, memo, -1 if text is None else text, given.buffer_info()[0], len(given)
        )

    def learn_route(self, key: bytes, plan: int) -> None:
        """Say which plan documents with these routing values have."""
        self._tell(ROUTE, 0, plan, key)

    def learn_class(self, memo: int, key: bytes, number: int, *, lasting: bool) -> None:
        """Say what was decided of values; what is not lasting is known to this batch only."""
        self._tell(CLASS if lasting else _PASSING, memo, number, key)

    def learn_signature(self, key: bytes, answer: int) -> None:
        """Say what a signature leads to."""
        self._tell(SIGNATURE, 0, answer, key)

    def learn_text(self, text: int, kind: int, key: bytes, number: int) -> None:
        """Say what number a line has, or what class, or ``APART``, a set of lines has."""
        self._tell(kind, text, number, key)

    def _tell(self, kind: int, of: int, number: int, key: bytes) -> None:
        """Tell something with the next call: one for each takes four times as long."""
        self._told += _TOLD.pack(kind, of, number, len(key))
        self._told += key

    def _flush(self) -> None:
        if self._told:
            told = (ctypes.c_char * len(self._told)).from_buffer(self._told)
            self._library.hd_learn(self._handle, told, len(told))
            self._told = bytearray()

    def forget_text(self, text: int) -> None:
        """Forget what the lines of one text are."""
        self._flush()
        self._library.hd_forget_text(self._handle, text)

    def forget(self) -> None:
        """Forget all classes and signatures."""
        self._flush()
        self._library.hd_forget(self._handle)

    def look(self, documents: Joined, first: int) -> dict[int, int]:
        """Return what is known of the documents from ``first`` on, but for those no rule holds for."""
        self._flush()
        self._documents = documents
        ends = documents.ends
        count = len(ends)
        room = array("I", bytes(8 * count))
        positions = room.buffer_info()[0]
        found = self._library.hd_look(
            self._handle,
            documents.data,
            ends.buffer_info()[0],
            count,
            first,
            positions,
            positions + 4 * count,
        )
        return dict(zip(room[:found], room[count : count + found], strict=True))

    def again(self, documents: Sequence[int]) -> list[int]:
        """Return what is known now of some of them."""
        self._flush()
        positions, codes = array("I", documents), array("I", bytes(4 * len(documents)))
        self._library.hd_again(
            self._handle,
            self._documents.data,
            self._documents.ends.buffer_info()[0],
            len(self._documents.ends),
            positions.buffer_info()[0],
            codes.buffer_info()[0],
            len(documents),
        )
        return codes.tolist()

    def misses(self) -> Iterator[Miss]:
        """Yield what the last look did not know."""
        size = _SIZE()
        at = self._library.hd_misses(self._handle, ctypes.byref(size))
        written = ctypes.string_at(at, size.value)
        heads = array("I", written[: 4 + 20 * int.from_bytes(written[:4], byteorder)])
        place = 4 * len(heads)
        for kind, of, document, of_key, of_value in zip(*(heads[at::5] for at in range(1, 6)), strict=True):
            end = place + of_key
            key = written[place:end]
            place = end + of_value
            yield kind, of, document, key, written[end:place]

    def gated(self) -> Sequence[tuple[int, int]]:
        """Return position and gate of the documents of the last look that must be held to a gate."""
        size = _SIZE()
        at = self._library.hd_gated(self._handle, ctypes.byref(size))
        if not size.value:
            return ()
        numbers = array("I", ctypes.string_at(at, 4 * size.value))
        return list(zip(numbers[::2], numbers[1::2], strict=True))
