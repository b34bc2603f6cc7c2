"""An indicator: one thing that is known to belong to an attack, and what is known of it.

Kinds and their values, always in the one spelling that :mod:`haidang.intel.observables` gives:

    ip        an address             network   a network in CIDR form
    domain    a name, and with it every name below it
    url       host, path and query; the scheme does not count
    hash      MD5, SHA-1, SHA-256, SHA-512 in hex; ``imphash:`` before an import hash
    email     an address             pattern   a STIX pattern that is more than equality

A :class:`Reading` is what reading a feed gives: the indicators, and the account of what could not be used.
Feeds are not trusted: what is wrong with one of their entries is counted and named, and the rest is used.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KINDS", "TLP", "Indicator", "Reading", "RefusedEntry", "level_of"]

KINDS = ("ip", "network", "domain", "url", "hash", "email", "pattern")
TLP = ("clear", "green", "amber", "amber+strict", "red")

_MOST_NAMED = 200
"""Refusals of one reason that are kept with what they refused; further ones are only counted."""
_LONGEST_NAME = 200


class Indicator(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One indicator."""

    kind: str
    value: str
    name: str = ""
    """What the feed calls it, "" where it says nothing."""
    id: str = ""
    """The feed's own id, e.g. ``indicator--…``; "" where it has none."""
    confidence: int = -1
    """0 to 100, -1 where nobody said."""
    tlp: str = ""
    """One of ``TLP``, or ""."""
    valid_from: int | None = None
    """Seconds since 1970, UTC."""
    valid_until: int | None = None
    """Seconds since 1970, UTC; from then on it does not hold any more."""
    tags: tuple[str, ...] = ()
    """Such as ``attack.t1071``."""


class RefusedEntry(msgspec.Struct, frozen=True, array_like=True):
    """Why an entry of a feed is not used."""

    what: str
    """The entry: its name, id or text, cut to a readable length."""
    reason: str


@dataclass(slots=True)
class Reading:
    """What reading a feed came to."""

    indicators: list[Indicator] = field(default_factory=list)
    refused: list[RefusedEntry] = field(default_factory=list)
    """Entries that cannot be used: of each reason, the first ones by name."""
    withdrawn: list[str] = field(default_factory=list)
    """Ids of indicators that the feed has taken back."""
    counts: Counter[str] = field(default_factory=Counter)
    """Reason to how many entries it refused."""

    def refuse(self, what: str, reason: str) -> None:
        """Count an entry that cannot be used, and name it unless there are many of its kind."""
        self.counts[reason] += 1
        if self.counts[reason] <= _MOST_NAMED:
            self.refused.append(RefusedEntry(what[:_LONGEST_NAME], reason))

    def reasons(self) -> Iterator[tuple[str, int]]:
        """Yield the reasons with how often each held, the commonest first."""
        yield from sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))


def level_of(confidence: int) -> str:
    """Return the level of a finding; an indicator alone, however sure, is no proof of an attack."""
    if confidence < 0:
        return "medium"
    if confidence >= 70:
        return "high"
    return "medium" if confidence >= 30 else "low"
