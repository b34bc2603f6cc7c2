"""Why a correlation fires on the events of logs, or does not: the hits of its rules, walked as a scan would.

Hits are those of a scan: the matcher's, with the values and times that a scan would hand on. At most
``_MOST_HITS`` of them are kept. What is then said is in :mod:`haidang.workshop.correlated`.

Events are untrusted; whoever shows an explanation neutralises it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from haidang.detect.correlation import Hit
from haidang.detect.correlation.engine import needed_fields
from haidang.detect.correlation.windows import moments, walk
from haidang.scanning._evidence import EvidenceMaker
from haidang.scanning._ruleset import Ruleset
from haidang.sigma.loaded import LoadedRules, RuleGroup
from haidang.workshop.correlated import Correlated, RuleSaid, Teller
from haidang.workshop.sighting import OriginSources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from haidang.detect.correlation.windows import Walk
    from haidang.sigma.ir import CorrelationRule, EventRule, LogSource, LogsourceMap
    from haidang.sigma.written import Written, WrittenRule
    from haidang.workshop.reading import ReadEvent

__all__ = ["explain_correlation"]

_MOST_HITS = 200_000


@dataclass(slots=True)
class _Seen:
    paths: dict[str, None] = field(default_factory=dict)
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
    seen = _hits(events, base, chain, maps)
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
    teller = Teller(rule, infos, walked(rule), lang)
    rules = tuple(
        RuleSaid(
            infos[key],
            seen.looked[compiled[key].logsource] if key in compiled else len(walks[key].groups),
            tuple(map(teller.hit, sorted(hits, key=_order))),
        )
        for key, hits in feeding(rule).items()
    )
    return Correlated(
        one, rule, tuple(seen.paths), seen.events, rules, teller.left_out(), teller.groups(), seen.cut
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
) -> _Seen:
    """Return the hits of the base rules, and how many events of their log sources there are."""
    ruleset = _ruleset(base, chain, maps)
    maker = EvidenceMaker(ruleset)
    needed = needed_fields(chain)
    sources: dict[str, OriginSources] = {}
    logsources = list(dict.fromkeys(rule.logsource for rule in base))
    seen = _Seen()
    for one in events:
        seen.paths.setdefault(one.path)
        seen.events += 1
        if one.origin not in sources:
            sources[one.origin] = OriginSources(one.origin, logsources, maps)
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


def _order(hit: Hit) -> tuple[int, int]:
    return hit.time or 0, hit.position
