"""Every fault in the detection or correlation of a rule at once, where loading stops at the first.

What loading refuses is put right for the moment (a bad item by one that says nothing, a bad condition by one
that takes every selection, an unknown key by leaving it out), and the rest is looked at again, until nothing
is refused. So there is one judge of what is wrong, the compiler, and no second list of rules.

The content of rules is untrusted: rounds are bounded.
"""

from __future__ import annotations

import difflib
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from haidang.sigma.correlations import OPERATORS, TYPES, VALUED, read_section
from haidang.sigma.documents import NOT_IN_FILTERS, Compiler, read_logsource
from haidang.sigma.ir import LogSource
from haidang.sigma.translate import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["correlation_faults", "faults"]

_MOST_ROUNDS = 50
_HARMLESS = "x"
_ANYTHING = "1 of them"
_NEEDED: dict[str, Any] = {"type": "event_count", "timespan": "1h"}
"""Keys of a correlation that cannot be left out, with something that is right."""


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


def correlation_faults(document: dict[str, Any]) -> Iterator[Refusal]:
    """Yield each fault of a correlation in itself, with its place; whether its rules are there is not asked.

    Args:
        document: The correlation; it is not changed.
    """
    section = deepcopy(document["correlation"])
    for _ in range(_MOST_ROUNDS):
        try:
            read_section(section)
        except Refusal as refusal:
            yield Refusal(refusal.reason, "correlation", *refusal.place)
            if not isinstance(section, dict) or not refusal.place:
                return
            _mend_section(section, [str(step) for step in refusal.place])
        else:
            return


def _mend_section(section: dict[Any, Any], place: list[str]) -> None:
    """Put something harmless at a place of a correlation that is right up to there."""
    key, *inner = place
    node = section.get(key)
    if inner and isinstance(node, dict):
        if inner[0] in OPERATORS:
            node[inner[0]] = 1
        elif inner[0] == "field" and section.get("type") in VALUED:
            node["field"] = _HARMLESS
        else:
            _drop(node, inner[0])
    elif key == "type":
        section["type"] = _likely_type(section)
    elif key == "condition":
        section["condition"] = _condition(str(section.get("type")))
    elif key == "rules":
        # What aliases and conditions say of the rules cannot be judged any more.
        section["rules"] = [_HARMLESS]
        section.pop("aliases", None)
        if isinstance(section.get("condition"), str):
            section["condition"] = _HARMLESS
    elif key in _NEEDED:
        section[key] = _NEEDED[key]
    else:
        _drop(section, key)


def _drop(mapping: dict[Any, Any], key: str) -> None:
    """Remove a key, which YAML may have read as a number or a truth."""
    for name in [name for name in mapping if str(name) == key]:
        del mapping[name]


def _likely_type(section: dict[Any, Any]) -> str:
    """Return the type that is meant, so that the rest is judged by it."""
    close = difflib.get_close_matches(str(section.get("type")), TYPES, n=1)
    condition = section.get("condition")
    if close:
        return close[0]
    if not isinstance(condition, dict):
        return "temporal"
    if "percentile" in condition:
        return "value_percentile"
    return "value_count" if "field" in condition else "event_count"


def _condition(kind: str) -> dict[str, Any] | None:
    if kind.startswith("temporal"):
        return None
    if kind not in VALUED:
        return {"gte": 1}
    return {"gte": 1, "field": _HARMLESS, **({"percentile": 50} if kind == "value_percentile" else {})}
