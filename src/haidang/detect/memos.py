"""What is remembered of values: from a value to the number of its class.

A class is what was decided of a value, as a tuple of numbers. A memo is a dict whose ``__missing__``
decides, so that a value seen before costs one look-up in C. Memory is bounded in entries and in characters;
a full memo is dropped and rebuilt, the classes stay. Values are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haidang.limits import Limits

__all__ = ["LONG", "Memo"]

LONG = 512
"""From this length on, a value of several lines is looked at line by line."""


class Memo(dict[Any, int]):
    """Value to the number of its class; ``classes[number]`` is the class, and class 0 is ``nothing``."""

    __slots__ = (
        "_chars",
        "_entries",
        "_left",
        "_longest",
        "_nothing",
        "_numbers",
        "classes",
        "value_chars",
    )

    def __init__(self, limits: Limits, nothing: tuple[int, ...] = ()) -> None:
        """Start empty; ``limits`` bound what is remembered."""
        super().__init__()
        self.value_chars = limits.value_chars
        self._nothing = nothing
        self.classes: list[tuple[int, ...]] = [nothing]
        self._numbers: dict[tuple[int, ...], int] = {nothing: 0}
        self._entries = limits.memo_entries
        self._chars = limits.memo_chars
        self._left = self._chars
        self._longest = self._chars

    def classify(self, value: Any) -> int:
        """Return the class of any value, lists and objects too, remembering nothing but the class."""
        raise NotImplementedError

    def of_text(self, value: Any) -> int:
        """Return the class of a value of a field that holds texts: a long one is not remembered whole."""
        raise NotImplementedError

    def of_list(self, value: list[Any]) -> int:
        """Return the class of a list: of texts, out of what is remembered of them."""
        raise NotImplementedError

    def of_gathered(self, value: list[Any] | None) -> int:
        """Return the class of a list that was gathered, out of what is remembered of its elements."""
        raise NotImplementedError

    def __missing__(self, value: Any) -> int:
        """Decide a value that is not remembered, and remember it unless 0 and False would be one key."""
        found = self.classify(value)
        if value.__class__ is str:
            size = len(value)
            if size > self._longest:
                return found
            self._left -= size + 80
            if self._left < 0 or len(self) >= self._entries:
                if self._left < 0:
                    # Long values filled it without repeating: from now on only short ones are kept.
                    self._longest = LONG
                self.clear()
                self._left = self._chars
            self[value] = found
        elif value is None or (value.__class__ is int and value not in {0, 1} and len(self) < self._entries):
            self[value] = found
        return found

    def number(self, ids: tuple[int, ...]) -> int:
        """Return the number of a class, giving it one when it is new."""
        known = self._numbers.get(ids)
        if known is None:
            known = self._numbers[ids] = len(self.classes)
            self.classes.append(ids)
        return known

    def forget(self) -> None:
        """Start anew, classes and all; whoever remembers class numbers must forget them too."""
        self.clear()
        self._left = self._chars
        self.classes[:] = [self._nothing]
        self._numbers.clear()
        self._numbers[self._nothing] = 0
