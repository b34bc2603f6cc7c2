"""Every fault in the detection of a rule at once, where loading stops at the first.

What loading refuses is put right for the moment (a bad item by one that says nothing, a bad condition by one
that takes every selection), and the rest is looked at again, until nothing is refused. So there is one
judge of what is wrong, the compiler, and no second list of rules.

The content of rules is untrusted: rounds are bounded.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from haidang.sigma.documents import NOT_IN_FILTERS, Compiler, read_logsource
from haidang.sigma.ir import LogSource
from haidang.sigma.translate import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["faults"]

_MOST_ROUNDS = 50
_HARMLESS = "x"
_ANYTHING = "1 of them"


def faults(document: dict[str, Any], compiler: Compiler) -> Iterator[Refusal]:
    """Yield what is refused of a rule or filter: the log source, then each fault of its detection.

    Args:
        document: The rule; it is not changed.
        compiler: As the rule was loaded with.
    """
    logsource = LogSource("", "", "")
    try:
        logsource = read_logsource(document)
    except Refusal as refusal:
        yield refusal
    section = "filter" if "filter" in document else "detection"
    leave_out = NOT_IN_FILTERS if section == "filter" else frozenset()
    mended = deepcopy(document)
    for _ in range(_MOST_ROUNDS):
        try:
            compiler.condition(mended, section, logsource, leave_out=leave_out)
        except Refusal as refusal:
            yield refusal
            if not _mend(mended, refusal.place):
                return
        else:
            return


def _mend(document: dict[str, Any], place: tuple[str | int, ...]) -> bool:
    """Put something harmless at a place; return whether that can be done."""
    section, *steps = place
    if not isinstance(document.get(str(section)), dict):
        return False
    detections = document[str(section)]
    if not steps or steps == ["condition"]:
        # Without a place, it is the condition that is missing; and then that there is no selection at all.
        again = detections.get("condition") == _ANYTHING
        detections["condition"] = _ANYTHING
        return not again
    if steps == ["timeframe"]:
        del detections["timeframe"]
        return True
    while len(steps) > 1 and not isinstance(_at(detections, steps[:-1]), dict | list):
        steps.pop()  # The only value of a key has a number, though no list holds it.
    *way, last = steps
    node = _at(detections, way)
    if isinstance(node, dict) and last in node:
        field = str(last).partition("|")[0] if way else str(last)
        node[last] = _HARMLESS
        if way:
            # The key itself may be the fault; its place among the others does not matter any more.
            del node[last]
            node.setdefault(field or _HARMLESS, _HARMLESS)
        return True
    if isinstance(node, list) and isinstance(last, int) and last < len(node):
        node[last] = {_HARMLESS: _HARMLESS} if isinstance(node[last], dict) else _HARMLESS
        return True
    return False


def _at(node: Any, steps: list[str | int]) -> Any:
    for step in steps:
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node
