"""Findings as compressed blocks of text inside the page, and JSON that is safe inside a script element.

A block is zlib-compressed UTF-8, base64-encoded. Its first line is a JSON object of columns, one item a
finding, that filters work on; each further line is one finding's evidence, decoded only when it is shown:

    {"rules": [rules first seen here], "rule": [number of the rule over the whole page],
     "hosts": […], "host": [index], "files": […], "file": [index], "origins": […], "origin": [index],
     "user_sets": [JSON lists of users], "users": [index],
     "processes": [GUIDs, or # and number], "process": [index],
     "time": [milliseconds since 1970, or null], "tests": [words of tests]}
    [id, time, record, event, [[field, index of test, range, value], …], members, group, count,
     [[path, record] of each member], or nothing]

The range says where a regular expression matched, or is null; the value is there only where the event does
not hold it under that field; what is null or absent at the end is left out.

Tables of hosts and files belong to a block, so that a log that names a million hosts costs no memory here.
Numbers beyond 2^53, which a browser would round, become strings. Texts longer than
``Limits.page_value_chars`` are cut, and say so. All of it is untrusted.
"""

from __future__ import annotations

import base64
import json
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from haidang.findings.outputs._html_spans import regex_span
from haidang.findings.words import tactics, techniques

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.findings.model import Finding, FindingRule, Match, NamedRule
    from haidang.findings.trails import About
    from haidang.limits import Limits

__all__ = ["BlockBuilder", "milliseconds", "packed", "plain_json", "script_json"]

_LEVEL = 5
"""zlib level; 6 and above cost twice the time for 3 % less."""
_SAFE_INTEGER = 1 << 53
_DEEPEST = 200
"""Nesting beyond which a value is shown as text; both Python and browsers can follow this far."""
_ABSENT = object()
_TABLES = {
    "host": "hosts",
    "file": "files",
    "origin": "origins",
    "users": "user_sets",
    "process": "processes",
    "test": "tests",
}
"""Column to the name of the table of the block that it holds places in; tests are in the lines."""
_INDEXED = tuple(name for name in _TABLES if name != "test")


class BlockBuilder:
    """Gathers findings until a block is full."""

    def __init__(self, limits: Limits) -> None:
        """Begin with an empty block."""
        self._limits = limits
        self._rules: dict[FindingRule, int] = {}
        self.techniques: set[str] = set()
        """ATT&CK techniques that the rules so far name."""
        self.joined: set[NamedRule] = set()
        """Rules of which correlations joined an event."""
        self._reset()

    def _reset(self) -> None:
        self._new_rules: list[dict[str, Any]] = []
        self._tables: dict[str, dict[str, int]] = {name: {} for name in _TABLES}
        self._columns: dict[str, list[Any]] = {name: [] for name in ("rule", "time", *_INDEXED)}
        self._lines: list[bytes] = []
        self._bytes = 0

    def add(self, finding: Finding, told: About) -> bool:
        """Take one finding and what its event tells; return whether the block is full."""
        line = self._line(finding)
        self._lines.append(line)
        self._bytes += len(line)
        columns = self._columns
        columns["rule"].append(self._rule(finding.rule))
        columns["time"].append(milliseconds(finding.time))
        for name, value in (
            ("host", finding.host),
            ("file", finding.source.path),
            ("origin", finding.origin),
            ("users", plain_json(told.users).decode()),
            ("process", told.process),
        ):
            columns[name].append(self._number(name, value))
        return len(self._lines) >= self._limits.page_rows or self._bytes >= self._limits.page_bytes

    @property
    def rules(self) -> Iterable[FindingRule]:
        """The rules so far."""
        return self._rules

    def take(self) -> bytes:
        """Return the block as base64 and begin the next; b"" where there is nothing."""
        if not self._lines:
            return b""
        head = {
            "rules": self._new_rules,
            **{_TABLES[name]: list(table) for name, table in self._tables.items()},
            **self._columns,
        }
        text = b"\n".join([plain_json(head), *self._lines])
        self._reset()
        return packed(text)

    def _number(self, table: str, text: str) -> int:
        numbers = self._tables[table]
        return numbers.setdefault(text, len(numbers))

    def _line(self, finding: Finding) -> bytes:
        event = finding.event
        matched = [self._match(match, event) for match in finding.matched]
        row: list[Any] = [
            finding.id,
            finding.time,
            finding.source.record,
            event,
            matched,
            finding.members,
            finding.group,
            finding.count,
        ]
        if finding.member_sources:
            self.joined.update(one.rule for one in finding.member_sources)
            row.append(
                [
                    [one.path, one.record, one.time, one.rule.id, one.rule.title]
                    for one in finding.member_sources
                ]
            )
        line = plain_json(row)
        longest = self._limits.page_value_chars
        # No text in it can be too long while the whole is not.
        return line if len(line) <= longest else plain_json(_cut(row, longest, 0))

    def _match(self, match: Match, event: dict[str, Any]) -> list[Any]:
        made: list[Any] = [match.field, self._number("test", match.test)]
        span = regex_span(match.test, match.value, self._limits.page_value_chars)
        if not _same(event.get(match.field, _ABSENT), match.value):
            return [*made, span, match.value]
        return made if span is None else [*made, span]

    def _rule(self, rule: FindingRule) -> int:
        number = self._rules.get(rule)
        if number is None:
            number = self._rules[rule] = len(self._rules)
            named = techniques(rule.tags)
            self.techniques.update(named)
            self._new_rules.append(
                {
                    "id": rule.id,
                    "title": rule.title,
                    "level": rule.level,
                    "status": rule.status,
                    "tags": rule.tags,
                    "author": rule.author,
                    "description": rule.description,
                    "path": rule.path,
                    "tactics": tactics(rule.tags),
                    "techniques": named,
                }
            )
        return number


def packed(text: bytes) -> bytes:
    """Return ``text`` as the page unpacks it: zlib, base64."""
    return base64.b64encode(zlib.compress(text, _LEVEL))


def plain_json(value: Any) -> bytes:
    """Encode anything that a log may hold: orjson where it can, the patient way where it cannot."""
    try:
        return orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER | orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):
        # A number beyond 2^53, a lone surrogate, NaN inside a subclass, bytes, or very deep nesting.
        return json.dumps(_tame(value, 0), separators=(",", ":")).encode("ascii")


def script_json(encoded: bytes) -> bytes:
    r"""Make JSON safe inside a script element: no ``<``, ``>``, ``&`` and no line separators."""
    for raw, escaped in (
        (b"<", b"\\u003c"),
        (b">", b"\\u003e"),
        (b"&", b"\\u0026"),
        (b"\xe2\x80\xa8", b"\\u2028"),
        (b"\xe2\x80\xa9", b"\\u2029"),
    ):
        encoded = encoded.replace(raw, escaped)
    return encoded


def _cut(value: Any, longest: int, depth: int) -> Any:
    """Return ``value`` with every text longer than ``longest`` characters cut."""
    if isinstance(value, str):
        rest = len(value) - longest
        return value if rest <= 0 else f"{value[:longest]} … [+{rest} characters; see the source]"
    if depth < _DEEPEST and isinstance(value, dict):
        return {key: _cut(item, longest, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [_cut(item, longest, depth + 1) for item in value]
    return value


def _same(held: object, matched: object) -> bool:
    """Return whether the event holds what matched, as JSON tells values apart (True is not 1)."""
    return held is matched or (type(held) is type(matched) and held == matched)


def _tame(value: Any, depth: int) -> Any:
    """Return ``value`` as something that both ``json`` and a browser take without loss."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if -_SAFE_INTEGER < value < _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if depth >= _DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {str(key): _tame(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tame(item, depth + 1) for item in value]
    return str(value)


def milliseconds(time: str | None) -> int | None:
    """Return a finding's time in milliseconds since 1970, None where it has none that can be read."""
    if time is None:
        return None
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)
