"""Why a correlation fires on the events of logs, or does not: hits, groups, windows, what is missing.

Rules of this module:

- Hits are those of a scan: the matcher's, with the values and times that a scan would hand on.
- Of each referred rule it is said in which events it held; of each hit that does not count, why not.
- Of each group, the window is shown in which the condition first held, or the one that came nearest to it,
  with what is missing there and where in the logs it would be, if anywhere.

Events are untrusted; whoever shows an explanation neutralises it. At most ``_MOST_HITS`` hits are kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as changed

from haidang.detect.correlation import Hit
from haidang.detect.correlation.engine import needed_fields
from haidang.detect.correlation.windows import moments, walk
from haidang.findings.words import rule_title
from haidang.scanning._evidence import EvidenceMaker
from haidang.scanning._ruleset import Ruleset
from haidang.sigma.loaded import LoadedRules, RuleGroup
from haidang.workshop.lacking import lacking
from haidang.workshop.sighting import OriginSources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from haidang.detect.correlation.windows import Judged, Walk, WalkedGroup
    from haidang.sigma.ir import CorrelationRule, EventRule, LogSource, LogsourceMap, RuleInfo
    from haidang.sigma.written import Written, WrittenRule
    from haidang.workshop.messages import Message
    from haidang.workshop.reading import ReadEvent

__all__ = ["Correlated", "GroupSaid", "HitSaid", "LeftOut", "RuleSaid", "explain_correlation"]

_MOST_HITS = 200_000


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


@dataclass(slots=True)
class _Seen:
    events: int = 0
    looked: Counter[LogSource] = field(default_factory=Counter)
    hits: list[Hit] = field(default_factory=list)
    cut: bool = False


def explain_correlation(
    one: WrittenRule,
    rule: CorrelationRule,
    written: Written,
    events: Iterable[ReadEvent],
    maps: Sequence[LogsourceMap],
    *,
    lang: str = "en",
) -> Correlated:
    """Return the explanation of one correlation on all events of logs.

    Args:
        one: The correlation as written.
        rule: The correlation as it is matched.
        written: What it was read with, which holds the rules that it refers to.
        events: The events, in any order.
        maps: The logsource maps.
        lang: The language of the titles in what is missing.

    Raises:
        InputError: The events cannot be read.
        RuleError: The correlation cannot be supported.
    """
    joined = written.joined
    compiled = {one.info.key: one for one in joined.rules} if joined is not None else {}
    known = {one.info.key: one for one in joined.correlations} if joined is not None else {}
    chain = _chain(rule, known)
    base = [
        compiled[key] for key in dict.fromkeys(key for one in chain for key in one.rules) if key in compiled
    ]
    paths: dict[str, None] = {}
    seen = _hits(events, base, chain, maps, paths)
    by_rule: dict[str, list[Hit]] = {}
    for hit in seen.hits:
        by_rule.setdefault(hit.rule, []).append(hit)
    walks: dict[str, Walk] = {}

    def feeding(outer: CorrelationRule) -> dict[str, list[Hit]]:
        found = {}
        for key in dict.fromkeys(outer.rules):
            if key in known:
                found[key] = list(moments(known[key], walked(known[key]), outer))
            else:
                found[key] = by_rule.get(key, [])
        return found

    def walked(of: CorrelationRule) -> Walk:
        if of.info.key not in walks:
            walks[of.info.key] = walk(of, [hit for hits in feeding(of).values() for hit in hits])
        return walks[of.info.key]

    infos = {part.info.key: part.info for part in base} | {part.info.key: part.info for part in chain}
    teller = _Teller(rule, infos, walked(rule), lang)
    rules = tuple(
        RuleSaid(
            infos[key],
            seen.looked[compiled[key].logsource] if key in compiled else len(walks[key].groups),
            tuple(map(teller.hit, sorted(hits, key=_order))),
        )
        for key, hits in feeding(rule).items()
    )
    return Correlated(
        one, rule, tuple(paths), seen.events, rules, teller.left_out(), teller.groups(), seen.cut
    )


def _chain(rule: CorrelationRule, known: Mapping[str, CorrelationRule]) -> list[CorrelationRule]:
    """Return a correlation and those that it refers to, however far."""
    found: dict[str, CorrelationRule] = {}
    pending = [rule]
    while pending:
        one = pending.pop()
        if one.info.key not in found:
            found[one.info.key] = one
            pending += [known[key] for key in one.rules if key in known]
    return list(found.values())


def _hits(
    events: Iterable[ReadEvent],
    base: Sequence[EventRule],
    chain: Sequence[CorrelationRule],
    maps: Sequence[LogsourceMap],
    paths: dict[str, None],
) -> _Seen:
    """Return the hits of the base rules, and how many events of their log sources there are."""
    ruleset = _ruleset(base, chain, maps)
    maker = EvidenceMaker(ruleset)
    needed = needed_fields(chain)
    sources: dict[str, OriginSources] = {}
    logsources = {rule.logsource for rule in base}
    seen = _Seen()
    for one in events:
        paths.setdefault(one.path)
        seen.events += 1
        if one.origin not in sources:
            sources[one.origin] = OriginSources(one.origin, dict.fromkeys(logsources, (one.origin,)), maps)
        seen.looked.update(sources[one.origin].reached(one.event))
        for evidence in maker.of_event(dict(one.event), one.origin):
            key = ruleset.infos[evidence.rule].key
            if len(seen.hits) >= _MOST_HITS:
                seen.cut = True
                return seen
            if key in needed:
                place = (one.path, one.record)
                seen.hits.append(Hit(key, evidence.time, seen.events, evidence.values or {}, place))
    return seen


def _ruleset(
    base: Sequence[EventRule], chain: Sequence[CorrelationRule], maps: Sequence[LogsourceMap]
) -> Ruleset:
    """Return a ruleset of one correlation, all of it reported."""
    rules = [replace(rule, info=changed(rule.info, generate=True)) for rule in base]
    correlations = tuple(replace(rule, info=changed(rule.info, generate=True)) for rule in chain)
    members: dict[LogSource, list[EventRule]] = {}
    for rule in rules:
        members.setdefault(rule.logsource, []).append(rule)
    groups = {
        logsource: RuleGroup(logsource, tuple(rule.info for rule in found), rules=found)
        for logsource, found in members.items()
    }
    infos = tuple(info for group in groups.values() for info in group.infos)
    loaded = LoadedRules((*infos, *(rule.info for rule in correlations)), groups, correlations, ())
    return Ruleset(loaded, maps)


class _Teller:
    """Says what one walk found."""

    def __init__(self, rule: CorrelationRule, infos: Mapping[str, RuleInfo], walked: Walk, lang: str) -> None:
        self._rule = rule
        self._infos = infos
        self._walked = walked
        self._titles = {key: rule_title(info, lang) for key, info in infos.items()}

    def hit(self, hit: Hit) -> HitSaid:
        path, record = hit.finding if isinstance(hit.finding, tuple) else ("", 0)
        measured = tuple(hit.values.get(self._field(name, hit)) for name in self._rule.value_fields)
        return HitSaid(self._infos[hit.rule], hit.time, path, record, measured)

    def _field(self, name: str, hit: Hit) -> str:
        return self._rule.aliases.get(name, {}).get(hit.rule, name)

    def left_out(self) -> tuple[LeftOut, ...]:
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


def _order(hit: Hit) -> tuple[int, int]:
    return hit.time or 0, hit.position
