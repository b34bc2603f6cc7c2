"""What is remembered from one look at columns to the next: classes of long values, and where keywords were.

Columns are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.detect.column_cells import ColumnCells
from haidang.detect.column_keywords import ColumnKeywords
from haidang.detect.column_shapes import PlainWayError
from haidang.native import library

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.column_shapes import ColumnShape
    from haidang.detect.matcher import Matcher
    from haidang.detect.routes import Route
    from haidang.detect.values import FieldMemo
    from haidang.events.row_groups import Layout

__all__ = ["ColumnMemory"]

_FEW = 16
_LONG = 512
"""Characters from which on a value is long."""


class ColumnMemory:
    """What the values of a file were decided to be."""

    def __init__(self, matcher: Matcher, most_long: int) -> None:
        """Remember at most ``most_long`` long values of a field."""
        self._matcher = matcher
        self._most_long = most_long
        self._long: dict[int, dict[tuple[int, int], tuple[int, ...]]] = {}
        """Memo, by its identity, to what its long values were decided to be."""
        self._keywords: dict[bool, ColumnKeywords] = {}
        self._bulky: dict[Route, bool] = {}
        machine = library()
        self.cells = None if machine is None else ColumnCells(machine, self.classes)
        """What decides in machine code, where that was built."""

    def forget(self) -> None:
        """Forget what was found in the columns of the last file."""
        self._bulky.clear()
        if self.cells is not None:
            self.cells.forget()
        for keywords in self._keywords.values():
            keywords.forget()

    def is_bulky(self, route: Route, shape: ColumnShape, layout: Layout) -> bool:
        """Return whether a route looks at a bulky column."""
        if route not in self._bulky:
            accessors = [accessor for part in route.parts for accessor in part.looked_at]
            self._bulky[route] = self.looks_at_bulky(accessors, shape, layout)
        return self._bulky[route]

    def looks_at_bulky(self, accessors: Iterable[Accessor], shape: ColumnShape, layout: Layout) -> bool:
        """Return whether some of what is asked of an event may be in a bulky column."""
        names = {name for accessor in accessors for name in accessor.needs()} if layout.bulky else ()
        try:
            return any(path in layout.bulky for name in names for path in shape.paths(name))
        except PlainWayError:
            return False

    def keywords(self, *, broad: bool) -> ColumnKeywords:
        """Return what searches for the keywords of all rules, or of those that meet every Windows event."""
        if broad not in self._keywords:
            gate = self._matcher.text_gate if broad else self._matcher.wide_text_gate
            self._keywords[broad] = ColumnKeywords(gate)
        return self._keywords[broad]

    def classes(self, memo: FieldMemo, values: Sequence[Any]) -> list[int]:
        """Return the class of each value."""
        if len(values) < _FEW or not _are_long(values):
            return [memo.classify(one) if isinstance(one, list | dict) else memo[one] for one in values]
        return self._recalled(memo, values)

    def _recalled(self, memo: FieldMemo, values: Sequence[Any]) -> list[int]:
        """Return the classes of long values, which memos do not keep: they are known again by their hash."""
        known = self._long.setdefault(id(memo), {})
        classes: list[int] = []
        for value in values:
            if value.__class__ is not str or len(value) < _LONG:
                classes.append(memo.classify(value) if isinstance(value, list | dict) else memo[value])
                continue
            # Python's hash of a text is keyed with a secret of the process, so that nobody can aim at it.
            key = (hash(value), len(value))
            ids = known.get(key)
            if ids is None:
                if len(known) >= self._most_long:
                    known.clear()
                number = memo[value]
                known[key] = memo.classes[number]
                classes.append(number)
            else:
                classes.append(memo.number(ids))
        return classes


def _are_long(values: Sequence[Any]) -> bool:
    """Return whether values are long, going by a few of them."""
    some = values[:: max(1, len(values) // _FEW)]
    return any(value.__class__ is str and len(value) >= _LONG for value in some)
