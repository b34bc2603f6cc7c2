"""What a pattern asks of logs: look-ups, conditions on one event, and correlations over several.

- Equality, ``IN`` and ``ISSUBSET`` on what indicators are made of (addresses, names, URLs, hashes, mail
  addresses) become look-ups, alone or joined by ``OR``; everything else becomes a condition over facets.
- One observation is one event. Observations joined by ``AND`` or ``FOLLOWEDBY``, or repeated, may lie as far
  apart as ``WITHIN`` says; without it, ``_ANY_TIME``.
- Observations joined by ``AND`` may be one event where it is all of them: a log writes into one line what
  STIX tells of several objects. ``FOLLOWEDBY``, and the same observation twice, are several events.

What no log can answer is refused, by ``refusals``: of alternatives only the one, for the others mean what
they meant; of anything else the whole. Patterns are not trusted; reading has bounded them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.intel.patterns.comparing import condition, lookups
from haidang.intel.patterns.model import Comparison, Compiled, PatternError, Sequence_
from haidang.intel.patterns.reading import read_pattern
from haidang.intel.patterns.refusals import refusal
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.sigma.ir import Condition

__all__ = ["compile_pattern"]

_SECOND = 1_000_000_000
_ANY_TIME = 10 * 366 * 86_400 * _SECOND
_MOST_REPEATS = 100_000


def compile_pattern(text: str, limits: Limits = DEFAULT_LIMITS) -> Compiled:
    """Return what a pattern comes to.

    Raises:
        PatternError: It cannot be read or answered, nor can any alternative of it; the text is the reason.
    """
    compiled = Compiled()
    errors: list[PatternError] = []
    parts = 0
    for part in _alternatives(read_pattern(text, limits)):
        parts += 1
        try:
            _add(compiled, part)
        except PatternError as error:
            errors.append(error)
    if errors and len(errors) == parts:
        raise errors[0]
    compiled.left_out = list(dict.fromkeys(map(str, errors)))
    return compiled


def _alternatives(tree: Any) -> Iterator[Any]:
    """Yield what is joined by OR at the top, inside an observation and below WITHIN too."""
    kind = tree[0]
    if kind == "or":
        for part in tree[1]:
            yield from _alternatives(part)
    elif kind == "observe" and tree[1][0] == "or" and not isinstance(tree[1], Comparison):
        for part in tree[1][1]:
            yield from _alternatives(("observe", part))
    elif kind == "within":
        for part in _alternatives(tree[1]):
            yield ("within", part, _seconds(tree[2]))
    else:
        yield tree


def _add(compiled: Compiled, tree: Any) -> None:
    tree = _unqualified(tree)
    if tree[0] == "observe":
        found = lookups(tree[1])
        if found is None:
            compiled.conditions.append(condition(tree[1]))
        else:
            compiled.lookups.extend(found)
    else:
        compiled.sequences.append(_sequence(tree))


def _unqualified(tree: Any) -> Any:
    """Return an observation without WITHIN and REPEATS 1: one event lies within any time (section 9.5)."""
    inner = tree
    while inner[0] == "within" or (inner[0] == "repeats" and inner[2] == 1):
        if inner[0] == "within":
            _seconds(inner[2])
        inner = inner[1]
    return inner if inner[0] == "observe" else tree


def _seconds(within: float) -> float:
    """Return the seconds of a WITHIN, which the grammar lets be 0."""
    if not within:
        raise refusal("seconds")
    return within


def _sequence(tree: Any, within: float = 0) -> Sequence_:
    kind = tree[0]
    span = min(int(within * _SECOND), _ANY_TIME) if within else _ANY_TIME
    if kind == "within":
        seconds = _seconds(tree[2])
        return _sequence(tree[1], min(within, seconds) if within else seconds)
    if kind == "repeats":
        if not 0 < tree[2] <= _MOST_REPEATS:
            raise refusal("count", _MOST_REPEATS)
        return Sequence_("event_count", (_observed(tree[1]),), span, tree[2])
    if kind in {"and", "followedby"}:
        ordered = kind == "followedby"
        parts = tuple(_observed(part) for part in tree[1])
        if len(set(parts)) == 1:
            return Sequence_("event_count", parts[:1], span, len(parts))
        return Sequence_("temporal_ordered" if ordered else "temporal", parts, span)
    raise refusal("startstop")


def _observed(tree: Any) -> Condition:
    """Return the condition of one observation, or of several of which any is enough."""
    tree = _unqualified(tree)
    if tree[0] == "observe":
        return condition(tree[1])
    if tree[0] == "or":
        return ("or", *(_observed(part) for part in tree[1]))
    raise refusal("startstop" if tree[0] == "startstop" else "nested")
