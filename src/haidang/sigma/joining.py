"""What single files hold, joined: duplicates refused, filters applied, correlations tied to their rules.

Nothing here reads files or YAML. ``join`` takes the files in their order and gives the same result for
the same files, whichever of them came from the cache.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from haidang.errors import RuleError
from haidang.sigma.correlations import read_section
from haidang.sigma.filters import Filters
from haidang.sigma.ir import CorrelationRule, LogSource, RuleInfo
from haidang.sigma.translate import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.sigma.content import FileContent, Pending
    from haidang.sigma.correlations import Section
    from haidang.sigma.documents import Compiler
    from haidang.sigma.ir import Condition, EventRule

__all__ = ["NOT_LOADED", "Joined", "join"]

NOT_LOADED = "is not loaded"
"""So ends what is said of a correlation of which a rule is missing."""

_MOST_CHAINED = 50


@dataclass(slots=True)
class Joined:
    """The rules of a load as they will be matched."""

    rules: list[EventRule] = field(default_factory=list)
    """In the order of the files; ``info.generate`` is settled in ``silent``, not here."""
    correlations: list[CorrelationRule] = field(default_factory=list)
    refused: list[RuleError] = field(default_factory=list)
    notes: list[RuleError] = field(default_factory=list)
    silent: frozenset[str] = frozenset()
    """Keys of the rules that only feed correlations."""
    filtered: dict[str, EventRule] = field(default_factory=dict)
    """Key to the rule as it was before filters, for those that a filter changed."""
    dropped: set[str] = field(default_factory=set)
    """Paths of files of which a rule was refused as a duplicate."""

    def settled(self, info: RuleInfo) -> RuleInfo:
        """Return ``info`` with ``generate`` as the correlations leave it."""
        return replace(info, generate=False) if info.key in self.silent else info


def join(contents: Sequence[FileContent], compiler: Callable[[], Compiler]) -> Joined:
    """Return the rules of ``contents`` joined; ``compiler`` is asked for only where filters need it."""
    joined = Joined()
    owners: dict[str, RuleInfo] = {}
    pending: list[Pending] = []
    filters: list[Pending] = []
    moved: dict[str, LogSource] = {}
    for content in contents:
        joined.refused += content.refused
        joined.notes += content.notes
        joined.rules += [rule for rule in content.rules if _first(rule.info, owners, joined)]
        pending += [one for one in content.correlations if _first(one.info, owners, joined)]
        filters += content.filters
        moved |= content.moved
    if filters:
        _filter(joined, Filters(filters, compiler, moved))
    if pending:
        _Correlations(joined, pending, compiler).join()
    joined.refused.sort(key=lambda error: (error.path, error.line))
    return joined


def _first(info: RuleInfo, owners: dict[str, RuleInfo], joined: Joined) -> bool:
    owner = owners.setdefault(info.key.lower(), info)
    if owner is info:
        return True
    reason = f"the id {info.id} already belongs to {owner.title!r} in {owner.path}"
    joined.refused.append(RuleError(reason, path=info.path, line=info.line, rule=info.title))
    joined.dropped.add(info.path)
    return False


def _filter(joined: Joined, filters: Filters) -> None:
    for index, rule in enumerate(joined.rules):
        changed = filters.applied(rule)
        if changed is not rule:
            joined.filtered[rule.info.key] = rule
            joined.rules[index] = changed
    filters.finish()
    joined.refused += filters.refused
    joined.notes += filters.notes


class _Correlations:
    """Ties correlations to their rules: names to keys, circles and gaps refused."""

    def __init__(self, joined: Joined, pending: list[Pending], compiler: Callable[[], Compiler]) -> None:
        self.joined = joined
        self.pipeline = compiler().pipeline
        self.keys: dict[str, str] = {}
        self.ambiguous: set[str] = set()
        self.logsources = {rule.info.key: rule.logsource for rule in joined.rules}
        self.sections: dict[str, tuple[Pending, Section]] = {}
        for info in [rule.info for rule in joined.rules] + [one.info for one in pending]:
            for name in (info.id.lower(), info.name):
                if name and self.keys.setdefault(name, info.key) != info.key:
                    self.ambiguous.add(name)
        for one in pending:
            self.sections[one.info.key] = (one, read_section(one.document["correlation"]))
        self.found: dict[str, CorrelationRule | None] = {}

    def join(self) -> None:
        for key in self.sections:
            self.correlation(key, ())
        correlations = [rule for rule in self.found.values() if rule is not None]
        named: dict[str, bool] = {}
        for rule in correlations:
            generate = self.sections[rule.info.key][1].generate
            for key in rule.rules:
                named[key] = named.get(key, False) or generate
        self.joined.silent = frozenset(key for key, generate in named.items() if not generate)
        self.joined.correlations = [
            _muted(rule) if rule.info.key in self.joined.silent else rule for rule in correlations
        ]

    def correlation(self, key: str, above: tuple[str, ...]) -> CorrelationRule | None:
        """Return a correlation with everything it names in place, or None where it is refused."""
        if key not in self.found:
            pending, section = self.sections[key]
            try:
                self.found[key] = self.tied(pending, section, (*above, key))
            except Refusal as refusal:
                self.found[key] = None
                self.refuse(pending, refusal)
        return self.found[key]

    def refuse(self, pending: Pending, refusal: Refusal) -> None:
        place = str(refusal.place[0]) if refusal.place else ""
        line = pending.lines.get(place) or pending.lines.get("", 0)
        info = pending.info
        self.joined.refused.append(RuleError(refusal.reason, path=info.path, line=line, rule=info.title))

    def tied(self, pending: Pending, section: Section, above: tuple[str, ...]) -> CorrelationRule:
        if len(above) > _MOST_CHAINED:
            raise Refusal(f"more than {_MOST_CHAINED} correlations are chained", "rules")
        keys: dict[str, str] = {}
        for name in section.rules:
            if name in self.ambiguous:
                raise Refusal(f"{name!r} is the name of several rules; use their ids", "rules")
            key = self.keys.get(name) or self.keys.get(name.lower())
            if key is None:
                raise Refusal(f"the rule {name!r} is not loaded", "rules")
            if key in above:
                raise Refusal(f"the correlation names itself, by way of {name!r}", "rules")
            if key in self.sections and self.correlation(key, above) is None:
                raise Refusal(f"the correlation {name!r} that it names was refused", "rules")
            keys[name] = key
        if self.pipeline is not None:
            logsources = {name: self.logsources.get(key, LogSource()) for name, key in keys.items()}
            section = self.pipeline.apply_correlation(pending.document, section, logsources)
        return _rule(pending.info, section, keys)


def _rule(info: RuleInfo, section: Section, keys: dict[str, str]) -> CorrelationRule:
    return CorrelationRule(
        info=info,
        type=section.type,
        rules=tuple(keys[name] for name in section.rules),
        group_by=section.group_by,
        aliases={
            alias: {keys[name]: target for name, target in mapping.items()}
            for alias, mapping in section.aliases.items()
        },
        timespan_ns=section.timespan_ns,
        operators=section.operators,
        value_fields=section.value_fields,
        percentile=section.percentile,
        expression=None if section.expression is None else _keyed(section.expression, keys),
    )


def _keyed(expression: Condition, keys: dict[str, str]) -> Condition:
    if expression[0] == "name":
        return ("rule", keys[expression[1]])
    return (expression[0], *(_keyed(part, keys) for part in expression[1:]))


def _muted(rule: CorrelationRule) -> CorrelationRule:
    return dataclasses.replace(rule, info=replace(rule.info, generate=False))
