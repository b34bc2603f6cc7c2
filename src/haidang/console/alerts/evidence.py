"""Evidence for people: which part of a value satisfied which test, and the test in words.

Findings quote logs and rules, both untrusted: everything here returns plain texts, which templates escape.
Literals are looked for in the value; of a rule's regular expression RE2 says, in linear time, where it
matched.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import gettext

from haidang.findings.outputs._html_spans import regex_span
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Field", "Part", "Proof", "proofs", "rest", "shown"]

_QUOTED = re.compile(r"(.*?)\s*'(.*)'\s*\S*", re.DOTALL)
_LONGEST = 20_000
"""Characters of a value that are shown."""
_ODD = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")

_WORDS = {
    "equals": N_("is %(value)s"),
    "contains": N_("contains %(value)s"),
    "startswith": N_("begins with %(value)s"),
    "endswith": N_("ends with %(value)s"),
    "re": N_("fits the expression %(value)s"),
    "cidr": N_("lies in the network %(value)s"),
    "gt": N_("is more than %(value)s"),
    "gte": N_("is at least %(value)s"),
    "lt": N_("is less than %(value)s"),
    "lte": N_("is at most %(value)s"),
    "group-by": N_("what the events have in common"),
    "exists": N_("is there"),
}


class Part(NamedTuple):
    """A piece of a value."""

    text: str
    marked: bool


class Field(NamedTuple):
    """A field of the event and its value."""

    name: str
    value: str


class Proof(NamedTuple):
    """A field that a rule looked at: its value in parts, and the tests that it satisfied, in words."""

    field: str
    parts: list[Part]
    tests: list[str]


def proofs(finding: dict[str, Any]) -> list[Proof]:
    """Return the matched fields of a finding, each once, in the order of the rule."""
    tests: dict[tuple[str, str], list[str]] = {}
    for match in finding.get("matched") or ():
        key = (str(match.get("field", "")), shown(match.get("value")))
        tests.setdefault(key, []).append(str(match.get("test", "")))
    return [
        Proof(
            name,
            _parts(value, [span for test in said for span in _spans(value, test)]),
            [_words(t) for t in said],
        )
        for (name, value), said in tests.items()
    ]


def rest(finding: dict[str, Any]) -> list[Field]:
    """Return the fields of the event beside those that matched."""
    matched = {match.get("field") for match in finding.get("matched") or ()}
    event = finding.get("event")
    pairs = event.items() if isinstance(event, dict) else ()
    return [Field(visible(str(name)), shown(value)) for name, value in pairs if name not in matched]


def shown(value: Any) -> str:
    """Return a value as text; characters that hide or turn others round are named."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return visible(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def visible(text: str) -> str:
    """Return a text whose invisible characters are named, as U+202E."""
    return _ODD.sub(lambda odd: f"⟨U+{ord(odd[0]):04X}⟩", text)


def _words(test: str) -> str:
    quoted = _QUOTED.fullmatch(test)
    operator, _, value = (quoted[1], "", quoted[2]) if quoted else test.partition(" ")
    said = _WORDS.get(operator.split("|")[0].lower())
    return gettext(said) % {"value": visible(value)} if said else visible(test)


def _spans(value: str, test: str) -> list[tuple[int, int]]:
    if test.startswith("re"):
        return _regex(value, test)
    quoted = _QUOTED.fullmatch(test)
    if quoted is None:
        return []
    operator, low = quoted[1].lower(), value.lower()
    if len(low) != len(value):  # Where lower case has another length, places would not fit.
        return []
    for literal in (quoted[2].lower(), quoted[2].lower().replace("\\\\", "\\")):
        at = _find(low, operator, literal)
        if at >= 0:
            return [(at, at + len(literal))]
    pieces = re.split(r"[*?]+", quoted[2].lower())
    return _in_order(low, pieces) if len(pieces) > 1 else []


def _find(text: str, operator: str, literal: str) -> int:
    if not literal:
        return -1
    if operator.startswith("endswith"):
        return len(text) - len(literal) if text.endswith(literal) else -1
    if operator.startswith("startswith"):
        return 0 if text.startswith(literal) else -1
    return text.find(literal)


def _in_order(text: str, pieces: Iterable[str]) -> list[tuple[int, int]]:
    spans, start = [], 0
    for piece in pieces:
        if not piece:
            continue
        at = text.find(piece, start)
        if at < 0:
            return []
        start = at + len(piece)
        spans.append((at, start))
    return spans


def _regex(value: str, test: str) -> list[tuple[int, int]]:
    span = regex_span(test, value, _LONGEST)
    if span is None:
        return []
    # Places are counted in UTF-16 units there.
    units = value.encode("utf-16-le", "surrogatepass")
    start, end = (len(units[: 2 * place].decode("utf-16-le", "surrogatepass")) for place in span)
    return [(start, end)]


def _parts(value: str, spans: list[tuple[int, int]]) -> list[Part]:
    parts, at = [], 0
    for start, end in sorted(spans):
        begin = max(start, at)
        if end <= begin:
            continue
        if begin > at:
            parts.append(Part(value[at:begin], marked=False))
        parts.append(Part(value[begin:end], marked=True))
        at = end
    if at < len(value) or not parts:
        parts.append(Part(value[at:], marked=False))
    return parts
