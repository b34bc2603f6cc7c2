"""Selections and rules that no event can satisfy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.workshop.checks import ERROR, WARNING, Check
from haidang.workshop.satisfying import can_hold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.sigma.ir import Condition
    from haidang.workshop.checks import Issue, Pack, Subject

__all__ = ["CHECKS", "run"]

SELECTION = Check("selection-never-holds", ERROR, N_("no event can satisfy a selection"))
RULE = Check("rule-never-holds", ERROR, N_("no event can satisfy the condition"))
UNUSED = Check("unused-selection", WARNING, N_("the condition does not use a selection"))
CHECKS = (SELECTION, RULE, UNUSED)


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each selection and rule that can never hold, and each selection that is not used."""
    for subject in pack.subjects:
        if subject.outline is not None and subject.condition is not None:
            yield from _of(subject, subject.condition)


def _of(subject: Subject, condition: Condition) -> Iterator[Issue]:
    outline = subject.outline
    if outline is None:
        return
    used = {name for _, tree in outline.conditions for name in _names(tree)}
    possible = True
    for name, selection in outline.selections.items():
        place = ("detection", name)
        if not can_hold(selection.condition):
            possible = False
            template = N_("the selection {name} can never hold: what it wants contradicts itself")
            yield subject.issue(SELECTION, place, template, name=name)
        if name not in used:
            yield subject.issue(
                UNUSED, place, N_("the condition does not use the selection {name}"), name=name
            )
    if possible and not can_hold(condition):
        yield subject.issue(RULE, ("detection", "condition"))


def _names(tree: Condition) -> Iterator[str]:
    if tree[0] == "name":
        yield tree[1]
    else:
        for part in tree[1:]:
            yield from _names(part)
