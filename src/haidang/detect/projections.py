"""What a lane decoded of a document, remembered as a whole where the documents repeat themselves.

One look-up in place of one for each field. Whether it is worth it shows in a trial: where most of a
thousand documents are like none before, looking fields up one by one is cheaper. Memory is bounded, in
projections and in bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.detect.tables import Held

__all__ = ["Projections", "Trial"]

_DOCUMENTS = 1000
_MOST_DISTINCT = 300
"""Of so many documents at most so many different ones make it worth while."""
_ENTRIES = 20_000
_BYTES = 8 << 20
_LARGEST = 4096
"""Bytes of the largest projection that is remembered, written as JSON."""


class Trial:
    """Looks at the first documents of a lane, then says once whether to remember."""

    def __init__(self, accept: Callable[[], None]) -> None:
        """Call ``accept`` if the documents repeat themselves."""
        self._accept = accept
        self._left = _DOCUMENTS
        self._distinct: set[int] = set()

    def judge(self, projection: Any) -> None:
        """Take one more document into account."""
        if self._left:
            self._left -= 1
            self._distinct.add(hash(projection))
            if not self._left:
                if len(self._distinct) <= _MOST_DISTINCT:
                    self._accept()
                self._distinct.clear()


class Projections(dict[Any, "Held"]):
    """Projection to the rules that hold; bounded."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._left = _BYTES

    def forget(self) -> None:
        """Start anew."""
        self.clear()
        self._left = _BYTES

    def remember(self, projection: Any, held: Held) -> Held:
        """Remember which rules hold, and return them."""
        size = len(msgspec.json.encode(projection, enc_hook=str))
        if size <= _LARGEST:
            self._left -= size + 300
            if self._left < 0 or len(self) >= _ENTRIES:
                self.forget()
            self[projection] = held
        return held
