"""Sigma filters: conditions that are added to the rules that they name.

Rules of this module:

- A filter holds for a rule when its logsource covers the rule's and its ``rules`` name the rule by id or
  name, or say ``any``. It is joined with *and*, as the specification says: exclusions carry a *not*.
- A filter that names a rule which is not loaded, or that fits none, is noted: it changes nothing.
- Where pipelines are given, the filter passes through them with the rule's logsource, as the rule did.

The content of filters is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.errors import RuleError
from haidang.sigma.documents import NOT_IN_FILTERS, read_logsource
from haidang.sigma.ir import EventRule
from haidang.sigma.translate import Refusal, condition_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.sigma.content import Pending
    from haidang.sigma.documents import Compiler
    from haidang.sigma.ir import Condition, LogSource, RuleInfo

__all__ = ["Filters"]


class Filters:
    """The filters of one load, applied to each rule in turn."""

    def __init__(
        self, pending: list[Pending], compiler: Callable[[], Compiler], moved: dict[str, LogSource]
    ) -> None:
        """Check each filter; what is wrong with it goes to ``refused``.

        ``moved`` gives, by key, the logsource as written of the rules that a pipeline moved.
        """
        self._moved = moved
        self.refused: list[RuleError] = []
        self.notes: list[RuleError] = []
        self._compiler = compiler
        self._filters: list[_Filter] = []
        for one in pending:
            try:
                self._filters.append(_Filter(one, plain=compiler().pipeline is None))
            except Refusal as refusal:
                self.refused.append(_error(one, refusal.reason, refusal.place))

    def applied(self, rule: EventRule) -> EventRule:
        """Return ``rule`` with the conditions of every filter that holds for it."""
        extra: list[Condition] = []
        logsource = self._moved.get(rule.info.key, rule.logsource)
        for one in self._filters:
            if one.concerns(rule.info, logsource):
                try:
                    extra.append(one.condition(logsource, self._compiler()))
                except Refusal as refusal:
                    self.refused.append(_error(one.pending, refusal.reason, refusal.place))
        if not extra:
            return rule
        condition = ("and", rule.condition, *extra)
        return EventRule(rule.info, rule.logsource, condition, condition_fields(condition))

    def finish(self) -> None:
        """Note the filters that changed nothing."""
        for one in self._filters:
            if one.unused:
                names = ", ".join(sorted(one.unused))
                self.notes.append(
                    _error(one.pending, f"the filter fits no loaded rule: {names}", ("filter", "rules"))
                )


class _Filter:
    def __init__(self, pending: Pending, *, plain: bool) -> None:
        self.pending = pending
        self.logsource = read_logsource(pending.document)
        self.names = _rules(pending.document["filter"])
        self.unused = set(self.names) or {"any"}
        self._plain = plain
        self._conditions: dict[LogSource | None, Condition] = {}

    def concerns(self, info: RuleInfo, logsource: LogSource) -> bool:
        if not _covers(self.logsource, logsource):
            return False
        own = {info.id.lower(), info.name} - {""}
        named = self.names & own if self.names else {"any"}
        self.unused -= named
        return bool(named)

    def condition(self, logsource: LogSource, compiler: Compiler) -> Condition:
        key = None if self._plain else logsource
        if key not in self._conditions:
            document = self.pending.document
            self._conditions[key], _ = compiler.condition(
                document, "filter", logsource, leave_out=NOT_IN_FILTERS
            )
        return self._conditions[key]


def _covers(wide: LogSource, narrow: LogSource) -> bool:
    return all(not part or part == other for part, other in zip(wide, narrow, strict=True))


def _rules(section: dict[str, Any]) -> set[str]:
    """Return the ids (lower-cased) and names that a filter names; empty for any."""
    rules = section.get("rules")
    if rules is None:
        raise Refusal("the filter must say which rules it is for (or 'any')", "filter")
    named = rules if isinstance(rules, list) else [rules]
    if not all(isinstance(name, str) and name for name in named):
        raise Refusal("'rules' must hold ids or names of rules, or be 'any'", "filter", "rules")
    if [name.lower() for name in named] in ([], ["any"]):
        return set()
    return {name.lower() if _looks_like_an_id(name) else name for name in named}


def _looks_like_an_id(name: str) -> bool:
    return len(name) == 36 and name.count("-") == 4


def _error(pending: Pending, reason: str, place: tuple[str | int, ...]) -> RuleError:
    key = str(place[1]) if len(place) > 1 else ""
    line = pending.lines.get(key) or pending.lines.get("", 0)
    return RuleError(reason, path=pending.info.path, line=line, rule=pending.info.title)
