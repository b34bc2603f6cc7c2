"""A ruleset: loaded rules, what of them is wanted, and the matcher over them.

``load_rules`` is the public way in; ``Ruleset.match`` matches one event that the caller has at hand.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from haidang.detect.matcher import Matcher
from haidang.detect.routes import Group, Kept
from haidang.detect.tables import KeywordSets
from haidang.errors import ConfigurationError
from haidang.limits import DEFAULT_LIMITS, Limits
from haidang.sigma.ir import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from haidang.errors import RuleError
    from haidang.findings.model import Finding
    from haidang.intel.store import Intel
    from haidang.scanning._prepared import Prepared
    from haidang.scanning._watching import Watched
    from haidang.sigma.ir import CorrelationRule, EventRule, LogSource, LogsourceMap, RuleInfo
    from haidang.sigma.loading import LoadedRules, RuleGroup

__all__ = ["INTEL", "Ruleset", "Selection", "load_rules"]


INTEL = "intel:"
"""How the keys of the rules begin that indicators are."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rules are reported; the default is all."""

    min_level: str | None = None
    """Lowest level."""
    statuses: tuple[str, ...] = ()
    """Accepted statuses; empty for any."""
    tags: tuple[str, ...] = ()
    """Accepted tags, one of which a rule must have; empty for any."""
    include: tuple[str, ...] = ()
    """Ids or titles, or patterns of them with ``*``; empty for any."""
    exclude: tuple[str, ...] = ()
    """The same, of rules that are left out."""

    def wants(self, info: RuleInfo) -> bool:
        """Return whether findings of a rule are reported."""
        if self.min_level is not None and LEVELS.index(info.level) < LEVELS.index(self.min_level):
            return False
        if self.statuses and info.status not in self.statuses:
            return False
        tags = [tag.lower() for tag in info.tags]
        if self.tags and not any(fnmatchcase(tag, wanted.lower()) for tag in tags for wanted in self.tags):
            return False
        if self.include and not _named(info, self.include):
            return False
        return not _named(info, self.exclude)


def _named(info: RuleInfo, patterns: Iterable[str]) -> bool:
    titles = [words.title for words in info.words]
    names = [name.lower() for name in (info.id, info.name, info.title, *titles) if name]
    wanted = [pattern.lower() for pattern in patterns]
    # A title may hold brackets, which a pattern reads as a choice of letters: written out, it counts as is.
    return any(name == one or fnmatchcase(name, one) for name in names for one in wanted)


class Ruleset:
    """Rules ready to be matched; made by :func:`load_rules`.

    Iterating gives the rules' :class:`~haidang.sigma.ir.RuleInfo`.
    """

    def __init__(
        self,
        loaded: LoadedRules,
        maps: Sequence[LogsourceMap],
        *,
        selection: Selection | None = None,
        kept: Mapping[LogSource, Prepared] | None = None,
        intel: Intel | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Keep the rules that ``selection`` wants and those that wanted correlations refer to.

        ``intel`` are the indicators that are looked for besides, rules like any other to the selection.
        """
        self.watched = _watched(intel, loaded, limits)
        if self.watched is not None:
            loaded = self.watched.loaded
        self._loaded = loaded
        self.maps = tuple(maps)
        """The logsource maps, the built-in ones first."""
        self._kept = kept or {}
        self.limits = limits
        wanted = selection or Selection()
        self.infos: tuple[RuleInfo, ...] = loaded.infos
        self.reported = frozenset(info.key for info in self.infos if info.generate and wanted.wants(info))
        """Keys of the rules whose findings are reported."""
        self.correlations: tuple[CorrelationRule, ...] = self._needed_correlations()
        self.correlated = frozenset(key for rule in self.correlations for key in rule.rules)
        """Keys of the rules that correlations feed on."""
        self._index = {info.key: at for at, info in enumerate(self.infos)}

    def _needed_correlations(self) -> tuple[CorrelationRule, ...]:
        """Return the reported correlations and, down the chain, those that they refer to."""
        by_key = {rule.info.key: rule for rule in self._loaded.correlations}
        needed: dict[str, CorrelationRule] = {}
        pending = [key for key in by_key if key in self.reported]
        while pending:
            key = pending.pop()
            if key in by_key and key not in needed:
                needed[key] = by_key[key]
                pending.extend(by_key[key].rules)
        return tuple(rule for rule in self._loaded.correlations if rule.info.key in needed)

    def __len__(self) -> int:
        """Return how many rules are reported."""
        return len(self.reported)

    def __iter__(self) -> Any:
        """Yield what is known of each reported rule."""
        return (info for info in self.infos if info.key in self.reported)

    @property
    def refused(self) -> tuple[RuleError, ...]:
        """The rules that cannot be supported, each with file, line and reason."""
        return self._loaded.refused

    @property
    def all_correlations(self) -> tuple[CorrelationRule, ...]:
        """Every correlation that was loaded, whatever is reported."""
        return tuple(self._loaded.correlations)

    def event_rules(self) -> Iterator[EventRule]:
        """Yield every rule on single events that was loaded, whatever is reported."""
        for group in self._loaded.groups.values():
            yield from group

    @cached_property
    def matcher(self) -> Matcher:
        """The matcher over the rules that are reported or feed a correlation."""
        active = self.reported | self.correlated
        keyword_sets = KeywordSets()
        groups = {
            logsource: self._group(group, active, keyword_sets)
            for logsource, group in self._loaded.groups.items()
            if any(info.key in active for info in group.infos)
        }
        wanted = any(key.startswith(INTEL) for key in active)
        watch = self.watched.watch(active) if self.watched is not None and wanted else None
        return Matcher(groups, self.maps, watch)

    def _group(self, group: RuleGroup, active: frozenset[str], keyword_sets: KeywordSets) -> Group:
        """Return the active rules of a logsource, decoded when events of that kind come."""

        def rules() -> list[tuple[int, EventRule]]:
            return [(self._index[rule.info.key], rule) for rule in group if rule.info.key in active]

        kept = self._kept.get(group.logsource)
        if kept is None or not all(info.key in active for info in group.infos):
            return Group(functools.cache(rules), None, self.limits, keyword_sets)
        indices = [self._index[info.key] for info in group.infos]
        return Group(functools.cache(rules), Kept(indices, *kept), self.limits, keyword_sets)

    def keep(self) -> None:
        """Keep for the next run what this one made of the rules, where anything is kept."""
        folds = {id(kept.folds.kept): kept.folds.kept for kept in self._kept.values()}
        for one in folds.values():
            one.write()

    @cached_property
    def _places(self) -> dict[int, tuple[RuleGroup, int]]:
        return {
            self._index[info.key]: (group, at)
            for group in self._loaded.groups.values()
            for at, info in enumerate(group.infos)
        }

    def rule(self, index: int) -> EventRule:
        """Return an event rule by the index that the matcher gives."""
        if self.watched is not None and (rule := self.watched.rule(index)) is not None:
            return rule
        group, at = self._places[index]
        return group[at]

    def outspoken(self) -> Ruleset:
        """Return the same rules, all of them reported, those too that otherwise only feed correlations."""
        loaded = self._loaded
        correlations = tuple(
            dataclasses.replace(rule, info=replace(rule.info, generate=True)) for rule in loaded.correlations
        )
        infos = tuple(replace(info, generate=True) for info in loaded.infos)
        told = dataclasses.replace(loaded, infos=infos, correlations=correlations)
        return Ruleset(told, self.maps, kept=self._kept, limits=self.limits)

    def match(self, event: Mapping[str, Any], origin: str = "") -> list[Finding]:
        """Return the findings for one decoded event, correlations left out.

        ``event`` is an object as shippers write it (any of the JSON shapes of a scan) or flat fields;
        ``origin`` says whose field names it has ("windows", "auditd", "zeek" …), "" to recognise it.
        """
        from haidang.scanning._evidence import EvidenceMaker, to_finding

        maker = EvidenceMaker(self)
        found = maker.of_event(dict(event), origin)
        return [to_finding(self, evidence, "") for evidence in found if not self._is_part(evidence.rule)]

    def _is_part(self, index: int) -> bool:
        """Return whether a rule is one observation of an indicator's pattern, which is nothing by itself."""
        info = self.infos[index]
        return info.key.startswith(INTEL) and not info.generate


def _watched(intel: Intel | None, loaded: LoadedRules, limits: Limits) -> Watched | None:
    if intel is None:
        return None
    from haidang.scanning._watching import watched

    return watched(intel, loaded, limits)


def load_rules(
    *paths: str | Path,
    builtin: bool | None = None,
    pipelines: Sequence[str | Path] = (),
    placeholders: Sequence[str | Path] = (),
    logsource_maps: Sequence[str | Path] = (),
    selection: Selection | None = None,
    cache: bool = True,
    intel: Intel | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Ruleset:
    """Load Sigma rules from files, folders or zips; without any path, the built-in pack.

    Args:
        paths: What to load.
        builtin: Whether the built-in pack is loaded too; by default only when no path is given.
        pipelines: pySigma processing pipelines to apply, in order.
        placeholders: YAML files that give the values of ``expand`` placeholders.
        logsource_maps: Further logsource maps, files or folders.
        selection: Which rules findings are reported of; by default all.
        cache: Whether the compiled rules are kept for the next run.
        intel: Indicators that events are looked at for besides; see ``haidang.intel``.
        limits: Bounds for hostile input.

    Returns:
        The ruleset; ``refused`` names what could not be supported.

    Raises:
        ConfigurationError: A path, pipeline, placeholder file or logsource map is wrong.
    """
    from haidang.scanning._prepared import kept_maps, prepared
    from haidang.sigma.loading import load
    from haidang.sigma.private_files import default_folder

    if selection is not None and selection.min_level is not None and selection.min_level not in LEVELS:
        message = f"{selection.min_level!r} is not a level"
        raise ConfigurationError(message, hint=f"Use one of {', '.join(LEVELS)}.")
    loaded = load(
        paths,
        pipelines=pipelines,
        placeholders=placeholders,
        builtin=not paths if builtin is None else builtin,
        cache=cache,
        limits=limits,
    )
    folder = default_folder() if cache else None
    kept = prepared(loaded, folder)
    maps = kept_maps(logsource_maps, folder)
    return Ruleset(loaded, maps, selection=selection, kept=kept, intel=intel, limits=limits)
