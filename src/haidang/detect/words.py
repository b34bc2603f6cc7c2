"""All scalars of an event as keywords look at them: gathered once, whatever number of tables ask."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from haidang.detect.semantics import leaves, text

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["SEPARATOR", "EventWords"]

SEPARATOR = "\0"
"""What stands between values that are searched together; a keyword that holds it is looked for in each."""


class EventWords:
    """The values of one event; nothing is done before somebody asks."""

    def __init__(self, event: Fields) -> None:
        """Take a decoded event."""
        self._event = event

    @cached_property
    def values(self) -> list[Any]:
        """Every scalar, those inside objects and lists included."""
        return list(leaves(self._event))

    @cached_property
    def _joined(self) -> str:
        return SEPARATOR.join([value if value.__class__ is str else text(value) for value in self.values])

    @cached_property
    def folded(self) -> str:
        """All of them in lower case, one behind another."""
        return self._joined.lower()

    @property
    def plain(self) -> bool:
        """Whether all of it is ASCII."""
        return self._joined.isascii()
