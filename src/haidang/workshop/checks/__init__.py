"""The checks of rules, one module for each kind; each whose name does not begin with an underscore is one.

A module defines ``CHECKS``, what it may find, and ``run``, which is given all rules at once and yields
issues. There is no list to edit: add the module and its test, and ``haidang rules check`` knows it; the
reference is written from ``CHECKS``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from haidang.registry import registered
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from haidang.limits import Limits
    from haidang.sigma.ir import Condition, EventRule, LogsourceMap
    from haidang.sigma.outline import Outline
    from haidang.sigma.written import Written, WrittenRule

__all__ = [
    "ERROR",
    "NOTE",
    "SEVERITIES",
    "WARNING",
    "Check",
    "Issue",
    "NotRun",
    "Pack",
    "Subject",
    "checks",
    "runners",
]

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (NOTE, WARNING, ERROR)


class Check(NamedTuple):
    """One thing that may be wrong with a rule."""

    code: str
    severity: str
    summary: str
    """What is wrong, in one line of English: a message id."""
    fixable: bool = False


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, and where."""

    code: str
    severity: str
    message: Message
    path: str
    line: int
    rule: str = ""
    """Title of the rule."""
    rule_id: str = ""
    fixable: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """One rule under check."""

    written: WrittenRule
    rule: EventRule | None
    """As it is matched; None for correlations, filters and what cannot be loaded."""
    outline: Outline | None
    """Its detection by selections and items; None likewise."""
    condition: Condition | None
    """Of the rule alone, without filters."""

    def issue(
        self, check: Check, place: tuple[str | int, ...] = (), template: str = "", **values: Any
    ) -> Issue:
        """Return an issue at a place of the rule; the check's summary where no template is given."""
        info = self.written.info
        line = self.written.line(*place) if place else info.line
        message = Message(template or check.summary, values)
        return Issue(
            check.code, check.severity, message, info.path, line, info.title, info.id, fixable=check.fixable
        )


@dataclass(slots=True)
class NotRun:
    """A check that could not say anything of some rules."""

    reason: str
    """Why, the first time."""
    rules: int = 0


@dataclass(slots=True)
class Pack:
    """Everything that is checked at once."""

    written: Written
    subjects: list[Subject]
    maps: tuple[LogsourceMap, ...]
    limits: Limits
    regression: frozenset[str] = frozenset()
    """Ids of rules that have regression data."""
    plugins: bool = False
    """Whether validators that other packages bring are run, too."""
    by_key: dict[str, Subject] = field(default_factory=dict)
    not_run: dict[str, NotRun] = field(default_factory=dict)
    """Code of a check to what it did not do; filled while the checks run."""


@cache
def _modules() -> tuple[Any, ...]:
    return tuple(registered(__name__, __path__))


def checks() -> dict[str, Check]:
    """Return every check by its code."""
    return {check.code: check for module in _modules() for check in module.CHECKS}


def runners() -> tuple[Callable[[Pack], Iterator[Issue]], ...]:
    """Return what runs the checks of each module."""
    return tuple(module.run for module in _modules())
