"""What holds in rows that are kept by column, in machine code: the twin of ``PartLook``, and much quicker.

The library numbers the combinations of codes that rows have in each *cell*, a field or a pair of fields.
Each is decided here, once, by the tables; by their classes the library finds the signatures, and then the
rows for which a rule holds. What it cannot do, or refuses, is left to ``PartLook``. Columns are untrusted.
"""

from __future__ import annotations

import ctypes
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import finalize

from haidang.detect.column_fields import first_present
from haidang.detect.semantics import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.detect.binding import Accessor
    from haidang.detect.column_shapes import ColumnShape
    from haidang.detect.routes import Part
    from haidang.detect.tables import Held
    from haidang.detect.values import FieldMemo
    from haidang.events.column_values import Array
    from haidang.events.columns import ColumnRows
    from haidang.events.row_groups import Path
    from haidang.sigma.ir import Test

__all__ = ["CodeColumns", "ColumnCells"]

_SIZE = ctypes.c_size_t


class CodeColumns:
    """The columns of some rows, as the library is told of them."""

    def __init__(self, rows: ColumnRows) -> None:
        """Look at ``rows``; a column is read when it is first asked for."""
        self._rows = rows
        self._parts: dict[Path, tuple[int, ...] | None] = {}
        self._codes: list[Array] = []
        """What keeps the memory."""

    def part(self, path: Path) -> tuple[int, ...] | None:
        """Return where the codes of a column are, and how many, where its bits, from which, how many values.

        None for a column that has no codes.
        """
        if path not in self._parts:
            self._parts[path] = None if self._rows.is_bulky(path) else self._told(path)
        return self._parts[path]

    def _told(self, path: Path) -> tuple[int, ...]:
        import pyarrow as pa

        encoded = self._rows.encoded(path)
        codes = encoded.codes if encoded.codes.type == pa.int32() else encoded.codes.cast(pa.int32())
        self._codes.append(codes)
        bits, data = codes.buffers()
        start = data.address + 4 * codes.offset if len(codes) else 0
        return start, len(codes), bits.address if codes.null_count else 0, codes.offset, encoded.absent

    def values(self, path: Path, codes: list[int]) -> list[Any]:
        """Return the values of some codes of a column."""
        return self._rows.encoded(path).values(codes)


class _Cell(NamedTuple):
    """What rules look at together."""

    position: int
    """Its place in the signature."""
    fields: tuple[tuple[Path, ...], ...]
    """The columns of each field, of which the first that is not null counts."""
    classes: Callable[[Sequence[tuple[Any, ...]]], Sequence[int]]
    """Gives the class of each combination of values of the fields."""

    @property
    def paths(self) -> list[Path]:
        return [path for field in self.fields for path in field]

    def values(self, codes: array[int], columns: CodeColumns) -> list[tuple[Any, ...]]:
        """Return the values of the fields for combinations of codes, one behind another."""
        paths = self.paths
        by_column = iter(
            [columns.values(path, codes[at :: len(paths)].tolist()) for at, path in enumerate(paths)]
        )
        if len(paths) == len(self.fields) == 1:
            return [(value,) for value in next(by_column)]
        count = len(codes) // len(paths)
        return list(
            zip(
                *(first_present([next(by_column) for _ in field], count) for field in self.fields),
                strict=True,
            )
        )


class _Plan(NamedTuple):
    """What a table asks of the columns of a file."""

    part: Part
    cells: tuple[_Cell, ...]
    nowhere: tuple[_Cell, ...]
    """Those that no column has anything of."""
    width: int
    """Places of a signature."""


class ColumnCells:
    """Finds the rows for which the rules of a table hold."""

    def __init__(
        self, library: ctypes.CDLL, classes: Callable[[FieldMemo, Sequence[Any]], list[int]]
    ) -> None:
        """Use ``library``; ``classes`` gives the class of each value of a memo."""
        self._library = library
        self._classes = classes
        self._plans: dict[int, _Plan] = {}
        self._start()

    def _start(self) -> None:
        self._handle: int = self._library.hd_columns_new()
        finalize(self, self._library.hd_columns_free, self._handle)

    def forget(self) -> None:
        """Forget where fields are: another file comes."""
        self._plans.clear()

    def holding(
        self, part: Part, shape: ColumnShape, columns: CodeColumns, rows: Array
    ) -> list[tuple[int, Held]] | None:
        """Return the rows for which rules hold; None where this cannot tell.

        Args:
            part: The table, of whose keywords no row has any.
            shape: Where fields are.
            columns: The columns of all rows.
            rows: Positions of the rows that are asked for, at least one.

        Raises:
            PlainWayError: Columns cannot tell.
        """
        plan = self._plans.get(id(part))
        if plan is None or plan.part is not part:
            plan = self._plans[id(part)] = self._plan(part, shape)
        parts, sizes = array("Q"), array("I")
        for cell in plan.cells:
            paths = cell.paths
            sizes.append(len(paths))
            for path in paths:
                told = columns.part(path)
                if told is None:
                    return None
                parts.extend(told)
        found = self._told(
            self._library.hd_columns_cells,
            *(rows.buffers()[1].address + 8 * rows.offset, len(rows)),
            *(parts.buffer_info()[0], len(parts) // 5),
            *sizes.buffer_info(),
        )
        return None if found is None else self._holding(plan, columns, found, sizes, rows)

    def _plan(self, part: Part, shape: ColumnShape) -> _Plan:
        table = part.table
        cells: list[_Cell] = []
        for position, accessor in enumerate(part.accessors):
            fields = tuple(map(shape.paths, accessor.needs()))
            cells.append(_Cell(position, fields, self._of_value(table.memos[position], accessor)))
        after = len(cells) + bool(table.keywords)
        for position, (pair, (_, test)) in enumerate(zip(part.pairs, table.pairs, strict=True), after):
            fields = tuple(shape.paths(name) for accessor in pair for name in accessor.needs())
            cells.append(_Cell(position, fields, _of_pair(test, *pair)))
        return _Plan(
            part,
            tuple(cell for cell in cells if cell.paths),
            tuple(cell for cell in cells if not cell.paths),
            after + len(part.pairs),
        )

    def _of_value(
        self, memo: FieldMemo, accessor: Accessor
    ) -> Callable[[Sequence[tuple[Any, ...]]], Sequence[int]]:
        if accessor.plain_name:
            return lambda found: self._classes(memo, [value for (value,) in found])
        get = _getter(accessor)
        return lambda found: self._classes(memo, list(map(get, found)))

    def _told(self, call: Callable[..., Any], *arguments: Any) -> array[int] | None:
        """Return the numbers that the library tells, None where it refuses."""
        size = _SIZE()
        at = call(self._handle, *arguments, ctypes.byref(size))
        if not at:
            # Whatever the reason was, nothing of it must be left.
            self._start()
            return None
        return array("I", ctypes.string_at(at, 4 * size.value))

    def _holding(
        self, plan: _Plan, columns: CodeColumns, found: array[int], sizes: array[int], rows: Array
    ) -> list[tuple[int, Held]] | None:
        """Decide the combinations of each cell, then those of all cells."""
        import pyarrow as pa

        signature = [0] * plan.width
        for cell in plan.nowhere:
            (signature[cell.position],) = cell.classes([(None,) * len(cell.fields)])
        asked, dense = array("I"), array("I")
        meant: list[tuple[int, list[int]]] = []
        place = 0
        for number, (cell, size) in enumerate(zip(plan.cells, sizes, strict=True)):
            start, place = place + 1, place + 1 + found[place] * size
            classes = cell.classes(cell.values(found[start:place], columns))
            numbered = {one: at for at, one in enumerate(dict.fromkeys(classes))}
            if len(numbered) == 1:
                signature[cell.position] = classes[0]
            else:
                asked.append(number)
                dense.extend([numbered[one] for one in classes])
                meant.append((cell.position, list(numbered)))
        joined = self._told(self._library.hd_columns_join, *asked.buffer_info(), *dense.buffer_info())
        if joined is None:
            return None
        signatures, width = plan.part.table.signatures, len(asked)
        answers: list[Held] = []
        for start in range(1, 1 + joined[0] * width, width) if width else (1,):
            for (position, ids), one in zip(meant, joined[start : start + width], strict=True):
                signature[position] = ids[one]
            answers.append(signatures[tuple(signature)])
        wanted = array("B", map(bool, answers))
        if not any(wanted):
            return []
        holding = self._told(self._library.hd_columns_rows, *wanted.buffer_info())
        if holding is None:
            return None
        numbers = rows.take(pa.array(holding[::2])).to_pylist()
        return list(zip(numbers, [answers[one] for one in holding[1::2]], strict=True))


def _getter(accessor: Accessor) -> Callable[[Sequence[Any]], Any]:
    names = accessor.needs()
    return lambda values: accessor.get(dict(zip(names, values, strict=True)))


def _of_pair(
    test: Test, first: Accessor, second: Accessor
) -> Callable[[Sequence[tuple[Any, ...]]], Sequence[int]]:
    left, right, cut = _getter(first), _getter(second), len(first.needs())
    return lambda found: [int(holds(test, left(one[:cut]), right(one[cut:]))) for one in found]
