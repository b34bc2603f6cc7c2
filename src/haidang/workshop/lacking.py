"""What keeps a correlation from firing on a group of events, in sentences.

Of numbers, how far the nearest window is from the condition, and whether more time would have sufficed. Of
rules that must come together, which are missing there, and where in the logs they hold instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.detect.correlation.windows import in_order, needs, short_of
from haidang.events.times import format_time
from haidang.i18n import N_
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from haidang.detect.correlation.windows import Need, Number, Walk, WalkedGroup
    from haidang.sigma.ir import CorrelationRule

__all__ = ["lacking"]

_COUNTS = frozenset({"event_count", "value_count", "temporal"})
_GROWING = frozenset({"event_count", "value_count", "value_sum"})


def lacking(
    rule: CorrelationRule, group: WalkedGroup, walked: Walk, titles: Mapping[str, str]
) -> Iterator[Message]:
    """Yield what is missing in the nearest window of a group that does not satisfy the condition.

    Args:
        rule: The correlation.
        group: One group of its walk.
        walked: The walk, with the other groups.
        titles: Key to title of the rules that it refers to.
    """
    number = group.nearest.number
    counted = rule.expression is None and rule.type != "temporal_ordered"
    if counted and rule.operators:
        yield from _of_number(rule, group)
    if rule.type.startswith("temporal"):
        if not rule.operators or any(_less(*one, number) for one in rule.operators):
            yield from _of_rules(rule, group, walked, titles)
    elif rule.type in _GROWING and group.total is not None and not _short(rule, group.total):
        template = N_("all hits of the group together make {number}, but over a longer time than the window")
        yield Message(template, {"number": _plain(group.total)})


def _short(rule: CorrelationRule, number: Number) -> Number:
    return short_of(rule.operators, number)


def _less(name: str, bound: float, number: Number) -> bool:
    """Return whether a number is below what an operator asks for."""
    return name in {"gt", "gte", "eq"} and (number < bound or (number == bound and name == "gt"))


def _of_number(rule: CorrelationRule, group: WalkedGroup) -> Iterator[Message]:
    number = group.nearest.number
    for name, bound in rule.operators:
        far = short_of([(name, bound)], number)
        if not far:
            continue
        less = _less(name, bound, number)
        if name == "neq":
            yield Message(N_("it is the very number that it must not be"))
        elif rule.type in _COUNTS:
            template = N_("{number} more are missing") if less else N_("{number} are too many")
            yield Message(template, {"number": _plain(far)})
        else:
            yield Message(N_("the number is too low") if less else N_("the number is too high"))


def _plain(number: Number) -> str:
    return f"{float(number):g}"


def _of_rules(
    rule: CorrelationRule, group: WalkedGroup, walked: Walk, titles: Mapping[str, str]
) -> Iterator[Message]:
    window = group.hits[group.nearest.first : group.nearest.last + 1]
    found = needs(rule, window)
    if rule.type == "temporal_ordered":
        done, left = in_order(rule, window)
        if done and left:
            values = {"rule": titles[done[-1].rule], "time": format_time(done[-1].time or 0)}
            yield Message(N_("the order goes as far as {rule} at {time}"), values)
        # Of the steps that are left only the next one tells something: the others wait for it.
        found = (*[need for need in found if need.wanted][:1], *(need for need in found if not need.wanted))
    for need in found:
        yield _of_rule(need, group, walked, titles)


def _of_rule(need: Need, group: WalkedGroup, walked: Walk, titles: Mapping[str, str]) -> Message:
    """Return what is to be said of a rule that is missing or in the way."""
    values = {"rule": titles[need.rule]}
    if not need.wanted:
        return Message(N_("{rule} holds in the window, and must not"), values)
    here = [hit for hit in group.hits if hit.rule == need.rule]
    if here:
        last = group.hits[group.nearest.last].time or 0
        near = min(here, key=lambda hit: abs((hit.time or 0) - last))
        template = N_("{rule} is missing here; of this group it holds at {time}, too early or too late")
        return Message(template, {**values, "time": format_time(near.time or 0)})
    others = sum(hit.rule == need.rule for one in walked.groups for hit in one.hits)
    if others:
        template = N_("{rule} is missing; hits with other values of the group: {number}")
        return Message(template, {**values, "number": others})
    left = sum(hit.rule == need.rule for hit, _ in walked.left_out)
    if left:
        template = N_("{rule} is missing; hits that do not count (see above): {number}")
        return Message(template, {**values, "number": left})
    return Message(N_("{rule} is missing; it holds in no event"), values)
