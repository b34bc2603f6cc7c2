"""From hits to findings: what the rule looked at, what satisfied it, when, where, and the stable id.

Workers make ``Evidence``, which is small and travels between processes; the process that owns the outputs
makes the finding of it once it knows the record's place in the whole file.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from haidang.detect.semantics import lookup, text
from haidang.detect.tables import INDICATOR
from haidang.events import shapes
from haidang.events.model import Origin
from haidang.events.times import format_time, parse_time
from haidang.findings.entities import THING_FIELDS
from haidang.findings.model import Finding, FindingRule, Match, Source
from haidang.scanning._matched import match
from haidang.scanning._told import Told
from haidang.sigma.logsource import map_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.detect.batches import Hit
    from haidang.detect.binding import Binding
    from haidang.detect.routes import Route
    from haidang.detect.tables import Held
    from haidang.events.model import Fields
    from haidang.findings.trails import About
    from haidang.scanning._ruleset import Ruleset
    from haidang.scanning._trails import TrailReader
    from haidang.sigma.ir import Condition, EventRule, LogsourceMap, RuleInfo, Test

__all__ = [
    "UNKNOWN",
    "Evidence",
    "EvidenceMaker",
    "finding_rule",
    "first_host",
    "first_time",
    "known_origins",
    "needed_by_rule",
    "stable_id",
    "to_finding",
]

_MOST_TOLD = 5000
"""Signatures of which what is the same in their evidence is remembered."""

UNKNOWN = Origin(
    "",
    time_fields=("@timestamp", "timestamp", "time", "eventTime", "ts", "_time", "date"),
    host_fields=("host", "hostname", "computer", "Computer", "Hostname", "host.name"),
)


class Evidence(NamedTuple):
    """One rule on one event, in plain values."""

    rule: int
    record: int
    origin: str
    time: int | None
    host: str
    event: dict[str, Any]
    matched: tuple[tuple[str, Any, str, str], ...]
    digest: bytes
    values: dict[str, Any] | None
    """Values that correlations need, None for a rule that feeds none."""
    about: About | None = None
    """What the event tells beside the rule, where the run was asked for it."""


class EvidenceMaker:
    """Makes evidence of hits for one ruleset."""

    def __init__(
        self,
        ruleset: Ruleset,
        *,
        full_event: bool = False,
        things: bool = False,
        since: int | None = None,
        until: int | None = None,
        trails: TrailReader | None = None,
    ) -> None:
        """Keep what of the event is wanted and the times (nanoseconds) outside which hits do not count."""
        self._ruleset = ruleset
        self._full = full_event
        self._things = things
        self._since = since
        self._until = until
        self._trails = trails
        self._origins = known_origins(ruleset.maps)
        self._needed = needed_by_rule(ruleset)
        self._wanted = ruleset.reported | ruleset.correlated
        self._told: dict[tuple[Route, Any], list[Told]] = {}

    def of_event(self, event: Fields, origin: str) -> Iterator[Evidence]:
        """Yield the evidence of one decoded event."""
        from haidang.detect.batches import Hit

        matcher = self._ruleset.matcher
        if not origin:
            _, inner = shapes.unwrap(event)
            shape = shapes.recognise(inner)
            origin, event = (
                ("windows", shapes.flatten(shape, inner)) if shape else (matcher.recognise(inner), inner)
            )
        yield from self.of_hit(Hit(0, origin, event, matcher.match(origin, event)))

    def of_hit(self, hit: Hit) -> Iterator[Evidence]:
        """Yield the evidence of each rule of a hit, unless its time is not wanted."""
        origin = self._origins.get(hit.origin, UNKNOWN)
        time = first_time(hit.event, origin)
        if time is not None and (
            (self._since is not None and time < self._since)
            or (self._until is not None and time > self._until)
        ):
            return
        host = first_host(hit.event, origin)
        told = self._trails.of_hit(hit.origin, hit.event, host, time) if self._trails and hit.rules else None
        digest = blake2b(hit.raw, digest_size=8).digest() if hit.raw else _digest(hit.event)
        route = self._ruleset.matcher.route(hit.origin, hit.event)
        known = self._told.get((route, hit.rules.why))
        if known is not None:
            for one in known:
                yield Evidence(
                    one.index,
                    hit.record,
                    hit.origin,
                    time,
                    host,
                    hit.event if self._full else self._with_things(one.looked_at(hit.event), hit.event),
                    one.matched(hit.event),
                    digest,
                    one.values(hit.event),
                    told,
                )
            return
        reasons = route.reasons(hit.rules, hit.event, self._condition)
        watched = self._ruleset.watched
        if watched is None and hit.rules.settled:
            self._remember(route, hit.rules, reasons)
        for index in hit.rules:
            rule = self._ruleset.rule(index)
            binding, tests = reasons[index]
            get = partial(binding.get, hit.event)
            if watched is not None and watched.rule(index) is not None:
                held = watched.holds_at(index, tests, time)
                if held is None or rule.info.key not in self._wanted:
                    continue
                tests = held
                if watched.is_class(index):
                    rule = replace(rule, fields=tuple(dict.fromkeys(str(test.field) for test in tests)))
            needed = self._needed.get(rule.info.key)
            yield Evidence(
                index,
                hit.record,
                hit.origin,
                time,
                host,
                hit.event if self._full else self._looked_at(rule, get, hit.event),
                tuple(self._match(index, test, get, hit.event) for test in tests),
                digest,
                None if needed is None else {name: get(name) for name in needed},
                told,
            )

    def _looked_at(self, rule: EventRule, get: Callable[[str], Any], event: Fields) -> dict[str, Any]:
        # An event's own name (see Binding) is shown as it is.
        looked = {name.removeprefix("="): value for name in rule.fields if (value := get(name)) is not None}
        return self._with_things(looked, event)

    def _with_things(self, looked: dict[str, Any], event: Fields) -> dict[str, Any]:
        """Add the fields that tell who did what where, if they are wanted."""
        if self._things:
            for name in THING_FIELDS:
                value = None if name in looked else lookup(event, name)
                # An object of that name (host, user) holds the things, and is none.
                if value is not None and not isinstance(value, dict):
                    looked[name] = value
        return looked

    def _remember(
        self, route: Route, held: Held, reasons: dict[int, tuple[Binding, tuple[Test, ...]]]
    ) -> None:
        """Work out once what is the same for all events of which this holds."""
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()
        told: list[Told] = []
        for index in held:
            rule = self._ruleset.rule(index)
            told.append(Told.of(index, rule, *reasons[index], self._needed.get(rule.info.key)))
        self._told[route, held.why] = told

    def _condition(self, index: int) -> Condition:
        return self._ruleset.rule(index).condition

    def _match(
        self, index: int, test: Test, get: Callable[[str], Any], event: Fields
    ) -> tuple[str, Any, str, str]:
        watched = self._ruleset.watched
        if watched is None:
            return *match(test, get, event), ""
        known = watched.id_of(index, test)
        if test.kind == INDICATOR:
            name = str(test.field)
            return name.removeprefix("="), get(name), watched.in_words(test), known
        return *match(test, get, event), known


def needed_by_rule(ruleset: Ruleset) -> dict[str, frozenset[str]]:
    """Return for each rule that correlations feed on the fields that they need of its events."""
    if not ruleset.correlations:
        return {}
    from haidang.detect.correlation.engine import needed_fields

    needed = needed_fields(ruleset.correlations)
    return {key: needed.get(key, frozenset()) for key in ruleset.correlated}


def known_origins(maps: Sequence[LogsourceMap]) -> dict[str, Origin]:
    """Return where the events of each origin keep time and host: readers say so, and for JSON the maps."""
    from haidang.events.readers import readers

    told = {one.origin: map_origin(one) for one in maps}
    found = {origin.name: origin for reader in readers().values() for origin in reader.origins}
    return {**told, **found, "windows": shapes.WINDOWS}


def first_time(event: Fields, origin: Origin) -> int | None:
    """Return the time of an event of that family in nanoseconds since 1970, None where it has none."""
    for name in origin.time_fields or UNKNOWN.time_fields:
        value = lookup(event, name)
        if value is not None and (time := parse_time(value)) is not None:
            return time
    return None


def first_host(event: Fields, origin: Origin) -> str:
    """Return the host that an event of that family speaks of, "" where it names none."""
    names = origin.host_fields or UNKNOWN.host_fields
    return next((text(value) for name in names if (value := lookup(event, name)) is not None), "")


def _digest(event: Fields) -> bytes:
    """Return 8 bytes over the whole event, whatever the order of its fields."""
    try:
        data = orjson.dumps(event, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    except (TypeError, orjson.JSONEncodeError):
        data = repr(sorted(event.items(), key=str)).encode("utf-8", "replace")
    return blake2b(data, digest_size=8).digest()


def stable_id(*parts: bytes) -> str:
    """Return 32 hex digits over ``parts``: the same parts give the same id on every run."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.hexdigest()


def to_finding(ruleset: Ruleset, evidence: Evidence, path: str, *, before: int = 0) -> Finding:
    """Make the finding of ``evidence`` in the file ``path``; ``before`` lines came before its part.

    The id holds the file's own name (and the path inside an archive), not the folders above it, so that a
    folder that was moved gives the same ids.
    """
    info = ruleset.infos[evidence.rule]
    record = evidence.record + before
    return Finding(
        id=stable_id(info.key.encode(), _name(path), str(record).encode(), evidence.digest),
        rule=finding_rule(info),
        time=None if evidence.time is None else format_time(evidence.time),
        host=evidence.host,
        source=Source(path, record),
        event=evidence.event,
        matched=tuple(Match(*parts) for parts in evidence.matched),
        origin=evidence.origin,
        about=evidence.about,
    )


@lru_cache(maxsize=64)
def _name(path: str) -> bytes:
    """Return a file's own name, and the path inside an archive."""
    outer, mark, inner = path.partition("!")
    name = outer.replace("\\", "/").rpartition("/")[2] + mark + inner
    return name.encode("utf-8", "surrogateescape")


_RULES: dict[int, tuple[RuleInfo, FindingRule]] = {}


def finding_rule(info: RuleInfo) -> FindingRule:
    """Return what a finding says of its rule; one object for each rule."""
    known = _RULES.get(id(info))
    if known is None or known[0] is not info:
        rule = FindingRule(
            info.id,
            info.title,
            info.level,
            info.status,
            tuple(info.tags),
            info.author,
            info.description,
            info.path,
        )
        known = _RULES[id(info)] = (info, rule)
    return known[1]
