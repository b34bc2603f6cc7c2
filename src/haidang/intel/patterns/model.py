"""What a pattern is on its way: constants and comparisons as they are written, and what they come to.

A tree is a nested tuple over ``Comparison``:

    ("observe", tree)                          one observation, in square brackets
    ("and", [tree, …])   ("or", [tree, …])     of comparisons, or of observations
    ("followedby", [tree, …])
    ("within", tree, seconds)   ("repeats", tree, times)   ("startstop", tree, (start, stop))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from haidang.sigma.ir import Condition

__all__ = ["Comparison", "Compiled", "Constant", "Literal", "PatternError", "Sequence_"]


_LONGEST_REASON = 300


class PatternError(Exception):
    """A pattern cannot be used; its text is the reason. Internal to the package."""

    def __init__(self, reason: str) -> None:
        """Keep a reason of readable length: it may quote any part of the pattern."""
        super().__init__(reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…")


class Literal(NamedTuple):
    """A constant that is neither text, number nor truth."""

    kind: str
    """time, hex or binary."""
    text: str
    """As it is written between the quotes."""


Constant: TypeAlias = "str | int | float | bool | Literal"


class Comparison(NamedTuple):
    """One object path and what is asked of it."""

    path: str
    """Without quotes; ``[*]`` for each step into a list, whichever it is."""
    operator: str
    """= != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET EXISTS."""
    value: Any
    """A ``Constant``, a list of them for IN, None for EXISTS."""
    negated: bool


class Sequence_(NamedTuple):  # noqa: N801 - "Sequence" is Python's own word
    """Observations that must come together."""

    type: str
    """temporal, temporal_ordered or event_count."""
    parts: tuple[Condition, ...]
    timespan_ns: int
    at_least: int = 0
    """For event_count."""


@dataclass(slots=True)
class Compiled:
    """What a pattern comes to: any of these is enough."""

    lookups: list[tuple[str, str]] = field(default_factory=list)
    """(kind, value) of plain indicators."""
    conditions: list[Condition] = field(default_factory=list)
    """Over facets, each on one event."""
    sequences: list[Sequence_] = field(default_factory=list)
