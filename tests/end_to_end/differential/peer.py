"""What SQLite finds: every Windows rule as the backend converts it, over the events of its log source."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.end_to_end.differential.conversion import columns, convert, fields_of, prepare, rules_in
from tests.end_to_end.differential.tables import Source, connect, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sigma.rule import SigmaRule

    from haidang.sigma.ir import LogsourceEntry, LogsourceMap
    from tests.end_to_end.differential.recordings import Place

__all__ = ["PLACEHOLDERS", "Logsource", "Peer", "windows_rules"]

PLACEHOLDERS = Path(__file__).parent / "placeholders.yml"


@dataclass
class Logsource:
    """The rules of one log source, and the entries of the map that say where its events are."""

    entries: list[LogsourceEntry]
    rules: list[SigmaRule]


def windows_rules(archive: Path, windows: LogsourceMap) -> list[Logsource]:
    """Return the rules on Windows, and those on no product whose log source Windows has too."""
    found: dict[tuple[str, ...], list[SigmaRule]] = defaultdict(list)
    for rule in rules_in(archive):
        names = rule.logsource
        found[names.product or "", names.category or "", names.service or ""].append(rule)
    sources = (
        (product, Logsource([entry for entry in windows.entries if _serves(entry, (product, *rest))], rules))
        for (product, *rest), rules in found.items()
    )
    return [each for product, each in sources if product == windows.product or (not product and each.entries)]


def _serves(entry: LogsourceEntry, logsource: tuple[str, ...]) -> bool:
    return logsource[0] in {"", entry.logsource[0]} and logsource[1:] == tuple(entry.logsource[1:])


@dataclass
class _Converted:
    entries: list[LogsourceEntry]
    table: str
    columns: dict[str, str]
    keywords: bool
    queries: dict[str, list[str]] = field(default_factory=dict)


class Peer:
    """Every rule as SQL, once; the rules are the peer's from then on, since converting changes them."""

    def __init__(self, logsources: Iterable[Logsource]) -> None:
        """Convert the rules."""
        self.titles: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        """Rule to why it could not be converted or run."""
        self.elsewhere: set[str] = set()
        """Windows rules on log sources that the map does not have."""
        self._converted: list[_Converted] = []
        placeholders = yaml.safe_load(PLACEHOLDERS.read_bytes())
        for logsource in logsources:
            self.titles.update((str(rule.id), rule.title) for rule in logsource.rules)
            if logsource.entries:
                self._converted.append(self._convert(logsource, placeholders))
            else:
                self.elsewhere.update(str(rule.id) for rule in logsource.rules)

    def _convert(self, logsource: Logsource, placeholders: Mapping[str, Any]) -> _Converted:
        for rule in logsource.rules:
            prepare(rule)
        fields = set().union(*map(fields_of, logsource.rules))
        made = _Converted(logsource.entries, f"s{len(self._converted)}", columns(fields), None in fields)
        for name, queries in convert(logsource.rules, made.table, made.columns, placeholders).items():
            if isinstance(queries, str):
                self.failed[name] = queries
            else:
                made.queries[name] = queries
        return made

    def find(
        self, events: Iterable[tuple[Place, dict[str, Any]]], *, own: bool = False
    ) -> dict[str, set[Place]]:
        """Return the events that each rule selects; with ``own``, out of the file of the rule's name."""
        with closing(connect()) as database:
            sources = [
                (each, Source(database, each.table, each.entries, each.columns, keywords=each.keywords))
                for each in self._converted
            ]
            places = _stage(events, [source for _, source in sources])
            theirs: dict[str, set[int]] = defaultdict(set)
            for number, place in enumerate(places if own else ()):
                theirs[place.file].add(number)
            found = {}
            for each, source in sources:
                source.fill()
                for rule, queries in each.queries.items():
                    numbers = self._run(rule, queries, source, theirs[rule] if own else None)
                    if numbers:
                        found[rule] = {places[number] for number in numbers}
            return found

    def _run(self, rule: str, queries: list[str], source: Source, among: set[int] | None) -> set[int]:
        try:
            return set().union(*(source.run(query, among) for query in queries))
        except sqlite3.Error as error:
            self.failed[rule] = f"SQLite: {error}"
            return set()


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
