"""What is the same in the evidence of all events of a signature: worked out once; then values are fetched.

The plain twin is ``EvidenceMaker`` without it, which works out for each event why each rule holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from haidang.scanning._matched import in_words, match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from haidang.detect.binding import Binding
    from haidang.events.model import Fields
    from haidang.sigma.ir import EventRule, Test

    Getter = Callable[[Fields], Any]

__all__ = ["Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """Of one rule."""

    index: int
    fields: tuple[tuple[str, Getter], ...]
    """The fields that the rule looks at, as they are shown, with what gives their values."""
    tests: tuple[tuple[Test, Getter | None, str], ...]
    """The tests that make it hold, with what gives the value of their field, and in words."""
    needed: tuple[tuple[str, Getter], ...] | None
    """Fields that correlations need, None for a rule that feeds none."""
    binding: Binding

    @classmethod
    def of(
        cls,
        index: int,
        rule: EventRule,
        binding: Binding,
        tests: Iterable[Test],
        needed: Iterable[str] | None,
    ) -> Told:
        """Work out what is the same for a rule that these tests make hold."""

        def getters(names: Iterable[str]) -> tuple[tuple[str, Getter], ...]:
            return tuple((name, binding.accessor(name).getter) for name in names)

        return cls(
            index,
            # An event's own name (see Binding) is shown as it is.
            tuple((name.removeprefix("="), get) for name, get in getters(rule.fields)),
            tuple(
                (test, None if test.field is None else binding.accessor(test.field).getter, in_words(test))
                for test in tests
            ),
            None if needed is None else getters(needed),
            binding,
        )

    def looked_at(self, event: Fields) -> dict[str, Any]:
        """Return the fields that are there, with their values."""
        return {name: value for name, get in self.fields if (value := get(event)) is not None}

    def matched(self, event: Fields) -> tuple[tuple[str, Any, str, str], ...]:
        """Return what of the event satisfied each test."""
        found: list[tuple[str, Any, str, str]] = []
        by_name = partial(self.binding.get, event)
        for test, get, words in self.tests:
            value = None if get is None else get(event)
            if test.field is None or value.__class__ is list:
                found.append((*match(test, by_name, event), ""))
            else:
                found.append((test.field, value, words, ""))
        return tuple(found)

    def values(self, event: Fields) -> dict[str, Any] | None:
        """Return the values that correlations need."""
        return None if self.needed is None else {name: get(event) for name, get in self.needed}
