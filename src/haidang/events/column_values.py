"""The values of columns: as codes into distinct values, as texts to search, and as JSON would have them.

What JSON has no type for is text: times in ISO 8601, decimals as written, bytes as UTF-8 with replacements.

All input is untrusted; whatever pyarrow raises for it is turned into our own error by who calls.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "Array",
    "Cut",
    "Encoded",
    "TextBytes",
    "is_encoded",
    "is_number",
    "is_text",
    "plain",
    "python_values",
    "texts_in",
]

# The classes of pyarrow come without types.
Array: TypeAlias = Any

_FEW = 1000
"""So many distinct values are taken out of an array all at once, when the first of them is asked for."""


class Encoded:
    """A column as codes into its distinct values; null has no code."""

    __slots__ = ("_distinct", "absent", "apart", "codes")

    def __init__(self, array: Array, *, apart: bool = False) -> None:
        """Encode an array.

        ``apart`` gives each row a code of its own, its position: long values are seldom the same, and finding
        out is dear.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if apart:
            distinct, codes = array, pa.array(range(len(array)), type=pa.int32())
            codes = pc.if_else(array.is_valid(), codes, None) if array.null_count else codes
        elif is_encoded(array):
            distinct, codes = array.dictionary, array.indices
        elif pa.types.is_nested(array.type):
            # Lists and maps have no codes: each is a value of its own.
            distinct = [plain(value) for value in array.to_pylist()]
            codes = pa.array(
                [None if value is None else at for at, value in enumerate(distinct)], type=pa.int32()
            )
        else:
            array = array if _is_plain(array.type) else _as_text(array)
            encoded = array.dictionary_encode()
            distinct, codes = encoded.dictionary, encoded.indices
        self.apart = apart
        self._distinct = distinct
        self.absent: int = len(distinct)
        """A number that is no code."""
        self.codes: Array = codes
        """One for each row, or null."""

    def slice(self, start: int, count: int) -> Encoded:
        """Return ``count`` rows from ``start`` on; they share the distinct values."""
        some = object.__new__(Encoded)
        some.apart, some.absent, some._distinct = self.apart, self.absent, self._distinct
        some.codes = self.codes.slice(start, count)
        return some

    def all_values(self) -> list[Any]:
        """Return the value of each code."""
        return self._distinct if isinstance(self._distinct, list) else _to_list(self._distinct)

    def values(self, codes: Sequence[int]) -> list[Any]:
        """Return the values of some codes; None for ``absent``."""
        import pyarrow as pa

        if self.absent <= _FEW and not isinstance(self._distinct, list):
            self._distinct = _to_list(self._distinct)
        if isinstance(self._distinct, list):
            return [None if code == self.absent else self._distinct[code] for code in codes]
        wanted = pa.array([None if code == self.absent else code for code in codes], type=pa.int64())
        return _to_list(self._distinct.take(wanted))


class Cut:
    """Where an ascending array of numbers can be cut."""

    __slots__ = ("_numbers",)

    def __init__(self, array: Array) -> None:
        """Look into the memory of an array of 64-bit integers without nulls, copying nothing."""
        data = array.buffers()[1] if len(array) else None
        whole = memoryview(b"" if data is None else data).cast("B").cast("q")
        self._numbers = whole[array.offset : array.offset + len(array)]

    def between(self, start: int, end: int) -> tuple[int, int]:
        """Return the position of the first number from ``start`` on, and how many are below ``end``."""
        first = bisect_left(self._numbers, start)
        return first, bisect_left(self._numbers, end, first) - first


class TextBytes(NamedTuple):
    """The bytes of an array of texts, one behind another, and where each begins; the last end comes last."""

    data: memoryview
    cuts: Sequence[int]

    @classmethod
    def of(cls, array: Array) -> TextBytes:
        """Look into the memory of an array of texts, copying nothing."""
        import pyarrow as pa

        if not pa.types.is_string(array.type):
            array = array.cast(pa.string())
        _, starts, data = array.buffers()
        if not len(array) or data is None:
            return cls(memoryview(b""), [0])
        cuts = memoryview(starts).cast("B").cast("i")[array.offset : array.offset + len(array) + 1]
        return cls(memoryview(data).cast("B"), cuts)


def is_text(kind: Any) -> bool:
    """Return whether values of that type are texts."""
    import pyarrow as pa

    kinds = pa.types
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def is_number(kind: Any) -> bool:
    """Return whether values of that type are numbers, truth values or nothing."""
    import pyarrow as pa

    kinds = pa.types
    return bool(
        kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_boolean(kind) or kinds.is_null(kind)
    )


def is_encoded(array: Array) -> bool:
    """Return whether an array has been read as codes into distinct values."""
    import pyarrow as pa

    return bool(pa.types.is_dictionary(array.type))


def python_values(array: Array) -> list[Any]:
    """Return the values of an array as JSON would have them."""
    import pyarrow as pa

    if is_encoded(array):
        array = array.dictionary_decode()
    elif not (_is_plain(array.type) or pa.types.is_nested(array.type)):
        array = _as_text(array)
    values = _to_list(array)
    return values if _is_plain(array.type) else [None if value is None else plain(value) for value in values]


def plain(value: Any) -> Any:
    """Return a value as JSON would have it; nulls inside of objects are left out."""
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        # A map is a list of pairs.
        if value and all(isinstance(item, tuple) for item in value):
            return {str(name): plain(item) for name, item in value if item is not None}
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal):
        return str(value)
    return str(value)


def texts_in(array: Array) -> Iterator[Array]:
    """Yield arrays that together hold each text of an array at least once; numbers are left out."""
    import pyarrow as pa

    kind = array.type
    if is_encoded(array):
        yield from texts_in(array.dictionary)
    elif pa.types.is_struct(kind) or pa.types.is_map(kind):
        for part in (array.keys, array.items) if pa.types.is_map(kind) else array.flatten():
            yield from texts_in(part)
    elif pa.types.is_nested(kind):
        yield from texts_in(array.flatten())
    elif is_text(kind):
        yield array
    elif not is_number(kind):
        yield _as_text(array)


def _is_plain(kind: Any) -> bool:
    """Return whether values of that type are texts or numbers as they are."""
    return is_text(kind) or is_number(kind)


def _as_text(array: Array) -> Array:
    """Return an array of times, decimals or bytes as texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kinds = pa.types
    if kinds.is_timestamp(array.type):
        return pc.replace_substring(array.cast(pa.string()), pattern=" ", replacement="T", max_replacements=1)
    if kinds.is_temporal(array.type) or kinds.is_decimal(array.type):
        return array.cast(pa.string())
    return pa.array([plain(value) for value in array.to_pylist()], type=pa.string())


def _to_list(array: Array) -> list[Any]:
    """Return the values of an array; bytes in texts that are no UTF-8 are replaced."""
    import pyarrow as pa

    try:
        found: list[Any] = array.to_pylist()
    except UnicodeDecodeError:
        found = [plain(value) for value in array.cast(pa.binary()).to_pylist()]
    return found
