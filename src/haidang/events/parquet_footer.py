"""Which columns of a Parquet file are written wholly in codes, so that a dictionary holds all their values.

A writer begins a column with codes into a dictionary, and goes on with plain values when that has grown too
large. Only the statistics of encodings in the file's footer tell (``ColumnMetaData.encoding_stats`` of the
format's Thrift definition), which pyarrow does not hand out. What is needed to reach them is read here.

Input is untrusted: of a footer that is none, or too long to walk, nothing is said. One that lies hides texts
from keywords, as whoever wrote it could have left them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["columns_in_codes"]

_MOST_BYTES = 8 << 20
_ENDING = 8
"""Bytes behind the footer: its length and the signature."""
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_DEPTH = 32
_ROW_GROUPS, _COLUMNS, _META, _NAMES, _ENCODINGS = 4, 1, 3, 3, 13
"""Numbers of the fields on the way: of FileMetaData, RowGroup, ColumnChunk and ColumnMetaData."""
_PAGE_TYPE, _ENCODING, _COUNT = 1, 2, 3
_DATA_PAGES = (0, 3)
_CODES = (2, 8)
"""PLAIN_DICTIONARY and RLE_DICTIONARY."""


def columns_in_codes(path: str) -> list[frozenset[str]]:
    """Return for each row group the columns that are known to be in codes, their names joined with dots."""
    with open(path, "rb") as file:  # noqa: PTH123 - a path of a temporary file may be a descriptor's
        end = file.seek(0, 2)
        file.seek(max(0, end - _ENDING))
        size = int.from_bytes(file.read(4), "little")
        if size > min(_MOST_BYTES, end - _ENDING):
            return []
        file.seek(end - _ENDING - size)
        footer = _Footer(file.read(size))
    try:
        return list(footer.row_groups())
    except (IndexError, UnicodeDecodeError, RecursionError):
        return []


class _Footer:
    """Walks a structure in Thrift's compact protocol."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def row_groups(self) -> Iterator[frozenset[str]]:
        for number, kind in self._fields():
            if number == _ROW_GROUPS and kind == _LIST:
                for _ in range(self._size()):
                    yield frozenset(self._row_group())
            else:
                self._skip(kind)

    def _row_group(self) -> Iterator[str]:
        for number, kind in self._fields():
            if number == _COLUMNS and kind == _LIST:
                for _ in range(self._size()):
                    yield from self._column()
            else:
                self._skip(kind)

    def _column(self) -> Iterator[str]:
        for number, kind in self._fields():
            if number == _META and kind == _STRUCT:
                name, in_codes = self._meta()
                if in_codes:
                    yield name
            else:
                self._skip(kind)

    def _meta(self) -> tuple[str, bool]:
        name, in_codes = "", False
        for number, kind in self._fields():
            if number == _NAMES and kind == _LIST:
                name = ".".join([self._text() for _ in range(self._size())])
            elif number == _ENCODINGS and kind == _LIST:
                pages = [self._page() for _ in range(self._size())]
                in_codes = bool(pages) and all(pages)
            else:
                self._skip(kind)
        return name, in_codes

    def _page(self) -> bool:
        """Return whether pages of one kind and encoding are in codes, or hold no values of rows."""
        told = {_PAGE_TYPE: -1, _ENCODING: -1, _COUNT: 1}
        for number, kind in self._fields():
            if number in told and kind not in {_TRUE, _FALSE, _BYTE} and kind < _DOUBLE:
                value = self._varint()
                told[number] = (value >> 1) ^ -(value & 1)
            else:
                self._skip(kind)
        if told[_PAGE_TYPE] not in _DATA_PAGES:
            return told[_PAGE_TYPE] >= 0
        return told[_ENCODING] in _CODES or told[_COUNT] == 0

    # Thrift's compact protocol.

    def _fields(self) -> Iterator[tuple[int, int]]:
        """Yield number and kind of each field of a structure; who asks reads the value before the next."""
        number = 0
        while (byte := self._byte()) & 15:
            if byte >> 4:
                number += byte >> 4
            else:
                value = self._varint()
                number = (value >> 1) ^ -(value & 1)
            yield number, byte & 15

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise IndexError
        return value | byte << shift

    def _size(self) -> int:
        """Return how many elements a list has; of what, is known by who asks."""
        size = self._byte() >> 4
        return self._checked(self._varint() if size == 15 else size)

    def _checked(self, size: int) -> int:
        """Refuse more elements than there are bytes: each takes one at least."""
        if size > len(self._data) - self._at:
            raise IndexError
        return size

    def _text(self) -> str:
        size = self._varint()
        self._at += size
        return self._data[self._at - size : self._at].decode()

    def _skip(self, kind: int, depth: int = 0) -> None:
        if kind <= _FALSE:
            return
        if kind == _BYTE:
            self._at += 1
        elif kind < _DOUBLE:
            data, at = self._data, self._at
            while data[at] & 128:
                at += 1
            self._at = at + 1
        elif kind == _DOUBLE:
            self._at += 8
        elif kind == _BINARY:
            # Not in one step: reading the length moves on.
            size = self._varint()
            self._at += size
        elif depth > _DEPTH:
            raise RecursionError
        elif kind == _STRUCT:
            for _, inner in self._fields():
                self._skip(inner, depth + 1)
        else:
            self._skip_many(kind, depth)

    def _skip_many(self, kind: int, depth: int) -> None:
        if kind == _MAP:
            size = self._checked(self._varint())
            byte = self._byte() if size else 0
            kinds = [byte >> 4, byte & 15]
        else:
            kinds = [self._data[self._at] & 15]
            size = self._size()
        for _ in range(size):
            for inner in kinds:
                # Inside of these, a truth value takes a byte.
                self._skip(_BYTE if inner <= _FALSE else inner, depth + 1)
