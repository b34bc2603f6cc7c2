"""The matcher's plain twin: a rule on an event, evaluated as the specification reads.

Slow and obviously right. Property tests hold the fast matcher to it, and findings use it to say which
fields satisfied the rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.detect.semantics import holds, leaves, wrap_keyword
from haidang.sigma.ir import Test

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.sigma.ir import Condition

__all__ = ["evaluate", "evaluate_test", "satisfied"]


def evaluate(condition: Condition, get: Callable[[str], Any], event: dict[str, Any]) -> bool:
    """Return whether ``condition`` holds; ``get`` gives a field of the rule, ``event`` all values."""
    kind = condition[0]
    if kind == "is":
        return evaluate_test(Test(*condition[1]), get, event)
    if kind == "and":
        return all(evaluate(part, get, event) for part in condition[1:])
    if kind == "or":
        return any(evaluate(part, get, event) for part in condition[1:])
    if kind == "not":
        return not evaluate(condition[1], get, event)
    return bool(kind == "true")


def evaluate_test(test: Test, get: Callable[[str], Any], event: dict[str, Any]) -> bool:
    """Return whether one test holds: on its field, or for a keyword on any value of the event."""
    if test.field is None:
        keyword = wrap_keyword(test)
        return any(holds(keyword, value) for value in leaves(event))
    other = get(test.value[0]) if test.kind == "fieldref" else None
    return holds(test, get(test.field), other)


def satisfied(condition: Condition, held: Callable[[Test], bool]) -> list[Test]:
    """Return the tests that made ``condition`` hold, in its order, each once: those not under a "not".

    ``held`` says whether a test holds; ``condition`` as a whole must.
    """
    found: dict[Test, None] = {}
    _collect(condition, held, found)
    return list(found)


def _collect(condition: Condition, held: Callable[[Test], bool], found: dict[Test, None]) -> bool:
    kind = condition[0]
    if kind == "is":
        test = Test(*condition[1])
        holds = held(test)
        if holds:
            found[test] = None
        return holds
    mine: dict[Test, None] = {}
    if kind == "not":
        # What is negated is no evidence, whatever holds in it.
        return not _collect(condition[1], held, mine)
    if kind == "and":
        whole = all(_collect(part, held, mine) for part in condition[1:])
    elif kind == "or":
        # Every alternative is looked at, so that all that held is shown.
        whole = any([_collect(part, held, mine) for part in condition[1:]])  # noqa: C419 - see above
    else:
        return bool(kind == "true")
    if whole:
        found.update(mine)
    return whole
