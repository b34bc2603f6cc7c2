"""Which rules of a ruleset can fire on what this version reads, and by which formats.

Example::

    found = coverage(haidang.load_rules("sigma_all_rules.zip"))
    print(len(found.routed), "of", found.total)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from haidang.detect.coverage import BY_NAME, Covered, cover
from haidang.events.readers import readers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.errors import RuleError
    from haidang.scanning._ruleset import Ruleset
    from haidang.sigma.ir import LogSource, LogsourceMap

__all__ = ["Coverage", "LogsourceCoverage", "coverage", "formats_by_origin"]

_UNTOLD = frozenset({"json", "csv"})
"""Origins whose events are told apart by the maps."""


@dataclass(frozen=True, slots=True)
class LogsourceCoverage:
    """What is covered of the rules on one log source."""

    logsource: LogSource
    rules: int
    routed: int
    routes: dict[str, tuple[str, ...]]
    """Origin to the formats that give its events."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is covered of a ruleset."""

    rules: tuple[Covered, ...]
    """Every rule that is loaded."""
    refused: tuple[RuleError, ...]
    """Rules that cannot be loaded: they have no route either."""
    formats: dict[str, tuple[str, ...]]
    """Origin to the formats that give its events."""

    @property
    def total(self) -> int:
        """How many rules there are, those that cannot be loaded included."""
        return len(self.rules) + len(self.refused)

    @property
    def routed(self) -> tuple[Covered, ...]:
        """The rules that can fire."""
        return tuple(one for one in self.rules if one.routes)

    @property
    def missing(self) -> tuple[Covered, ...]:
        """The rules that are loaded and cannot fire."""
        return tuple(one for one in self.rules if not one.routes)

    def by_logsource(self) -> list[LogsourceCoverage]:
        """Return the figures for each log source, sorted by name."""
        groups: dict[LogSource, list[Covered]] = {}
        for one in self.rules:
            groups.setdefault(one.logsource, []).append(one)
        return [self._group(logsource, groups[logsource]) for logsource in sorted(groups)]

    def _group(self, logsource: LogSource, rules: Sequence[Covered]) -> LogsourceCoverage:
        origins = sorted({origin for one in rules for origin in one.routes})
        routes = {origin: self.formats.get(origin, ()) for origin in origins}
        return LogsourceCoverage(logsource, len(rules), sum(bool(one.routes) for one in rules), routes)


def formats_by_origin(maps: Sequence[LogsourceMap]) -> dict[str, tuple[str, ...]]:
    """Return the names of the formats that give the events of each origin."""
    found: dict[str, set[str]] = {BY_NAME: set()}
    untold: set[str] = set()
    for reader in readers().values():
        for origin in reader.origins:
            found.setdefault(origin.name, set()).add(reader.name)
            if origin.name in _UNTOLD:
                untold.add(reader.name)
    for one in maps:
        if one.recognise:
            found.setdefault(one.origin, set()).update(untold)
    found[BY_NAME] |= untold
    return {origin: tuple(sorted(names)) for origin, names in sorted(found.items())}


def coverage(ruleset: Ruleset) -> Coverage:
    """Return which rules of a ruleset can fire; what is reported of them does not matter here."""
    formats = formats_by_origin(ruleset.maps)
    found = cover(ruleset.event_rules(), ruleset.all_correlations, ruleset.maps, formats)
    return Coverage(tuple(found), ruleset.refused, formats)
