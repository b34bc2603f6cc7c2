"""Logsource maps: data files that say where the events of each Sigma log source are, and by what names.

Rules of this module:

- Every ``*.yml`` in ``sigma/logsources`` is a map, and so is every file that the user adds; a user's map
  of the same origin and product comes after the built-in one and adds to it.
- A map that is wrong is a ConfigurationError with its file, its line and what to do: a map that half
  works would hide attacks.
- ``when`` may name only fields of ``route_by``; values are compared without case, and as numbers where they
  are numbers. A field of ``route_by`` that the map's own ``fields`` name is found where they say.

The user's maps are the user's own: trusted, but checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from haidang.errors import ConfigurationError
from haidang.events.model import Origin
from haidang.sigma.ir import LogSource, LogsourceEntry, LogsourceMap
from haidang.sigma.templates import parse_template, template_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["BUILTIN_MAPS", "load_maps", "map_fields", "map_origin", "parse_map", "serves"]

BUILTIN_MAPS = Path(__file__).parent / "logsources"
"""Folder of the maps that come with the package."""

_KEYS = frozenset(
    {
        "origin",
        "product",
        "route_by",
        "route_depth",
        "recognise",
        "time",
        "host",
        "fields",
        "values",
        "absent",
    }
    | {"sources", "claims"}
)
_ENTRY_KEYS = frozenset({"logsource", "when", "fields", "values", "absent"})
_MOST_ROUTING_FIELDS = 4


def load_maps(paths: Iterable[str | Path] = (), *, builtin: bool = True) -> tuple[LogsourceMap, ...]:
    """Return the built-in maps, then those in ``paths`` (files, or folders of ``*.yml``)."""
    files = sorted(BUILTIN_MAPS.glob("*.yml")) if builtin else []
    for path in map(Path, paths):
        found = sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
        if not found:
            message = f"{path}: the folder holds no logsource map (*.yml)"
            raise ConfigurationError(message, hint="Name a map file or a folder of them.")
        files += found
    return tuple(_read(file) for file in files)


def map_origin(one: LogsourceMap) -> Origin:
    """Return where JSON of an origin keeps time and host; shippers may move its time to ``@timestamp``."""
    times = (*one.time_fields, "@timestamp") if one.time_fields else ()
    return Origin(one.origin, times, one.host_fields)


def _read(file: Path) -> LogsourceMap:
    try:
        data = file.read_bytes()
    except OSError as error:
        message = f"{file}: the logsource map cannot be read: {error.strerror or error}"
        raise ConfigurationError(message) from None
    return parse_map(data, str(file))


def parse_map(data: bytes, path: str) -> LogsourceMap:
    """Return the map in a YAML text; raise ConfigurationError with the line of the first fault."""
    from haidang.sigma.yaml_source import YamlError, documents

    try:
        found = documents(data)
    except YamlError as error:
        message = f"{path}:{error.line}: {error.reason}"
        raise ConfigurationError(message, hint="Correct the YAML of the logsource map.") from None
    return _Map(data, path).whole(found[0] if len(found) == 1 else None)


class _Map:
    """Checks one map while it is taken over."""

    def __init__(self, data: bytes, path: str) -> None:
        self.data = data
        self.path = path
        self.route_by: tuple[str, ...] = ()

    def fail(self, reason: str, hint: str, *place: str | int) -> NoReturn:
        from haidang.sigma.yaml_source import line_of

        line = line_of(self.data, 0, place)
        raise ConfigurationError(f"{self.path}:{line}: {reason}", hint=hint)

    def whole(self, document: Any) -> LogsourceMap:
        if not isinstance(document, dict):
            self.fail("a logsource map must be one YAML map", "See haidang/sigma/logsources/windows.yml.")
        self.known(document, _KEYS)
        self.route_by = self.texts(document.get("route_by", []), "route_by")
        fields = self.fields(document.get("fields"), "fields")
        values = self.values(document.get("values"), "values")
        absent = self.texts(document.get("absent", []), "absent")
        product = self.text(document.get("product", ""), "product").lower()
        sources = document.get("sources")
        if not isinstance(sources, list) or not sources:
            self.fail("'sources' must be a list of log sources", "Add at least one entry.", "sources")
        return LogsourceMap(
            origin=self.required(document, "origin"),
            product=product,
            route_by=self.route_by,
            recognise=self.recognise(document.get("recognise", [])),
            entries=tuple(
                self.entry(entry, index, product, fields, values, absent)
                for index, entry in enumerate(sources)
            ),
            path=self.path,
            claims=self.flag(document.get("claims", True), "claims"),
            routing={
                name: (fields.get(name, (name,)), values.get(name, {}))
                for name in self.route_by
                if name in fields or name in values
            },
            route_depth=self.depth(document.get("route_depth", 2)),
            time_fields=self.texts(document.get("time", []), "time"),
            host_fields=self.texts(document.get("host", []), "host"),
        )

    def depth(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_ROUTING_FIELDS:
            self.fail(
                f"'route_depth' must be a number from 1 to {_MOST_ROUTING_FIELDS}",
                "Say how many fields of route_by make a route.",
                "route_depth",
            )
        return value

    def known(self, mapping: dict[Any, Any], keys: frozenset[str], *place: str | int) -> None:
        for key in mapping:
            if key not in keys:
                self.fail(f"unknown key {key!r}", f"Known keys: {', '.join(sorted(keys))}.", *place, str(key))

    def required(self, document: dict[str, Any], key: str) -> str:
        if not document.get(key):
            self.fail(f"{key!r} is missing", f"Say which {key} the map is for.")
        return self.text(document[key], key)

    def text(self, value: Any, *place: str | int) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.fail("a text is expected here", "Write a plain value.", *place)
        return str(value)

    def flag(self, value: Any, *place: str | int) -> bool:
        if not isinstance(value, bool):
            self.fail(f"{place[-1]!r} must be true or false", "Write true or false.", *place)
        return value

    def texts(self, value: Any, *place: str | int) -> tuple[str, ...]:
        values = value if isinstance(value, list) else [value]
        return tuple(self.text(each, *place) for each in values)

    def mapping(self, value: Any, *place: str | int) -> dict[Any, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail("a map is expected here", "Write `name: value` pairs.", *place)
        return value

    def recognise(self, value: Any) -> tuple[tuple[str, ...], ...]:
        if not isinstance(value, list) or not all(isinstance(names, list) and names for names in value):
            self.fail(
                "'recognise' must be a list of lists of fields",
                "For example [[Channel, EventID]].",
                "recognise",
            )
        return tuple(self.texts(names, "recognise", index) for index, names in enumerate(value))

    def fields(self, value: Any, *place: str | int) -> dict[str, tuple[str, ...]]:
        found = {}
        for name, target in self.mapping(value, *place).items():
            found[str(name)] = self.texts(target, *place, str(name))
            for template in found[str(name)]:
                self.template(template, *place, str(name))
        return found

    def template(self, text: str, *place: str | int) -> None:
        if "{" in text or "}" in text:
            try:
                parse_template(text)
            except ValueError:
                self.fail(f"{text!r} is no template", "Write {Field} for each field.", *place)

    def values(self, value: Any, *place: str | int) -> dict[str, dict[str, str]]:
        return {
            str(name): {
                self.text(seen, *place, str(name)).lower(): self.text(meant, *place, str(name), str(seen))
                for seen, meant in self.mapping(table, *place, str(name)).items()
            }
            for name, table in self.mapping(value, *place).items()
        }

    def entry(
        self,
        entry: Any,
        index: int,
        product: str,
        fields: dict[str, tuple[str, ...]],
        values: dict[str, dict[str, str]],
        absent: tuple[str, ...],
    ) -> LogsourceEntry:
        place = ("sources", index)
        if not isinstance(entry, dict):
            self.fail("each of 'sources' must be a map", "Write logsource, when, fields, values.", *place)
        self.known(entry, _ENTRY_KEYS, *place)
        return LogsourceEntry(
            logsource=self.logsource(entry.get("logsource"), product, index),
            when=self.when(entry.get("when"), values, *place, "when"),
            fields={**fields, **self.fields(entry.get("fields"), *place, "fields")},
            values={**values, **self.values(entry.get("values"), *place, "values")},
            absent=(*absent, *self.texts(entry.get("absent", []), *place, "absent")),
        )

    def logsource(self, value: Any, product: str, index: int) -> LogSource:
        place = ("sources", index, "logsource")
        parts = {"product": product, "category": "", "service": ""}
        for name, part in self.mapping(value, *place).items():
            if name not in parts:
                self.fail(
                    f"unknown key {name!r}",
                    "A logsource has product, category and service.",
                    *place,
                    str(name),
                )
            parts[name] = "" if part is None else self.text(part, *place, name).lower()
        return LogSource(**parts)

    def when(
        self, value: Any, values: dict[str, dict[str, str]], *place: str | int
    ) -> dict[str, tuple[str, ...]]:
        found = {}
        for name, wanted in self.mapping(value, *place).items():
            if name not in self.route_by:
                hint = f"Add {name} to route_by, or use one of: {', '.join(self.route_by)}."
                self.fail(f"{name!r} is not in route_by", hint, *place, str(name))
            found[str(name)] = tuple(text.lower() for text in self.texts(wanted, *place, str(name)))
            if not found[str(name)]:
                self.fail(f"{name!r} accepts no value", "List at least one value.", *place, str(name))
            # A routing field is translated before it is compared.
            meanings = values.get(str(name), {})
            reached = {meant.lower() for meant in meanings.values()}
            for text in found[str(name)]:
                if text in meanings and text not in reached:
                    reason = f"{name!r} is never {text!r}: the map's values make {meanings[text]!r} of it"
                    self.fail(reason, f"Write {meanings[text]!r}.", *place, str(name))
        return found


def map_fields(targets: Sequence[str]) -> tuple[str, ...]:
    """Return the event fields that the targets of one mapping read."""
    found: dict[str, None] = {}
    for target in targets:
        for name in template_fields(target) if "{" in target else [target]:
            found[name] = None
    return tuple(found)


def serves(entry: LogSource, rule: LogSource) -> bool:
    """Return whether events of ``entry`` are what a rule on ``rule`` looks at.

    A product that the rule leaves open may be any; category and service must be the same, so that a rule on
    a whole product uses the entry that names neither, not every entry of the product. A rule that names both
    a category and a service is also served by an entry that names only the category.
    """
    if rule.product and entry.product != rule.product:
        return False
    if entry.category != rule.category:
        return False
    return entry.service == rule.service or bool(rule.category and not entry.service)
