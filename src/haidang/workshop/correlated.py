"""What is said of a correlation on the events of logs: of its rules, of hits that do not count, of groups.

Rules of this module:

- Of each referred rule it is said in which events it held; of each hit that does not count, why not.
- Of each group, the window is shown in which the condition first held, or the one that came nearest to it,
  with what is missing there and where in the logs it would be, if anywhere.

Events are untrusted; whoever shows an explanation neutralises it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haidang.findings.words import rule_title
from haidang.workshop.lacking import lacking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.detect.correlation import Hit
    from haidang.detect.correlation.windows import Judged, Walk, WalkedGroup
    from haidang.sigma.ir import CorrelationRule, RuleInfo
    from haidang.sigma.written import WrittenRule
    from haidang.workshop.messages import Message

__all__ = ["Correlated", "GroupSaid", "HitSaid", "LeftOut", "RuleSaid", "Teller"]


@dataclass(frozen=True, slots=True)
class HitSaid:
    """One event in which a rule held, or one moment at which a correlation did."""

    rule: RuleInfo
    time: int | None
    """Nanoseconds since 1970 UTC."""
    path: str
    """"" for a correlation."""
    record: int
    measured: tuple[Any, ...]
    """The values that the correlation counts or measures; none for types that look at no value."""


@dataclass(frozen=True, slots=True)
class RuleSaid:
    """One rule that the correlation refers to."""

    info: RuleInfo
    looked: int
    """Events of its log source; of a correlation, the groups that it looked at."""
    hits: tuple[HitSaid, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Hits that do not count, for one reason."""

    reason: str
    """``no-time``, ``no-group-field`` or ``no-value``."""
    fields: tuple[str, ...]
    """The fields that the first of them lacks."""
    count: int
    first: HitSaid


@dataclass(frozen=True, slots=True)
class GroupSaid:
    """One combination of group-by values."""

    values: dict[str, Any]
    hits: int
    fires: int
    """How many findings there are."""
    window: tuple[HitSaid, ...]
    """The hits of the window in which the condition first held, or that came nearest to it."""
    number: float | None
    """What was counted there; None for temporal types."""
    missing: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Correlated:
    """Everything that is to be said of one correlation on the events of logs."""

    rule: WrittenRule
    correlation: CorrelationRule
    paths: tuple[str, ...]
    events: int
    rules: tuple[RuleSaid, ...]
    left_out: tuple[LeftOut, ...]
    groups: tuple[GroupSaid, ...]
    """Those that fire first, then those that came nearest."""
    cut: bool
    """Whether there were more hits than are kept."""

    @property
    def fires(self) -> int:
        """How many findings there are."""
        return sum(group.fires for group in self.groups)


class Teller:
    """Says what one walk found."""

    def __init__(self, rule: CorrelationRule, infos: Mapping[str, RuleInfo], walked: Walk, lang: str) -> None:
        """Say it of ``rule`` and those of ``infos`` (by their keys), with titles in ``lang``."""
        self._rule = rule
        self._infos = infos
        self._walked = walked
        self._titles = {key: rule_title(info, lang) for key, info in infos.items()}

    def hit(self, hit: Hit) -> HitSaid:
        """Return what is said of one hit."""
        path, record = hit.finding if isinstance(hit.finding, tuple) else ("", 0)
        measured = tuple(hit.values.get(self._field(name, hit)) for name in self._rule.value_fields)
        return HitSaid(self._infos[hit.rule], hit.time, path, record, measured)

    def _field(self, name: str, hit: Hit) -> str:
        return self._rule.aliases.get(name, {}).get(hit.rule, name)

    def left_out(self) -> tuple[LeftOut, ...]:
        """Return what is said of the hits that do not count, by reason."""
        found: dict[tuple[str, tuple[str, ...]], tuple[int, Hit]] = {}
        for hit, reason in self._walked.left_out:
            names = {"no-group-field": self._rule.group_by, "no-value": self._rule.value_fields}
            fields = [self._field(name, hit) for name in names.get(reason, ())]
            missing = tuple(name for name in fields if hit.values.get(name) is None) or tuple(fields)
            count, first = found.get((reason, missing), (0, hit))
            found[reason, missing] = (count + 1, first)
        return tuple(
            LeftOut(reason, fields, count, self.hit(first))
            for (reason, fields), (count, first) in found.items()
        )

    def groups(self) -> tuple[GroupSaid, ...]:
        """Return what is said of the groups: those that fire first, then those that came nearest."""
        order = sorted(
            self._walked.groups, key=lambda one: (-len(one.bursts), one.nearest.lacking, -len(one.hits))
        )
        return tuple(self._group(group, group.nearest) for group in order)

    def _group(self, group: WalkedGroup, near: Judged) -> GroupSaid:
        return GroupSaid(
            group.values,
            len(group.hits),
            len(group.bursts),
            tuple(map(self.hit, group.hits[near.first : near.last + 1])),
            None if self._rule.type.startswith("temporal") else float(near.number),
            () if not near.lacking else tuple(lacking(self._rule, group, self._walked, self._titles)),
        )
