"""Whether a condition can hold at all: a search for tests that agree with one another.

The search follows the condition; where alternatives are open it tries one after the other, and ends with the
first that has no contradiction. It is careful: what it cannot decide, it takes for possible, and so it does
when the search gets long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.detect.semantics import holds
from haidang.sigma.ir import ANY, Test

if TYPE_CHECKING:
    from haidang.sigma.ir import Condition

__all__ = ["can_hold"]

_MOST_STEPS = 5_000

_Wanted = tuple["Condition", bool]
_Fact = tuple[Test, bool]


def can_hold(condition: Condition) -> bool:
    """Return False only where no event can satisfy ``condition`` (an event whose fields are no lists)."""
    return _Search().run([(condition, True)], ())


class _Search:
    def __init__(self) -> None:
        self._left = _MOST_STEPS

    def run(self, wanted: list[_Wanted], facts: tuple[_Fact, ...]) -> bool:
        """Return whether all of ``wanted`` can hold beside ``facts``."""
        choices: list[list[_Wanted]] = []
        pending = list(wanted)
        while pending:
            self._left -= 1
            if self._left <= 0:
                return True
            (kind, *parts), positive = pending.pop()
            if kind == "is":
                fact = (Test(*parts[0]), positive)
                if any(_contradict(fact, known) for known in (*facts, fact)):
                    return False
                facts = (*facts, fact)
            elif kind == "not":
                pending.append((parts[0], not positive))
            elif kind in {"true", "false"}:
                if (kind == "true") is not positive:
                    return False
            elif (kind == "and") is positive:
                pending.extend((part, positive) for part in parts)
            else:
                choices.append([(part, positive) for part in parts])
        if not choices:
            return True
        first, *rest = sorted(choices, key=len)
        others = [_either(choice) for choice in rest]
        return any(self.run([one, *others], facts) for one in first)


def _either(choice: list[_Wanted]) -> _Wanted:
    """Return the alternatives as one condition."""
    return ("or", *(part if positive else ("not", part) for part, positive in choice)), True


def _contradict(one: _Fact, other: _Fact) -> bool:
    """Return whether two tests, wanted or not, surely exclude each other."""
    (a, positive), (b, also_positive) = one, other
    if a.field is None or a.field != b.field or a.kind == "fieldref" or b.kind == "fieldref":
        return a == b and positive is not also_positive
    if a == b:
        return positive is not also_positive
    if positive and also_positive:
        return _exclude(a, b) or _exclude(b, a)
    if positive != also_positive:
        yes, no = (a, b) if positive else (b, a)
        return _implies(yes, no)
    return False


def _exclude(a: Test, b: Test) -> bool:
    """Return whether a value that satisfies ``a`` cannot satisfy ``b``."""
    if _wants_nothing(a):
        return not _wants_nothing(b)
    exact = _exact(a)
    if exact is not None:
        return not b.cased and not _wants_nothing(b) and not holds(b, exact)
    if a.kind == b.kind == "str" and not a.cased and not b.cased:
        return _ends_differ(a, b)
    return a.kind in _LOWER and b.kind in _UPPER and _apart(a, b)


def _implies(yes: Test, no: Test) -> bool:
    """Return whether every value that satisfies ``yes`` satisfies ``no``."""
    if no.kind == "exists":
        return bool(no.value) and not _wants_nothing(yes)
    exact = _exact(yes)
    if exact is not None:
        return not no.cased and holds(no, exact)
    if yes.kind == no.kind == "str" and yes.cased == no.cased and len(no.value) == 3:
        before, inside, after = no.value
        return before == after == ANY and any(
            isinstance(part, str) and str(inside).lower() in part.lower() for part in yes.value
        )
    return False


_LOWER = frozenset({"gt", "gte"})
_UPPER = frozenset({"lt", "lte"})


def _apart(lower: Test, upper: Test) -> bool:
    if lower.kind == "gte" and upper.kind == "lte":
        return bool(lower.value > upper.value)
    return bool(lower.value >= upper.value)


def _wants_nothing(test: Test) -> bool:
    return test.kind == "null" or (test.kind == "exists" and not test.value)


def _exact(test: Test) -> object | None:
    """Return the one value that satisfies a test, None where there may be others."""
    if test.kind == "num":
        number: object = test.value
        return number
    if test.kind == "str" and not test.cased and all(isinstance(part, str) for part in test.value):
        return "".join(test.value)
    return None


def _ends_differ(a: Test, b: Test) -> bool:
    """Return whether the beginnings, or the ends, that two tests want cannot be of one value."""
    if a.value and b.value and isinstance(a.value[0], str) and isinstance(b.value[0], str):
        one, other = a.value[0].lower(), b.value[0].lower()
        if not (one.startswith(other) or other.startswith(one)):
            return True
    if a.value and b.value and isinstance(a.value[-1], str) and isinstance(b.value[-1], str):
        one, other = a.value[-1].lower(), b.value[-1].lower()
        return not (one.endswith(other) or other.endswith(one))
    return False
