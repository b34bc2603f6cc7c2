"""Which values of columns may hold a keyword: each distinct text is searched once, numbers hardly ever.

Rules of this module:

- It must never miss: a value in which no covered keyword can be is left out, nothing else is promised.
- Keywords that all rows are asked for are looked for in whole columns, those of some routes in their rows.
- What was found in the distinct values of a column is remembered: those of the next rows are mostly the same.

Columns are untrusted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.events.column_values import TextBytes, is_encoded, is_number, is_text, python_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.detect.gate import KeywordGate
    from haidang.events.column_values import Array
    from haidang.events.columns import ColumnRows
    from haidang.events.row_groups import Path
    from haidang.sigma.ir import Test

__all__ = ["ColumnKeywords", "HeldValues"]

HeldValues: TypeAlias = "dict[int, list[tuple[Path, Any]]]"
"""Row to its values that may hold a keyword, each with its column."""

_NUMERIC = frozenset("0123456789+-.einfatruls")


class ColumnKeywords:
    """Searches batch after batch with the same gate."""

    def __init__(self, gate: KeywordGate) -> None:
        """Search for what ``gate`` covers."""
        self.covers = gate.covers
        """The keywords that are not in rows that are not found."""
        self._gate = gate
        self._in_numbers = _may_be_in_number(gate.covers)
        self._searched: dict[Path, tuple[Array, list[int]]] = {}
        """Column to the distinct texts that were searched last, and those that may hold a keyword."""

    def forget(self) -> None:
        """Forget what was found: another file comes."""
        self._searched.clear()

    def held(self, rows: ColumnRows, paths: Iterable[Path], among: Array | None = None) -> HeldValues:
        """Return the values of some columns that may hold a keyword, by the positions of their rows.

        Where ``among`` is given, of these rows only.
        """
        import pyarrow as pa

        found: HeldValues = {}
        for path in paths:
            kind = rows.layout.leaves[path]
            if is_number(kind) and not self._in_numbers:
                continue
            # What no row can hold is known without reading any.
            distinct = rows.distinct(path) if is_text(kind) else None
            if distinct is not None and not self._of_distinct(path, distinct):
                continue
            array = rows.array(path) if among is None else rows.array(path).take(among)
            if array.null_count == len(array):
                continue
            held = self._of_texts(path, array) if is_text(kind) else self._of_others(rows, path, array)
            if held:
                chosen = pa.array(held, type=pa.int64())
                places = held if among is None else among.take(chosen).to_pylist()
                for place, value in zip(places, python_values(array.take(chosen)), strict=True):
                    if value is not None:
                        found.setdefault(place, []).append((path, value))
        return found

    def _of_texts(self, path: Path, array: Array) -> list[int]:
        """Return the positions in an array of texts that may hold a keyword."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not is_encoded(array):
            return self._gate.values(*TextBytes.of(array))
        held = self._of_distinct(path, array.dictionary)
        if not held:
            return []
        mask = pc.is_in(array.indices, value_set=pa.array(held, type=array.indices.type))
        rows: list[int] = pc.indices_nonzero(mask).to_pylist()
        return rows

    def _of_distinct(self, path: Path, distinct: Array) -> list[int]:
        """Return the positions in the distinct texts of a column that may hold a keyword."""
        before, held = self._searched.get(path, (None, []))
        if before is None or not (before is distinct or before.equals(distinct)):
            held = self._gate.values(*TextBytes.of(distinct))
            self._searched[path] = (distinct, held)
        return held

    def _of_others(self, rows: ColumnRows, path: Path, array: Array) -> list[int]:
        """Return the positions in an array of anything else: all that have a value, or none."""
        import pyarrow.compute as pc

        if self._in_numbers or any(self._gate.values(*TextBytes.of(text)) for text in rows.texts(path)):
            held: list[int] = pc.indices_nonzero(array.is_valid()).to_pylist()
            return held
        return []


@lru_cache(maxsize=16)
def _may_be_in_number(keywords: frozenset[Test]) -> bool:
    """Return whether a keyword has no letter but those that numbers and truth values are written with."""
    return any(
        not set("".join(part for part in test.value if isinstance(part, str)).lower()) - _NUMERIC
        for test in keywords
    )
