"""What SQLite finds: every Windows rule as the backend converts it, over the events of its log source."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.end_to_end.differential.conversion import columns, convert, fields_of, prepare, rules_in
from tests.end_to_end.differential.tables import Source, connect, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sigma.rule import SigmaRule

    from haidang.sigma.ir import LogsourceEntry, LogsourceMap
    from tests.end_to_end.differential.recordings import Place

__all__ = ["PLACEHOLDERS", "Peer", "find"]

PLACEHOLDERS = Path(__file__).parent / "placeholders.yml"

_Logsource = tuple[str, str, str]


@dataclass
class Peer:
    """The outcome: rules by id, the events that each selects, and the rules without an outcome."""

    rules: dict[str, SigmaRule] = field(default_factory=dict)
    found: dict[str, set[Place]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """Rule to why it could not be converted or run."""
    elsewhere: set[str] = field(default_factory=set)
    """Windows rules on log sources that the map does not have."""


def find(archive: Path, windows: LogsourceMap, events: Iterable[tuple[Place, dict[str, Any]]]) -> Peer:
    """Run the rules of a zip over events, each rule over those that the map gives its log source."""
    peer = Peer()
    database = connect()
    sources: dict[str, tuple[Source, dict[str, list[str] | str]]] = {}
    for number, (logsource, rules) in enumerate(_by_logsource(archive, windows).items()):
        peer.rules.update((str(rule.id), rule) for rule in rules)
        entries = [entry for entry in windows.entries if _serves(entry, logsource)]
        if not entries:
            peer.elsewhere.update(str(rule.id) for rule in rules)
            continue
        sources[f"s{number}"] = _source(database, f"s{number}", entries, rules)
    places = _stage(events, [source for source, _ in sources.values()])
    for source, queries in sources.values():
        source.fill()
        _run(peer, source, queries, places)
    return peer


def _by_logsource(archive: Path, windows: LogsourceMap) -> dict[_Logsource, list[SigmaRule]]:
    """Return the rules on Windows, and those on no product whose log source Windows has too."""
    found: dict[_Logsource, list[SigmaRule]] = defaultdict(list)
    for rule in rules_in(archive):
        names = rule.logsource
        logsource = (names.product or "", names.category or "", names.service or "")
        if logsource[0] == windows.product or (
            not logsource[0] and any(_serves(entry, logsource) for entry in windows.entries)
        ):
            found[logsource].append(rule)
    return found


def _serves(entry: LogsourceEntry, logsource: _Logsource) -> bool:
    return logsource[0] in {"", entry.logsource[0]} and logsource[1:] == tuple(entry.logsource[1:])


def _source(
    database: sqlite3.Connection, table: str, entries: list[LogsourceEntry], rules: list[SigmaRule]
) -> tuple[Source, dict[str, list[str] | str]]:
    for rule in rules:
        prepare(rule)
    fields = set().union(*map(fields_of, rules))
    mapping = columns(fields)
    source = Source(database, table, entries, mapping, keywords=None in fields)
    return source, convert(rules, table, mapping, yaml.safe_load(PLACEHOLDERS.read_bytes()))


def _stage(events: Iterable[tuple[Place, dict[str, Any]]], sources: list[Source]) -> list[Place]:
    """Give each event to the entries whose ``when`` it satisfies; return where each is."""
    staged = [each for source in sources for each in source.staged]
    names = sorted({name for each in staged for name in each.entry.when})
    known: dict[tuple[str | None, ...], list[Any]] = {}
    places = []
    for number, (place, event) in enumerate(events):
        places.append(place)
        key = tuple(text(event.get(name)) for name in names)
        if key not in known:
            values = {name: (value or "").lower() for name, value in zip(names, key, strict=True)}
            known[key] = [
                each
                for each in staged
                if all(values[name] in wanted for name, wanted in each.entry.when.items())
            ]
        for each in known[key]:
            each.add(number, event)
    return places


def _run(peer: Peer, source: Source, queries: dict[str, list[str] | str], places: list[Place]) -> None:
    for rule, converted in queries.items():
        if isinstance(converted, str):
            peer.failed[rule] = converted
            continue
        try:
            numbers = set().union(*map(source.run, converted))
        except sqlite3.Error as error:
            peer.failed[rule] = f"SQLite: {error}"
        else:
            if numbers:
                peer.found[rule] = {places[number] for number in numbers}
