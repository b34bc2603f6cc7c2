r"""What is worth a line on a time line: data files, one for each product, in ``inquiry/notable``.

    origin: windows                     the family of logs
    by: [Channel, EventID]              fields by which entries are looked up; ``when`` names all of them, and
                                        an entry for ``*`` is looked at last, for every event. None ([]) for a
                                        log without such fields
    sessions:                           how the events of a logon session are told (may be left out)
      fields: [TargetLogonId, LogonId]  what may hold a session's id: templates, or names of fields; where it
                                        depends on the first ``by`` field, a map of its values to such lists
      ignore: ['0x0', '0x3e7']          ids that are no session of a person
      family: entra                     products of one family share their sessions, whatever the host is
    notable:
      - kind: logon                     stable word for machines
        title: {en: Logon, vi: …}       for people
        when: {Channel: Security, EventID: [4624]}
        where: {res: [success]}         other fields that must have one of these values
        unless: {LogonType: ['0']}      ... or must not; ``*`` at one end or both stands for anything,
                                        ``<inside>`` for the addresses of private networks
        match: {field: message, pattern: '…(?P<user>\S+)…'}   an RE2 expression; its groups are fields
        user: '[{Domain}\]{User}'       templates, see below
        host: '{id.orig_h}'             where the event's own host is not the one concerned
        text: '{CommandLine|Image}'
        once: [Image, DestinationIp]    only the first time on a host that these fields have these values
        session: {opens: TargetLogonId, from: '{IpAddress}'}   or {closes: TargetLogonId}

A template holds ``{FIELD}`` or ``{FIELD|OTHER}`` (the first that is present) and ``[…]``, which is left out
where one of its fields is absent. Wherever else a field is named, ``FIELD|OTHER`` means the same: exports of
one product differ in their names. Values are compared without regard to case. The files are part of the
package and trusted; events are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.detect.semantics import text
from haidang.inquiry.questions import Sieve
from haidang.inquiry.templates import Template, first_of, named_fields, value_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from haidang.events.model import Fields

__all__ = [
    "NOTABLE",
    "Notable",
    "Product",
    "load_product",
    "products",
    "windows_sieve",
]

NOTABLE = Path(__file__).parent / "notable"
"""Folder of the data files."""

_MOST_KNOWN = 10_000
"""Combinations of values for which the entries are remembered."""
_PLAIN = (str, int, type(None))
_EVENT_ID = re.compile(
    rb'"(?:EventID|event_id|EventCode|code)"\s*:\s*(?:\{[^{}]{0,200}?"(?:#text|Value)"\s*:\s*)?"?(\d{1,9})\b'
)
_EVENT_ID_KEYS = (b'"EventID"', b'"event_id"', b'"EventCode"')
_CHANNEL_KEYS = (b'hannel"', b'LogName"', b'"SourceName"', b'"Provider_Name"', b'"source"')
_INSIDE = ("10.", "192.168.", "fc", "fd", *(f"172.{number}." for number in range(16, 32)))
"""How addresses of private networks begin (RFC 1918, RFC 4193)."""


@dataclass(frozen=True, slots=True)
class Notable:
    """One entry of a data file."""

    kind: str
    title: Mapping[str, str]
    text: Template
    user: Template
    host: Template | None
    once: tuple[str, ...]
    where: tuple[tuple[str, Callable[[str], bool]], ...]
    unless: tuple[tuple[str, Callable[[str], bool]], ...]
    pattern: tuple[str, Any] | None
    opens: Template | None
    closes: Template | None
    source: Template
    """Where the one who opened a session came from."""

    def accept(self, event: Fields) -> Fields | None:
        """Return the event, with the groups of the pattern in it, where the entry is about it; else None."""
        for name, holds in self.where:
            if not holds(value_of(event, name).lower()):
                return None
        for name, holds in self.unless:
            if holds(value_of(event, name).lower()):
                return None
        if self.pattern is None:
            return event
        name, search = self.pattern
        try:
            match = search(value_of(event, name))
        except UnicodeEncodeError:
            return None
        if match is None:
            return None
        return {**event, **{group: found for group, found in match.groupdict().items() if found}}


@dataclass(slots=True)
class Product:
    """One data file."""

    origin: str
    by: tuple[str, ...]
    entries: list[Notable] = field(default_factory=list)
    session_fields: Mapping[str, tuple[Template, ...]] = field(default_factory=dict)
    """What may hold a session's id, by the value of the first ``by`` field; "" for any."""
    session_family: str = ""
    ignored_sessions: frozenset[str] = frozenset()
    _index: dict[tuple[str, ...], list[Notable]] = field(default_factory=dict)
    _any: list[Notable] = field(default_factory=list)
    _known: dict[tuple[Any, ...], Sequence[Notable]] = field(default_factory=dict)
    _names: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        """Take the names of the ``by`` fields apart, once."""
        self._names = tuple(named_fields(name) for name in self.by)

    def entries_for(self, event: Fields) -> Sequence[Notable]:
        """Return the entries that may be about an event."""
        values = tuple([first_of(event, names) for names in self._names])
        try:
            return self._known[values]
        except (KeyError, TypeError):
            found = self._look_up(values)
        if len(self._known) < _MOST_KNOWN and all(value.__class__ in _PLAIN for value in values):
            self._known[values] = found
        return found

    def _look_up(self, values: tuple[Any, ...]) -> Sequence[Notable]:
        if not any(isinstance(value, list) for value in values):
            return self._index.get(tuple(text(value).lower() for value in values), []) + self._any
        keys = product(
            *(
                [text(item).lower() for item in value] if isinstance(value, list) else [text(value).lower()]
                for value in values
            )
        )
        found: dict[int, Notable] = {}
        for key in dict.fromkeys(keys):
            found |= {id(entry): entry for entry in self._index.get(key, ())}
        return [*found.values(), *self._any]

    def sessions_of(self, event: Fields) -> tuple[str, ...]:
        """Return the ids of the sessions that an event may be of, the likeliest first."""
        holders = self.session_fields
        if not holders:
            return ()
        chosen = holders.get("") or holders.get(value_of(event, self.by[0]).lower(), ())
        found = (self.session_id(holder.fill(event)) for holder in chosen)
        return tuple(dict.fromkeys(filter(None, found)))

    def session_id(self, value: str) -> str:
        """Return a session's id in one form, "" for one that is nobody's."""
        value = value.lower()
        return "" if value in self.ignored_sessions else value

    def last_values(self) -> set[str]:
        """Return the values of the last ``by`` field that any entry is about."""
        return {key[-1] for key in self._index}

    def add(self, entry: Notable, when: Mapping[str, Any]) -> None:
        """Put an entry where events of its kind find it."""
        self.entries.append(entry)
        if self.by and all(when[name] == "*" for name in self.by):
            self._any.append(entry)
            return
        for key in product(*(_values(when[name]) for name in self.by)):
            self._index.setdefault(key, []).append(entry)


@cache
def products() -> dict[str, Product]:
    """Return what is notable of each origin, found by walking the folder of data files."""
    found = [load_product(path.read_bytes()) for path in sorted(NOTABLE.glob("*.yml"))]
    return {each.origin: each for each in found}


def windows_sieve(known: Mapping[str, Product]) -> Sieve | None:
    """Return what rules out JSON documents of Windows events with an id that is never notable.

    A document is ruled out only where it has the keys of a Windows event, none of the ids in it (there may be
    several, an inner one among them) is notable, and no key can be written in another way.
    """
    windows = known.get("windows")
    if windows is None or windows.by[-1] != "EventID":
        return None
    wanted = frozenset(identifier.encode() for identifier in windows.last_values())
    find, isdisjoint = _EVENT_ID.findall, wanted.isdisjoint

    def accepts(document: bytes) -> bool:
        found = find(document)
        if not found or not isdisjoint(found) or b"\\u" in document:
            return True
        # As many ids as keys: each was read.
        keys = sum(map(document.count, _EVENT_ID_KEYS))
        return not (0 < keys <= len(found) and any(key in document for key in _CHANNEL_KEYS))

    return Sieve(accepts)


def load_product(data: bytes) -> Product:
    """Return what a data file says."""
    from haidang.sigma.yaml_source import documents

    (read,) = documents(data)
    sessions = read.get("sessions", {})
    made = Product(
        read["origin"],
        tuple(read["by"]),
        session_fields=_session_fields(sessions.get("fields", ())),
        session_family=sessions.get("family", ""),
        ignored_sessions=frozenset(_values(sessions.get("ignore", ()))),
    )
    for entry in read["notable"]:
        made.add(_notable(entry), entry["when"])
    return made


def _notable(entry: Mapping[str, Any]) -> Notable:
    session = entry.get("session", {})
    pattern = entry.get("match")
    return Notable(
        kind=entry["kind"],
        title=dict(entry["title"]),
        text=Template(entry["text"]),
        user=Template(entry.get("user", "")),
        host=Template(entry["host"]) if "host" in entry else None,
        once=tuple(entry.get("once", ())),
        where=_tests(entry.get("where", {})),
        unless=_tests(entry.get("unless", {})),
        pattern=(pattern["field"], _search(pattern["pattern"])) if pattern else None,
        opens=_holder(session["opens"]) if "opens" in session else None,
        closes=_holder(session["closes"]) if "closes" in session else None,
        source=Template(session.get("from", "")),
    )


def _session_fields(named: Any) -> dict[str, tuple[Template, ...]]:
    chosen = named if isinstance(named, dict) else {"": named} if named else {}
    return {text(value).lower(): tuple(map(_holder, holders)) for value, holders in chosen.items()}


def _holder(name: str) -> Template:
    """Return what holds a session's id: a template, or the name of a field."""
    return Template(name if "{" in name else f"{{{name}}}")


def _tests(fields: Mapping[str, Any]) -> tuple[tuple[str, Callable[[str], bool]], ...]:
    return tuple((name, _one_of(_values(wanted))) for name, wanted in fields.items())


def _one_of(wanted: Sequence[str]) -> Callable[[str], bool]:
    exact = frozenset(value for value in wanted if "*" not in value)
    open_both = [value for value in wanted if len(value) > 1 and value[0] == value[-1] == "*"]
    inside = tuple(value[1:-1] for value in open_both)
    rest = [value for value in wanted if value not in open_both]
    ends = tuple(value[1:] for value in rest if value.startswith("*"))
    starts = tuple(value[:-1] for value in rest if value.endswith("*") and not value.startswith("*"))
    if any("*" in value[1:-1] for value in wanted):
        raise ValueError(f"{wanted}: * stands at the ends of a value, and nowhere else")
    if "<inside>" in exact:
        starts += _INSIDE

    def holds(value: str) -> bool:
        return value in exact or bool(
            value
            and (value.endswith(ends) or value.startswith(starts) or any(part in value for part in inside))
        )

    return holds


def _values(wanted: Any) -> list[str]:
    return [text(value).lower() for value in (wanted if isinstance(wanted, list | tuple) else [wanted])]


def _search(pattern: str) -> Callable[[str], Any]:
    import re2

    search: Callable[[str], Any] = re2.compile(pattern).search
    return search
