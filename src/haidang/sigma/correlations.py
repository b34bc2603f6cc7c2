"""Correlation rules: their section checked on its own, then joined with the rules that they name.

Rules of this module:

- All eight types of Sigma 2.1, with group-by, aliases, timespan, ``generate``, several operators in one
  condition, and and/or/not over rules for the temporal types.
- Rules are named by id or by ``name``; a correlation may name another, but never itself, however far.
- A correlation whose rule is not loaded is refused, and so are the correlations that name it.
- A rule that only feeds correlations reports nothing by itself, unless one that names it says ``generate``.

The content of rules is untrusted.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haidang.sigma.condition import ConditionSyntaxError, parse
from haidang.sigma.translate import Refusal

if TYPE_CHECKING:
    from haidang.sigma.ir import Condition

__all__ = ["OPERATORS", "TYPES", "VALUED", "Section", "names_of", "read_section"]

OPERATORS = ("lt", "lte", "gt", "gte", "eq", "neq")
_TEMPORAL = frozenset({"temporal", "temporal_ordered"})
VALUED = frozenset({"value_count", "value_sum", "value_avg", "value_percentile", "value_median"})
TYPES = _TEMPORAL | VALUED | {"event_count"}
_KEYS = frozenset({"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"})
_CONDITION_KEYS = frozenset({*OPERATORS, "field", "percentile"})
_TIMESPAN = re.compile(r"([0-9]{1,9})([smhdwMy])")
# A month and a year are those of pySigma: a twelfth of 365.2425 days, and 365.2425 days.
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2629746, "y": 31556952}
_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Section:
    """A ``correlation`` section that is right in itself; its rules are still names."""

    type: str
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    aliases: dict[str, dict[str, str]]
    timespan_ns: int
    operators: tuple[tuple[str, float], ...]
    value_fields: tuple[str, ...]
    percentile: float
    expression: Condition | None
    """and/or/not over ("name", rule)."""
    generate: bool


def read_section(section: Any) -> Section:
    """Return a ``correlation`` section; raise Refusal with the place in it."""
    if not isinstance(section, dict):
        raise Refusal("the correlation section must be a map")
    _known(section, _KEYS)
    kind = section.get("type")
    if kind not in TYPES:
        known = ", ".join(sorted(TYPES))
        reason = "the correlation type is missing" if kind is None else f"{kind!r} is no correlation type"
        raise Refusal(f"{reason}; there are {known}", "type")
    condition = section.get("condition")
    expression = _expression(condition, kind) if isinstance(condition, str) else None
    measured = {} if expression is not None else _measured(condition, kind)
    rules = _rules(section.get("rules"), expression)
    return Section(
        type=kind,
        rules=rules,
        group_by=_texts(section.get("group-by"), "group-by"),
        aliases=_aliases(section.get("aliases"), rules),
        timespan_ns=_timespan(section.get("timespan")),
        operators=_operators(measured),
        value_fields=_value_fields(measured, kind),
        percentile=_percentile(measured, kind),
        expression=expression,
        generate=_generate(section.get("generate")),
    )


def _known(mapping: dict[Any, Any], keys: frozenset[str], *place: str) -> None:
    for key in mapping:
        if key not in keys:
            reason = f"unknown key {key!r}; there are {', '.join(sorted(keys))}"
            raise Refusal(reason, *place, str(key))


def _texts(value: Any, *place: str) -> tuple[str, ...]:
    values = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) and each for each in values):
        raise Refusal(f"'{place[-1]}' must be a text or a list of texts", *place)
    return tuple(values)


def _rules(value: Any, expression: Condition | None) -> tuple[str, ...]:
    rules = _texts(value, "rules")
    if expression is None:
        if not rules:
            raise Refusal("the correlation names no rules", "rules")
        return rules
    named = tuple(dict.fromkeys(names_of(expression)))
    if rules and set(rules) != set(named):
        odd = ", ".join(sorted(set(rules) ^ set(named)))
        raise Refusal(f"'rules' and the condition do not name the same rules: {odd}", "condition")
    return rules or named


def names_of(expression: Condition) -> list[str]:
    """Return the rules that an expression names, in order."""
    if expression[0] == "name":
        return [expression[1]]
    return [name for part in expression[1:] for name in names_of(part)]


def _expression(text: str, kind: str) -> Condition:
    if kind not in _TEMPORAL:
        raise Refusal("only temporal correlations may have a condition over rules", "condition")
    try:
        tree = parse(text)
    except ConditionSyntaxError as error:
        raise Refusal(str(error), "condition") from None
    if _has_selector(tree):
        raise Refusal("a correlation condition knows and, or, not and parentheses only", "condition")
    return tree


def _has_selector(tree: Condition) -> bool:
    return tree[0] == "of" or (tree[0] != "name" and any(_has_selector(part) for part in tree[1:]))


def _measured(condition: Any, kind: str) -> dict[str, Any]:
    if condition is None and kind in _TEMPORAL:
        return {}
    if condition is None:
        raise Refusal("the correlation has no condition", "condition")
    if not isinstance(condition, dict):
        raise Refusal("the condition of a correlation must be a map such as `gte: 10`", "condition")
    _known(condition, _CONDITION_KEYS, "condition")
    if not condition.keys() & set(OPERATORS):
        raise Refusal(f"the condition needs one of {', '.join(OPERATORS)}", "condition")
    return condition


def _operators(condition: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    found: list[tuple[str, float]] = []
    for name, value in condition.items():
        if name in OPERATORS:
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise Refusal(f"{value!r} is no number", "condition", name)
            found.append((name, float(value)))
    return tuple(found)


def _value_fields(condition: dict[str, Any], kind: str) -> tuple[str, ...]:
    fields = _texts(condition.get("field"), "condition", "field")
    if kind in VALUED and not fields:
        raise Refusal(f"{kind} needs a 'field' in its condition", "condition")
    if kind not in VALUED and fields:
        raise Refusal(f"{kind} takes no 'field' in its condition", "condition", "field")
    if len(fields) > 1 and kind != "value_count":
        raise Refusal(f"{kind} takes a single field", "condition", "field")
    return fields


def _percentile(condition: dict[str, Any], kind: str) -> float:
    value = condition.get("percentile")
    if kind != "value_percentile":
        if value is not None:
            raise Refusal(f"{kind} takes no 'percentile'", "condition", "percentile")
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise Refusal("value_percentile needs a 'percentile' between 0 and 100", "condition")
    return float(value)


def _timespan(value: Any) -> int:
    if value is None:
        raise Refusal("the correlation has no timespan", "timespan")
    match = _TIMESPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None or not int(match[1]):
        raise Refusal(f"{value!r} is no timespan; write a number and one of s m h d w M y", "timespan")
    return int(match[1]) * _SECONDS[match[2]] * _NANOSECONDS


def _aliases(value: Any, rules: tuple[str, ...]) -> dict[str, dict[str, str]]:
    aliases = {} if value is None else value
    if not isinstance(aliases, dict):
        raise Refusal("'aliases' must be a map", "aliases")
    for alias, mapping in aliases.items():
        if not isinstance(mapping, dict) or not all(isinstance(name, str) for name in mapping.values()):
            raise Refusal("an alias must map rules to fields", "aliases", str(alias))
        for rule in mapping:
            if rule not in rules:
                raise Refusal(
                    f"the alias is for {rule!r}, which the correlation does not name", "aliases", str(alias)
                )
    return {str(alias): dict(mapping) for alias, mapping in aliases.items()}


def _generate(value: Any) -> bool:
    if value is not None and not isinstance(value, bool):
        raise Refusal("'generate' must be true or false", "generate")
    return bool(value)
