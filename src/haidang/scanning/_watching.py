"""Indicators as rules of a ruleset: their infos, their conditions, and what evidence says of them.

- The indicators of one class (source, kind, level, TLP, tags) are one rule; its id is a hash of these, so
  that it is the same on every run. The indicator itself is in the evidence.
- A pattern is a rule of its own; one over several events becomes rules that report nothing by themselves and
  a correlation over them.
- An indicator that does not hold at the time of the event makes no evidence. An event without a time is
  taken as of now.
"""

from __future__ import annotations

import time as clock
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

from haidang.detect.indicators import Watch
from haidang.i18n import LANGUAGES, N_, translator
from haidang.intel.index import holds_between
from haidang.intel.model import level_of
from haidang.intel.observed import load_fields
from haidang.intel.patterns import PatternError, compile_pattern
from haidang.sigma.ir import CorrelationRule, EventRule, LogSource, RuleInfo, RuleWords

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.intel.index import IndicatorClass, Row
    from haidang.intel.model import Indicator
    from haidang.intel.store import Intel
    from haidang.limits import Limits
    from haidang.sigma.ir import Condition, Test
    from haidang.sigma.loaded import LoadedRules

__all__ = ["Watched", "watched"]

_NAMESPACE = UUID("3f6b1c52-5f0e-5d0c-9a8e-0d9b4a6a7f11")
_SECOND = 1_000_000_000
_SAID = {
    "ip": "address",
    "network": "network",
    "domain": "domain name",
    "url": "URL",
    "hash": "file hash",
    "email": "mail address",
    "pattern": "pattern",
}
_TITLES = {
    "ip": N_("Known address of an attack ({source})"),
    "network": N_("Known network of an attack ({source})"),
    "domain": N_("Known domain name of an attack ({source})"),
    "url": N_("Known URL of an attack ({source})"),
    "hash": N_("Known file hash of an attack ({source})"),
    "email": N_("Known mail address of an attack ({source})"),
}
_DESCRIPTION = N_("A value of the event is an indicator of the source {source!r}.")
_ADVICE = N_(
    "Ask the source how sure it is and what the indicator belongs to; then see what else this host did then."
)
_STALE_DAYS = 30


class _Pattern(NamedTuple):
    rule: EventRule
    id: str
    """The id of its indicator."""
    valid_from: int | None
    valid_until: int | None


class Watched:
    """The indicators of a run, beside the rules that were loaded."""

    def __init__(self, intel: Intel, loaded: LoadedRules, limits: Limits, now: int | None = None) -> None:
        """Give indicators their places after the rules."""
        self._index = intel.index
        self._intel = intel
        self._limits = limits
        self._now = int(clock.time()) if now is None else now
        self._first = len(loaded.infos)
        self._classes = [
            EventRule(_class_info(one), LogSource(), ("false",), ()) for one in intel.index.classes
        ]
        self._patterns: list[_Pattern] = []
        self._correlations: list[CorrelationRule] = []
        self._keys: set[str] = set()
        self._unusable = 0
        for source, indicator in intel.patterns:
            self._add_pattern(source, indicator)
        infos = [
            *(rule.info for rule in self._classes),
            *(pattern.rule.info for pattern in self._patterns),
            *(correlation.info for correlation in self._correlations),
        ]
        self.loaded = replace(
            loaded,
            infos=(*loaded.infos, *infos),
            correlations=(*loaded.correlations, *self._correlations),
            identity=loaded.identity,
        )
        """The rules with those of the indicators after them."""

    def _add_pattern(self, source: str, indicator: Indicator) -> None:
        try:
            compiled = compile_pattern(indicator.value, self._limits)
        except PatternError:
            # Whoever read it could use it: another version, or other limits.
            self._unusable += 1
            return
        for number, condition in enumerate(compiled.conditions):
            self._rule(_pattern_info(source, indicator, f"c{number}"), condition, indicator)
        for number, sequence in enumerate(compiled.sequences):
            keys = []
            for at, condition in enumerate(sequence.parts):
                info = _pattern_info(source, indicator, f"s{number}.{at}", generate=False)
                keys.append(self._rule(info, condition, indicator))
            info = _pattern_info(source, indicator, f"s{number}", correlation=True)
            if info.key in self._keys:
                continue
            self._keys.add(info.key)
            self._correlations.append(
                CorrelationRule(
                    info=info,
                    type=sequence.type,
                    rules=tuple(keys),
                    group_by=(),
                    aliases={},
                    timespan_ns=sequence.timespan_ns,
                    operators=(("gte", float(sequence.at_least)),) if sequence.at_least else (),
                    value_fields=(),
                    percentile=0.0,
                    expression=None,
                )
            )

    def _rule(self, info: RuleInfo, condition: Condition, indicator: Indicator) -> str:
        if info.key not in self._keys:
            self._keys.add(info.key)
            rule = EventRule(info, LogSource(), condition, tuple(dict.fromkeys(_facets(condition))))
            self._patterns.append(_Pattern(rule, indicator.id, indicator.valid_from, indicator.valid_until))
        return info.key

    def watch(self, active: frozenset[str]) -> Watch:
        """Return what the matcher needs; ``active`` are the keys of the rules that are wanted."""
        base = self._first + len(self._classes)
        patterns = [
            (base + at, pattern.rule.condition)
            for at, pattern in enumerate(self._patterns)
            if pattern.rule.info.key in active
        ]
        return Watch(self._index, load_fields(), self._limits, first=self._first, patterns=patterns)

    def rule(self, index: int) -> EventRule | None:
        """Return the rule of an index, None where it is none of these."""
        at = index - self._first
        if at < 0:
            return None
        if at < len(self._classes):
            return self._classes[at]
        at -= len(self._classes)
        return self._patterns[at].rule if at < len(self._patterns) else None

    def is_class(self, index: int) -> bool:
        """Return whether an index is of a class of indicators, not of a pattern."""
        return 0 <= index - self._first < len(self._classes)

    def holds_at(self, index: int, tests: Iterable[Test], time: int | None) -> tuple[Test, ...] | None:
        """Return those reasons that count for an event of a time (nanoseconds); None where none does."""
        seconds = self._now if time is None else time // _SECOND
        if self.is_class(index):
            held = tuple(test for test in tests if self._index.row(test.value).holds_at(seconds, self._now))
            return held or None
        pattern = self._patterns[index - self._first - len(self._classes)]
        held = tuple(tests)
        return held if holds_between(pattern.valid_from, pattern.valid_until, seconds, self._now) else None

    def id_of(self, index: int, test: Test) -> str:
        """Return the id that its source gave the indicator behind a rule's reason, "" where it has none."""
        if self.is_class(index):
            return self._index.row(test.value).id
        at = index - self._first - len(self._classes)
        return self._patterns[at].id if 0 <= at < len(self._patterns) else ""

    def in_words(self, test: Test) -> str:
        """Return what is known of the indicator that a value met."""
        row = self._index.row(test.value)
        return f"indicator {_SAID[row.kind]} '{row.value}'" + _known(row)

    def notices(self) -> list[str]:
        """Return sentences on what is looked for and what is not."""
        notices: list[str] = []
        count = len(self._index) + len(self._intel.patterns)
        sources = [source for source in self._intel.sources if source.kind != "warninglist"]
        notices.append(f"{count} indicators of {len(sources)} sources were looked for.")
        refused = sum(sum(source.counts.values()) for source in sources)
        if refused:
            notices.append(
                f"{refused} entries of these sources could not be used (haidang intel list tells why)."
            )
        if self._unusable:
            notices.append(f"{self._unusable} patterns cannot be used by this version: update their sources.")
        for name, held in sorted(self._intel.held_back.items()):
            notices.append(f"{held} indicators are on the warninglist {name!r} and were not looked for.")
        for source in sources:
            age = (self._now - source.updated) // 86_400
            if source.updated and age >= _STALE_DAYS:
                notices.append(f"The indicators of {source.name!r} are {age} days old.")
        return notices


def watched(intel: Intel, loaded: LoadedRules, limits: Limits, now: int | None = None) -> Watched:
    """Put the indicators beside the rules."""
    return Watched(intel, loaded, limits, now)


def _known(row: Row) -> str:
    parts = [row.name]
    if row.id:
        parts.append(row.id)
    if row.confidence >= 0:
        parts.append(f"confidence {row.confidence}")
    if row.of.tlp:
        parts.append(f"TLP:{row.of.tlp.upper()}")
    if row.valid_from is not None:
        parts.append(f"from {_day(row.valid_from)}")
    if row.valid_until is not None:
        parts.append(f"until {_day(row.valid_until)}")
    said = "; ".join(filter(None, parts))
    return f" ({said})" if said else ""


def _day(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return "?"


def _tags(tlp: str, tags: tuple[str, ...]) -> tuple[str, ...]:
    return (*tags, *([f"tlp.{tlp}"] if tlp else []))


def _class_info(one: IndicatorClass) -> RuleInfo:
    key = "\0".join(["indicator", one.source, one.kind, one.level, one.tlp, *one.tags])
    return _info(
        key,
        _TITLES[one.kind].format(source=one.source),
        one.level,
        _tags(one.tlp, one.tags),
        _DESCRIPTION.format(source=one.source),
        one.source,
        words=_words(_TITLES[one.kind], _DESCRIPTION, one.source),
    )


def _words(title: str, description: str, source: str) -> tuple[RuleWords, ...]:
    """Return what a rule says to people; "" leaves it to the rule's own words."""
    found = []
    for lang in LANGUAGES:
        said = translator(lang)
        found.append(
            RuleWords(
                lang,
                said(title).format(source=source),
                said(description).format(source=source),
                said(_ADVICE),
            )
        )
    return tuple(found)


def _pattern_info(
    source: str, indicator: Indicator, part: str, *, generate: bool = True, correlation: bool = False
) -> RuleInfo:
    key = f"pattern\0{source}\0{indicator.id}\0{indicator.value}\0{part}"
    name = indicator.name or "STIX pattern"
    return _info(
        key,
        f"{name} ({source})",
        level_of(indicator.confidence),
        _tags(indicator.tlp, indicator.tags),
        indicator.value,
        source,
        generate=generate,
        correlation=correlation,
        words=_words("", "", source),
    )


def _info(
    key: str,
    title: str,
    level: str,
    tags: tuple[str, ...],
    description: str,
    author: str,
    **more: Any,
) -> RuleInfo:
    ident = str(uuid5(_NAMESPACE, key))
    return RuleInfo(
        key=f"intel:{ident}",
        id=ident,
        name="",
        title=title,
        level=level,
        status="stable",
        tags=tags,
        description=description,
        author=author,
        references=(),
        falsepositives=(),
        path=f"intel:{author}",
        line=0,
        date="",
        modified="",
        **more,
    )


def _facets(condition: Condition) -> Iterator[str]:
    if condition[0] == "is":
        yield condition[1][0]
    elif condition[0] in {"and", "or", "not"}:
        for part in condition[1:]:
            yield from _facets(part)
