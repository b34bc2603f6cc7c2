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

__all__ = [
    "Comparison",
    "Compiled",
    "Constant",
    "Literal",
    "PatternError",
    "Sequence_",
    "quoted",
    "shortened",
]

_LONGEST_QUOTED = 80


class PatternError(Exception):
    """A pattern cannot be used; its text is the reason. Internal to the package.

    What it quotes is shortened before: a reason that is cut as a whole is no text of the catalogue any more.
    """


def shortened(text: str) -> str:
    """Return a part of a pattern, or what a library says of one, in a length that a reason can hold."""
    return text if len(text) <= _LONGEST_QUOTED else f"{text[: _LONGEST_QUOTED - 1]}…"


def quoted(value: object) -> str:
    """Return a part of a pattern as a reason quotes it."""
    return shortened(repr(value))


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
    left_out: list[str] = field(default_factory=list)
    """Why alternatives (``OR``) of the pattern are not among them."""
