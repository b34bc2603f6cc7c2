"""Which fields of which logs hold what indicators speak of: data files, one for each family of logs.

A file of ``intel/fields`` names an origin and, for all its events or for those ``when`` routing values are
such, what its fields hold:

    origin: windows
    sources:
      - when: {Channel: Microsoft-Windows-Sysmon/Operational, EventID: 3}
        holds: {src_ip: SourceIp, dst_ip: DestinationIp, domain: [DestinationHostname]}

What a field can hold is a *facet* (``FACETS``); a field may be a template over several (``{host}{uri}``).
``any.yml`` says it for logs that have no file of their own, by the names that schemas and products use.
The files are part of the package: trusted, and checked by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["FACETS", "FIELDS", "ObservedFields", "Source", "load_fields", "parse_fields"]

FIELDS = Path(__file__).parent / "fields"
"""Folder of the files that come with the package."""

FACETS: dict[str, str] = {
    "ip": "host",
    "src_ip": "host",
    "dst_ip": "host",
    "domain": "host",
    "url": "url",
    "hash": "hash",
    "email": "email",
    "mail_from": "email",
    "mail_to": "email",
    "text": "text",
    "command_line": "text",
    "parent_command_line": "",
    "file": "",
    "folder": "",
    "process": "",
    "parent_process": "",
    "directory": "",
    "registry": "",
    "registry_data": "",
    "src_port": "",
    "dst_port": "",
    "protocol": "",
    "user": "",
    "user_agent": "",
    "http_method": "",
    "subject": "",
    "pid": "",
    "service": "",
}
"""Facet to what is looked up of its values (``observables.EXTRACT``), "" for patterns only."""
_DERIVED = {"folder": "file"}
"""Facets that the files need not name: what the fields of another one say, too."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the fields of some events of an origin hold."""

    when: dict[str, frozenset[str]]
    """Routing field to accepted values, lower-cased; all must hold."""
    holds: dict[str, tuple[str, ...]]
    """Facet to fields."""

    def accepts(self, routing: Mapping[str, Sequence[str]]) -> bool:
        """Return whether events with these routing values (lower-cased) are meant."""
        return all(not wanted.isdisjoint(routing.get(name, ())) for name, wanted in self.when.items())


class ObservedFields:
    """The files of all origins."""

    def __init__(self, sources: Mapping[str, Sequence[Source]]) -> None:
        """Keep the sources of each origin."""
        self._sources = sources

    @property
    def origins(self) -> frozenset[str]:
        """Return the origins that have a file."""
        return frozenset(self._sources) - {"any"}

    def of(self, origin: str, routing: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Return facet to fields for the events of an origin with these routing values."""
        found: dict[str, dict[str, None]] = {}
        for source in self._sources.get(origin, ()):
            if source.accepts(routing):
                for facet, fields in source.holds.items():
                    found.setdefault(facet, {}).update(dict.fromkeys(fields))
        for facet, other in _DERIVED.items():
            if other in found:
                found.setdefault(facet, {}).update(found[other])
        return {facet: tuple(fields) for facet, fields in found.items()}

    def anywhere(self) -> dict[str, tuple[str, ...]]:
        """Return facet to fields for events of which nothing is known."""
        return self.of("any", {})


@cache
def load_fields() -> ObservedFields:
    """Return what the package's files say."""
    sources: dict[str, list[Source]] = {}
    for path in sorted(FIELDS.glob("*.yml")):
        origin, found = parse_fields(path.read_bytes(), str(path))
        sources.setdefault(origin, []).extend(found)
    return ObservedFields(sources)


def parse_fields(data: bytes, path: str) -> tuple[str, list[Source]]:
    """Return the origin and the sources of one file.

    Raises:
        ConfigurationError: It is wrong.
    """
    from haidang.sigma.yaml_source import YamlError, documents

    try:
        found = documents(data)
    except YamlError as error:
        raise ConfigurationError(f"{path}:{error.line}: {error.reason}") from None
    document = found[0] if len(found) == 1 else None
    if not isinstance(document, dict) or not isinstance(document.get("origin"), str):
        raise ConfigurationError(f"{path}: 'origin' is missing")
    if set(document) - {"origin", "sources"} or not isinstance(document.get("sources"), list):
        raise ConfigurationError(f"{path}: a file has 'origin' and a list of 'sources'")
    return document["origin"], [_source(one, path) for one in document["sources"]]


def _source(one: Any, path: str) -> Source:
    if not isinstance(one, dict) or set(one) - {"when", "holds"} or not isinstance(one.get("holds"), dict):
        raise ConfigurationError(f"{path}: each source has 'holds', and may have 'when'")
    unknown = set(one["holds"]) - set(FACETS)
    if unknown:
        raise ConfigurationError(f"{path}: unknown: {', '.join(sorted(map(str, unknown)))}")
    return Source(
        {
            str(name): frozenset(text.lower() for text in _texts(value))
            for name, value in (one.get("when") or {}).items()
        },
        {str(facet): tuple(_texts(fields)) for facet, fields in one["holds"].items()},
    )


def _texts(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        yield str(one)
