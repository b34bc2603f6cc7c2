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

from haidang.detect.semantics import holds, leaves, lookup, text, wrap_keyword
from haidang.detect.tables import INDICATOR
from haidang.events import shapes
from haidang.events.model import Origin
from haidang.events.times import format_time, parse_time
from haidang.findings.entities import THING_FIELDS
from haidang.findings.model import Finding, FindingRule, Match, Source
from haidang.sigma.ir import ANY, ONE
from haidang.sigma.logsource import map_origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.detect.batches import Hit
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
        reasons = route.reasons(hit.rules, hit.event, self._condition)
        watched = self._ruleset.watched
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
        if self._things:
            for name in THING_FIELDS:
                value = None if name in looked else lookup(event, name)
                # An object of that name (host, user) holds the things, and is none.
                if value is not None and not isinstance(value, dict):
                    looked[name] = value
        return looked

    def _condition(self, index: int) -> Condition:
        return self._ruleset.rule(index).condition

    def _match(
        self, index: int, test: Test, get: Callable[[str], Any], event: Fields
    ) -> tuple[str, Any, str, str]:
        watched = self._ruleset.watched
        if watched is None:
            return *_match(test, get, event), ""
        known = watched.id_of(index, test)
        if test.kind == INDICATOR:
            name = str(test.field)
            return name.removeprefix("="), get(name), watched.in_words(test), known
        return *_match(test, get, event), known


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


def _match(test: Test, get: Callable[[str], Any], event: Fields) -> tuple[str, Any, str]:
    if test.field is None:
        keyword = wrap_keyword(test)
        return "", next((value for value in leaves(event) if holds(keyword, value)), None), in_words(keyword)
    value = get(test.field)
    if isinstance(value, list) and test.kind not in {"null", "exists"}:
        # Of a list, the elements that satisfied the test are the evidence.
        other = get(test.value[0]) if test.kind == "fieldref" else None
        held = [item for item in value if holds(test, item, other)]
        value = held[0] if len(held) == 1 else held or value
    return test.field, value, in_words(test)


@lru_cache(maxsize=16384)
def in_words(test: Test) -> str:
    r"""Return a test in Sigma's words, e.g. ``endswith '\mimikatz.exe'``."""
    kind, value = test.kind, test.value
    if kind == "str":
        return _string_in_words(value) + (" (cased)" if test.cased else "")
    if kind == "re":
        return f"re{'|' + '|'.join(value[1]) if value[1] else ''} '{value[0]}'"
    if kind in {"any", "differs"}:
        parts = value if kind == "any" else (value,)
        inner = " or ".join(in_words(test._replace(kind=one[0], value=one[1])) for one in parts)
        return inner if kind == "any" else f"is there, and not: {inner}"
    if kind == "fieldref":
        return f"{value[1]} field {value[0]}"
    if kind == "time":
        return f"{value[0]} {value[1]} {value[2]}"
    if kind == "null":
        return "is null"
    if kind == "exists":
        return "exists" if value else "does not exist"
    return f"{ {'num': 'equals', 'bool': 'equals'}.get(kind, kind) } {text(value)}"


def _string_in_words(parts: tuple[str | int, ...]) -> str:
    spelled = "".join({ANY: "*", ONE: "?"}[part] if isinstance(part, int) else part for part in parts)
    literals = [part for part in parts if isinstance(part, str)]
    if len(literals) == 1 and ONE not in parts:
        mode = {(True, False): "endswith", (False, True): "startswith", (True, True): "contains"}
        ends = (parts[0] == ANY, parts[-1] == ANY)
        return f"{mode.get(ends, 'equals')} '{literals[0]}'"
    return f"matches '{spelled}'" if literals or parts else "equals ''"


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
    outer, mark, inner = path.partition("!")
    name = outer.replace("\\", "/").rpartition("/")[2] + mark + inner
    return Finding(
        id=stable_id(
            info.key.encode(), name.encode("utf-8", "surrogateescape"), str(record).encode(), evidence.digest
        ),
        rule=finding_rule(info),
        time=None if evidence.time is None else format_time(evidence.time),
        host=evidence.host,
        source=Source(path, record),
        event=evidence.event,
        matched=tuple(Match(*parts) for parts in evidence.matched),
        origin=evidence.origin,
        about=evidence.about,
    )


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
