"""What one table of a route is asked of rows that are kept by column, and for which of them its rules hold.

A table's signature has a position for each of its fields, one for its keywords, and one for each pair of
fields. Rows may be asked for one position now and for another later: bulky columns, a stretch at a time.

Rows are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.detect.column_signatures import ColumnSignature
from haidang.detect.semantics import holds
from haidang.detect.words import EventWords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.column_fields import Rows
    from haidang.detect.column_keywords import HeldValues
    from haidang.detect.routes import Part
    from haidang.detect.tables import Held
    from haidang.detect.values import FieldMemo
    from haidang.events.column_values import Array

__all__ = ["PartLook"]


class PartLook:
    """Looks at rows for one table; they all come from one batch."""

    def __init__(self, part: Part, classes: Callable[[FieldMemo, Sequence[Any]], list[int]]) -> None:
        """Ask what ``part`` asks; ``classes`` gives the class of each value of a memo."""
        import pyarrow as pa
        import pyarrow.compute as pc

        self._pa, self._pc = pa, pc
        self._part = part
        self._table = part.table
        self._classes = classes
        self._keywords_at = len(part.accessors)
        self._pairs_at = self._keywords_at + bool(self._table.keywords)
        self.positions = range(self._pairs_at + len(part.pairs))
        """Positions of a signature."""

    def asks_keywords(self, position: int) -> bool:
        """Return whether a position is that of the keywords."""
        return self._keywords_at <= position < self._pairs_at

    def accessors(self, position: int) -> tuple[Accessor, ...]:
        """Return what is asked of an event for a position; nothing for keywords."""
        if position < self._keywords_at:
            return (self._part.accessors[position],)
        return () if position < self._pairs_at else self._part.pairs[position - self._pairs_at]

    def nothing(self) -> ColumnSignature:
        """Return the signature of rows of which nothing was asked yet."""
        return ColumnSignature(self._pa, self._pc)

    def ask(
        self,
        signature: ColumnSignature,
        positions: Iterable[int],
        rows: Rows,
        places: Array,
        held: HeldValues,
    ) -> ColumnSignature:
        """Add to a signature what rows have at some positions.

        Args:
            signature: What is known of the rows.
            positions: What to add.
            rows: The rows' fields.
            places: The rows' numbers, by which ``held`` tells of their keywords.
            held: Values that may hold a keyword.
        """
        for position in positions:
            if position < self._keywords_at:
                numbers, values = rows.values(self._part.accessors[position])
                classes = self._classes(self._table.memos[position], values)
            elif position < self._pairs_at:
                numbers, classes = self._keyword_classes(places, held)
            else:
                numbers, classes = self._pair_classes(position - self._pairs_at, rows)
            signature.add(position, numbers, classes)
        return signature

    def holding(self, signature: ColumnSignature, places: Array) -> Iterator[tuple[int, Held]]:
        """Yield the rows for which rules hold, once everything was asked of them."""
        numbers, signatures = signature.result()
        for at, one in enumerate(signatures):
            rules = self._table.signatures[one]
            if not rules:
                continue
            chosen = places if numbers is None else places.filter(self._pc.equal(numbers, at))
            for row in chosen.to_pylist():
                yield row, rules

    def _keyword_classes(self, places: Array, held: HeldValues) -> tuple[Array | None, list[int]]:
        """Return the number of each row's class among those that come after."""
        if not held:
            return None, [0]
        rows = self._pa.array(sorted(held), type=self._pa.int64())
        # Counted from 1, for most rows hold nothing.
        numbers = self._pc.add(self._pc.index_in(places, value_set=rows), 1).fill_null(0)
        if not self._pc.max(numbers).as_py():
            return None, [0]
        words = (EventWords({"": [value for _, value in held[row]]}) for row in rows.to_pylist())
        return numbers, [0, *map(self._table.keyword_class, words)]

    def _pair_classes(self, pair: int, rows: Rows) -> tuple[Array | None, list[int]]:
        _, test = self._table.pairs[pair]
        first, second = self._part.pairs[pair]
        left, lefts = rows.values(first)
        right, rights = rows.values(second)
        both = self.nothing()
        both.add(0, left, list(range(len(lefts))))
        both.add(1, right, list(range(len(rights))))
        numbers, keys = both.result()
        return numbers, [int(holds(test, lefts[one], rights[other])) for one, other in keys]
