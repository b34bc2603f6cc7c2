"""Regular expressions: those that cannot run in linear time, and those that hostile values can make crawl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.detect.regexes import may_explode, runs_in_linear_time
from haidang.i18n import N_
from haidang.workshop.checks import ERROR, WARNING, Check
from haidang.workshop.checks._places import field_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.sigma.ir import Condition
    from haidang.workshop.checks import Issue, Pack, Subject

__all__ = ["CHECKS", "run"]

NOT_LINEAR = Check(
    "regex-not-linear", WARNING, N_("RE2 cannot run the regular expression; it runs under a time limit")
)
HOSTILE = Check(
    "regex-hostile", ERROR, N_("the regular expression takes exponential time on values made for it")
)
CHECKS = (NOT_LINEAR, HOSTILE)


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each expression that RE2 does not run."""
    for subject in pack.subjects:
        if subject.outline is None:
            continue
        for selection in subject.outline.selections.values():
            for item in selection.items():
                for pattern, flags in dict.fromkeys(_patterns(item.condition)):
                    yield from _of(subject, selection.name, item.field, pattern, flags)


def _of(subject: Subject, selection: str, field: str, pattern: str, flags: str) -> Iterator[Issue]:
    if runs_in_linear_time(pattern, flags):
        return
    place = _place(subject, selection, field, pattern)
    if may_explode(pattern):
        template = N_("RE2 cannot run {pattern}, and its repeats inside repeats can take exponential time")
        yield subject.issue(HOSTILE, place, template, pattern=repr(pattern))
    else:
        template = N_("RE2 cannot run {pattern}; it runs under a time limit, and slower")
        yield subject.issue(NOT_LINEAR, place, template, pattern=repr(pattern))


def _place(subject: Subject, selection: str, field: str, pattern: str) -> tuple[str | int, ...]:
    """Return the place of an expression as written; its selection where a pipeline changed it."""
    for place, value in field_places(subject, selection, field):
        if value == pattern:
            return place
        if isinstance(value, list) and pattern in value:
            return (*place, value.index(pattern))
    return ("detection", selection)


def _patterns(condition: Condition) -> Iterator[tuple[str, str]]:
    if condition[0] == "is":
        _, kind, value, _ = condition[1]
        if kind == "re":
            yield value
    elif condition[0] in {"and", "or", "not"}:
        for part in condition[1:]:
            yield from _patterns(part)
