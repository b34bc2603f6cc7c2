"""Which fields the events of a log source have, as far as that is written down.

Two sources: the files in ``workshop/fields`` (one for each product, data and no code) and the logsource maps,
where a map says that events have its fields and no others (``absent: "*"``). Of a log source that neither
speaks of, nothing is known, and every field may be right.
"""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.sigma.ir import LogSource
from haidang.sigma.yaml_source import documents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.sigma.ir import LogsourceMap

__all__ = ["KnownFields", "nearest"]

_FOLDER = Path(__file__).parent / "fields"


class KnownFields:
    """What is known with a set of logsource maps."""

    def __init__(self, maps: Iterable[LogsourceMap]) -> None:
        """Add to the written lists what the maps translate: users bring fields of their own."""
        self._known = {source: set(names) for source, names in _written().items()}
        for one in maps:
            for entry in one.entries:
                if entry.logsource in self._known:
                    self._known[entry.logsource] |= set(entry.fields)

    def unknown(self, logsource: LogSource, fields: Iterable[str]) -> list[str]:
        """Return those of ``fields`` that the events of a log source do not have."""
        known = self._known.get(logsource)
        return [] if known is None else [name for name in fields if name not in known]

    def of(self, logsource: LogSource) -> frozenset[str]:
        """Return the fields that are known, none where nothing is."""
        return frozenset(self._known.get(logsource, ()))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the field that may have been meant, "" where none is like it."""
    by_fold = {one.lower(): one for one in known}
    close = difflib.get_close_matches(name.lower(), by_fold, n=1, cutoff=0.75)
    return by_fold[close[0]] if close else ""


@cache
def _written() -> dict[LogSource, frozenset[str]]:
    found: dict[LogSource, frozenset[str]] = {}
    for file in sorted(_FOLDER.glob("*.yml")):
        (document,) = documents(file.read_bytes())
        shared = {*document["common"], *document["also"]}
        for category, names in document["sources"].items():
            found[LogSource(document["product"], category)] = frozenset({*shared, *names})
    return found
