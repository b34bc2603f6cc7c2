"""The signatures of rows that are kept by column: each distinct combination of classes once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haidang.events.column_values import Array

__all__ = ["ColumnSignature"]


class ColumnSignature:
    """The classes of each row, joined: each distinct combination once."""

    def __init__(self, pa: Any, pc: Any) -> None:
        """Start with one combination of nothing; ``pa`` and ``pc`` are pyarrow and its functions."""
        self._pa, self._pc = pa, pc
        self._numbers: Array = None
        self._keys: list[tuple[int, ...]] = [()]
        self._positions: list[int] = []

    def add(self, position: int, numbers: Array | None, classes: list[int]) -> None:
        """Add a position: each row's number among its values, and the class of each value."""
        self._positions.append(position)
        first = classes[0]
        if numbers is None or all(one == first for one in classes):
            self._keys = [(*key, first) for key in self._keys]
            return
        dense = {one: at for at, one in enumerate(dict.fromkeys(classes))}
        codes = self._pa.array([dense[one] for one in classes], type=self._pa.int64()).take(numbers)
        meant = list(dense)
        if self._numbers is None:
            self._numbers = codes
            self._keys = [(*self._keys[0], one) for one in meant]
            return
        radix = len(meant)
        encoded = self._pc.add(self._pc.multiply(self._numbers, radix), codes).dictionary_encode()
        self._keys = [
            (*self._keys[key // radix], meant[key % radix]) for key in encoded.dictionary.to_pylist()
        ]
        self._numbers = encoded.indices.cast(self._pa.int64())

    def slice(self, start: int, count: int) -> ColumnSignature:
        """Return what was added so far of ``count`` rows from ``start`` on, to add more to."""
        some = ColumnSignature(self._pa, self._pc)
        some._positions = list(self._positions)
        some._keys = self._keys
        if self._numbers is not None:
            encoded = self._numbers.slice(start, count).dictionary_encode()
            some._keys = [self._keys[key] for key in encoded.dictionary.to_pylist()]
            some._numbers = encoded.indices.cast(self._pa.int64())
        return some

    def result(self) -> tuple[Array | None, list[tuple[int, ...]]]:
        """Return the number of each row's combination (None where there is but one), and all of them.

        A combination has its classes in the order of their positions.
        """
        order = sorted(range(len(self._positions)), key=self._positions.__getitem__)
        if order == list(range(len(order))):
            return self._numbers, self._keys
        return self._numbers, [tuple([key[at] for at in order]) for key in self._keys]
