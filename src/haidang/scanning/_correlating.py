"""Feeding correlations: the hits of a whole run, in order of event time, within bounded memory.

Files come one after another while correlations want time; so the hits are kept until all files are read
and then read back in order. Up to a bound they stay in memory; past it they go to a temporary SQLite
database, which sorts them on disk.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.detect.correlation import Correlator, Hit
from haidang.events.times import format_time
from haidang.findings.model import Finding, Match, MemberSource, NamedRule, Source
from haidang.scanning._evidence import finding_rule, stable_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from haidang.detect.correlation import Correlated
    from haidang.scanning._ruleset import Ruleset

__all__ = ["Correlating", "correlated_finding", "named_rules"]

_MOST_IN_MEMORY = 50_000
_SECOND = 1_000_000_000
_Row = tuple[int, int, str, bytes]

_REASONS = {
    "no-group-field": "without a field that it groups by",
    "no-value": "without the value that it counts",
    "no-time": "without a time",
    "late": "too far out of order",
    "evicted-event": "too many events at once",
    "evicted-group": "too many groups at once",
}
"""Why a correlation left out a hit, in words."""


class Correlating:
    """Collects what correlations feed on, then runs them."""

    def __init__(self, ruleset: Ruleset) -> None:
        """Collect for the correlations of ``ruleset``."""
        self._ruleset = ruleset
        self._rows: list[_Row] = []
        self._store: sqlite3.Connection | None = None
        self._timeless = 0
        self.notices: list[str] = []

    def add(
        self, key: str, time: int | None, position: int, values: dict[str, Any], finding: Finding
    ) -> None:
        """Keep one hit of the rule ``key``."""
        if time is None:
            self._timeless += 1
            return
        member = (finding.id, finding.host, finding.source.path, finding.source.record)
        self._rows.append((time, position, key, msgspec.msgpack.encode((values, member), enc_hook=str)))
        if len(self._rows) >= _MOST_IN_MEMORY:
            self._spill()

    def _spill(self) -> None:
        if self._store is None:
            # An empty name is a temporary file that SQLite removes by itself.
            self._store = sqlite3.connect("", isolation_level=None)
            self._store.executescript(
                "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16000;"
                "CREATE TABLE hit (second INTEGER, nano INTEGER, position INTEGER, rule TEXT, body BLOB);"
            )
        self._store.execute("BEGIN")
        # SQLite's integers hold nanoseconds only from 1678 to 2262; a log may claim any year.
        rows = ((*divmod(time, _SECOND), *rest) for time, *rest in self._rows)
        self._store.executemany("INSERT INTO hit VALUES (?, ?, ?, ?, ?)", rows)
        self._store.execute("COMMIT")
        self._rows.clear()

    def _in_order(self) -> Iterator[_Row]:
        if self._store is None:
            yield from sorted(self._rows, key=lambda row: row[:3])
            return
        self._spill()
        for second, nano, position, rule, body in self._store.execute(
            "SELECT second, nano, position, rule, body FROM hit ORDER BY second, nano, position, rule"
        ):
            yield second * _SECOND + nano, position, rule, body
        self._store.close()

    def finish(self) -> Iterator[tuple[int, Finding]]:
        """Yield the reported correlations' findings with their time, in order of time."""
        correlator = Correlator(self._ruleset.correlations, self._ruleset.limits)
        found: list[Correlated] = []
        for time, position, rule, body in self._in_order():
            values, member = msgspec.msgpack.decode(body)
            found.extend(correlator.feed(Hit(rule, time, position, values, member)))
        found.extend(correlator.finish())
        self._account(correlator)
        reported = [item for item in found if item.rule.info.key in self._ruleset.reported]
        rules = named_rules(self._ruleset)
        made = [(item.time_last, correlated_finding(item, rules)) for item in reported]
        yield from sorted(made, key=lambda pair: (pair[0], pair[1].rule.title, pair[1].id))

    def _account(self, correlator: Correlator) -> None:
        rules = named_rules(self._ruleset)
        if self._timeless:
            self.notices.append(
                f"{self._timeless} events without a time could not take part in correlations."
            )
        for (key, reason), count in sorted(correlator.dropped.items()):
            self.notices.append(
                f"Correlation {rules[key].title!r}: {count} left out ({_REASONS.get(reason, reason)})."
            )


def named_rules(ruleset: Ruleset) -> dict[str, NamedRule]:
    """Return the rules by their keys."""
    return {info.key: NamedRule(info.id, info.title) for info in ruleset.infos}


def correlated_finding(item: Correlated, rules: Mapping[str, NamedRule]) -> Finding:
    """Make the finding of what a correlation found; ``rules`` are those that it may have joined, by key."""
    hits = [hit for member in item.members for hit in _events(member)]
    joined: dict[str, MemberSource] = {}
    for hit in hits:
        identity, _, path, record = hit.finding
        time = "" if hit.time is None else format_time(hit.time)
        joined[identity] = MemberSource(path, record, time, rules[hit.rule])
    last = hits[-1].finding if hits else ("", "", "", 0)
    hosts = sorted({hit.finding[1] for hit in hits if hit.finding[1]})
    info = item.rule.info
    key = stable_id(
        info.key.encode(),
        msgspec.json.encode(item.group, enc_hook=str),
        str(item.time_first).encode(),
        str(item.time_met).encode(),
    )
    event: dict[str, Any] = {
        **item.group,
        "first": format_time(item.time_first),
        "last": format_time(item.time_last),
        "count": item.count,
    }
    if item.value is not None:
        event["value"] = item.value
    return Finding(
        id=key,
        rule=finding_rule(info),
        time=format_time(item.time_last),
        host=hosts[0] if len(hosts) == 1 else "",
        source=Source(*last[2:]),
        event=event,
        matched=tuple(Match(name, value, "group-by") for name, value in item.group.items()),
        origin="correlation",
        members=tuple(joined),
        member_sources=tuple(joined.values()),
        group=item.group,
        count=item.count,
    )


def _events(hit: Hit) -> list[Hit]:
    """Return the hits of events behind a member; a correlation's own members stand for it."""
    if isinstance(hit.finding, tuple | list):
        return [hit]
    return [event for inner in hit.finding.members for event in _events(inner)]
