"""What the grammar of patterns allows and is refused all the same, each with its reason and an example.

The reference page is made of this, and a test holds each example to its reason.
"""

from __future__ import annotations

from typing import NamedTuple

from haidang.intel.patterns.model import PatternError

__all__ = ["REFUSALS", "RefusedKind", "refusal"]


class RefusedKind(NamedTuple):
    """A kind of pattern that cannot be used."""

    what: str
    """In the words of the reference page."""
    example: str
    reason: str
    """A template for ``str.format``; its Vietnamese is in ``details.po``."""


REFUSALS: dict[str, RefusedKind] = {
    "path": RefusedKind(
        "an object path that is not in the table above",
        "[mutex:name = 'm']",
        "no log that is read here tells {0}",
    ),
    "hash": RefusedKind(
        "a hash other than MD5, SHA-1, SHA-256, SHA-512 and import hashes (`IMPHASH`)",
        "[file:hashes.SSDEEP = '3:AXGBicFlgV:AXGHsV']",
        "no log that is read here holds a {0} hash",
    ),
    "binary": RefusedKind(
        "a binary or hexadecimal constant",
        "[file:name = h'ffd8']",
        "binary and hex constants are not supported: logs hold text",
    ),
    "time": RefusedKind(
        "a comparison with a time",
        "[file:name = t'2026-01-01T00:00:00Z']",
        "comparisons with a time are not supported: no object path that logs tell is one",
    ),
    "text": RefusedKind(
        "a constant that is not of the path's type",
        "[ipv4-addr:value = 3]",
        "{0} holds texts; {1} is none",
    ),
    "value": RefusedKind(
        "a value that the path can never have",
        "[ipv4-addr:value = 'nonsense']",
        "the value {0} is not {1}",
    ),
    "order": RefusedKind(
        "an order of anything but numbers",
        "[file:name > 'a']",
        "{0} compares numbers; {1} is none",
    ),
    "network": RefusedKind(
        "a network that is none",
        "[network-traffic:src_ref.value ISSUBSET 'x']",
        "{0} needs an address or a network; {1} is none",
    ),
    "expression": RefusedKind(
        "a regular expression that cannot be run, or not in bounded time",
        "[file:name MATCHES '(']",
        "the regular expression {0} cannot be run: {1}",
    ),
    "empty": RefusedKind(
        "an empty set, which nothing is in",
        "[file:name IN ()]",
        "IN () holds for nothing",
    ),
    "absent": RefusedKind(
        "`NOT EXISTS`: that a log does not tell a thing does not say that it was not there",
        "[file:name = 'a.exe' AND NOT EXISTS file:hashes.MD5]",
        "NOT EXISTS is not supported: what a log leaves out may have been there",
    ),
    "startstop": RefusedKind(
        "`START … STOP`: an indicator has its own times",
        "[file:name = 'a.exe'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
        "START … STOP, fixed times inside a pattern, is not supported",
    ),
    "nested": RefusedKind(
        "`AND`, `FOLLOWEDBY` and qualifiers inside one another",
        "([file:name = 'a'] AND [file:name = 'b']) FOLLOWEDBY [file:name = 'c']",
        "AND, FOLLOWEDBY and qualifiers inside one another are not supported",
    ),
    "count": RefusedKind(
        "`REPEATS 0 TIMES`, or more than 100,000 times",
        "[file:name = 'a'] REPEATS 0 TIMES",
        "REPEATS needs a number above 0 and up to {0}",
    ),
    "seconds": RefusedKind(
        "`WITHIN 0 SECONDS`",
        "([file:name = 'a'] AND [file:name = 'b']) WITHIN 0 SECONDS",
        "WITHIN needs a number above 0",
    ),
}


def refusal(code: str, *values: object) -> PatternError:
    """Return the error of a kind, to be raised; give parts of the pattern ``quoted`` or ``shortened``."""
    return PatternError(REFUSALS[code].reason.format(*values))
