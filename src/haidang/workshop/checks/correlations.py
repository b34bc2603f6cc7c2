"""Correlations that never fire for want of a field, or by what they ask of a number.

A misspelt ``group-by`` breaks no rule: every event then lacks the field, and the correlation stays silent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.workshop.checks import ERROR, WARNING, Check
from haidang.workshop.known_fields import KnownFields, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.sigma.ir import CorrelationRule, EventRule
    from haidang.workshop.checks import Issue, Pack, Subject

__all__ = ["CHECKS", "run"]

FIELD = Check("correlation-field", WARNING, N_("events that a correlation looks at do not have its field"))
ALIAS = Check("alias-unsaid", WARNING, N_("an alias says no field for a rule that the correlation names"))
NEVER = Check("correlation-never-holds", ERROR, N_("no number satisfies the condition of the correlation"))
CHECKS = (FIELD, ALIAS, NEVER)


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each field and number that keeps a correlation silent."""
    joined = pack.written.joined
    if joined is None:
        return
    rules = {rule.info.key: rule for rule in joined.rules}
    known = KnownFields(pack.maps)
    for one in joined.correlations:
        subject = pack.by_key.get(one.info.key)
        if subject is None:
            continue
        yield from _aliases(subject, one, pack)
        yield from _fields(subject, one, rules, known)
        if not _can_hold(one.operators):
            yield subject.issue(NEVER, ("correlation", "condition"))


def _aliases(subject: Subject, one: CorrelationRule, pack: Pack) -> Iterator[Issue]:
    for alias in one.group_by:
        said = one.aliases.get(alias)
        for key in one.rules if said is not None else ():
            named = pack.by_key.get(key)
            if said is not None and key not in said and named is not None:
                template = N_(
                    "the alias {alias} says no field for the rule {rule}; {alias} itself is looked for"
                )
                rule = named.written.info.name or named.written.info.title
                yield subject.issue(
                    ALIAS, ("correlation", "aliases", alias), template, alias=alias, rule=repr(rule)
                )


def _fields(
    subject: Subject, one: CorrelationRule, rules: dict[str, EventRule], known: KnownFields
) -> Iterator[Issue]:
    asked: list[tuple[str, tuple[str, ...]]] = [(name, ("correlation", "group-by")) for name in one.group_by]
    asked += [(name, ("correlation", "condition", "field")) for name in one.value_fields]
    for name, place in asked:
        for rule in (rules[key] for key in one.rules if key in rules):
            field = one.aliases.get(name, {}).get(rule.info.key, name)
            if not known.unknown(rule.logsource, [field]):
                continue
            meant = nearest(field, known.of(rule.logsource))
            template = (
                N_("events of {source} have no field {name}; is {meant} meant?")
                if meant
                else N_("events of {source} have no field {name}")
            )
            source = " ".join(part for part in rule.logsource if part)
            yield subject.issue(FIELD, place, template, source=source, name=field, meant=meant)


def _can_hold(operators: tuple[tuple[str, float], ...]) -> bool:
    """Return whether some number satisfies all operators, each of which bounds it on one side or on both."""
    lowest, highest = float("-inf"), float("inf")
    open_low = open_high = False
    for operator, number in operators:
        if operator in {"gt", "gte", "eq"} and (number, operator == "gt") > (lowest, open_low):
            lowest, open_low = number, operator == "gt"
        if operator in {"lt", "lte", "eq"} and (-number, operator == "lt") > (-highest, open_high):
            highest, open_high = number, operator == "lt"
    return lowest < highest or (lowest == highest and not open_low and not open_high)
