"""Cuts a STIX pattern into tokens, as the specification's grammar does (sections 9.2 and 9.3).

A token is (kind, value); kinds:

    string number bool   Python's own value
    time hex binary      the text between the quotes
    keyword              AND, WITHIN …: written in capitals, and then never a name
    name                 any other word; with a hyphen only object types are written so without quotes, but a
                         step such as ``hashes.SHA-256`` is common and has one meaning only
    mark                 operators and brackets
    end                  after the last one

The text is not trusted; each expression here is linear.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from haidang.intel.patterns.model import PatternError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["END", "Token", "tokens"]

Token = tuple[str, Any]
END: Token = ("end", "")

_KEYWORDS = frozenset(
    (
        *("AND", "OR", "NOT", "FOLLOWEDBY", "WITHIN", "SECONDS", "REPEATS", "TIMES", "START", "STOP", "LAST"),
        *("IN", "LIKE", "MATCHES", "ISSUPERSET", "ISSUBSET", "EXISTS", "true", "false"),
    )
)
_LONGEST_NUMBER = 300
"""Digits; a longer one is no number of a log, and Python would not read some of them."""
_SPACE = " \t\r\n\v\f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SKIPPED = re.compile(rf"[{_SPACE}]+|/\*.*?\*/|//[^\r\n]*", re.DOTALL)
_TOKEN = re.compile(
    r"""
      t'(?P<time>[0-9]{4}-(?:0[1-9]|1[012])-(?:0[1-9]|[12][0-9]|3[01])
                T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?Z)'
    | h'(?P<hex>(?:[0-9A-Fa-f]{2})*)'
    | b'(?P<binary>(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==))'
    | '(?P<string>(?:[^'\\]|\\['\\])*)'
    | (?P<number>[+-]?(?:[0-9]*\.[0-9]+|0|[1-9][0-9]*))
    | (?P<word>[A-Za-z_][A-Za-z0-9_-]*)
    | (?P<mark><=|>=|!=|<>|==|[\[\]().:,*=<>])
    """,
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PREFIXES = {"t": "a time", "h": "a hexadecimal constant", "b": "a binary constant"}


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a pattern.

    Raises:
        PatternError: There is something that is none.
    """
    at = 0
    while at < len(text):
        if skipped := _SKIPPED.match(text, at):
            at = skipped.end()
            continue
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise PatternError(_unreadable(text, at))
        at = match.end()
        yield _token(match.lastgroup, match[match.lastgroup], text, at)


def _token(kind: str, written: str, text: str, end: int) -> Token:
    if kind == "word":
        if written in _PREFIXES and text.startswith("'", end):
            raise PatternError(f"{_PREFIXES[written]} is not written like {text[end - 1 : end + 30]!r}")
        if written in {"true", "false"}:
            return "bool", written == "true"
        return ("keyword" if written in _KEYWORDS else "name"), written
    if kind == "number":
        return kind, _number(written)
    return kind, _ESCAPED.sub(r"\1", written) if kind == "string" else written


def _number(written: str) -> int | float:
    if len(written) > _LONGEST_NUMBER:
        raise PatternError(f"a number has more than {_LONGEST_NUMBER} digits")
    return float(written) if "." in written else int(written)


def _unreadable(text: str, at: int) -> str:
    if text[at] == "'":
        return (
            f"the text that begins with {text[at : at + 20]!r} has no end, or a backslash that is not doubled"
        )
    return f"what begins with {text[at : at + 20]!r} is no part of a pattern"
