"""Whom a finding is about, by which alerts are told apart.

Rules of this module:

- The host that the event speaks of; else the group of a correlation; else a user, an address, and at last the
  source that sent it.
- Case does not count in names, nor does a full stop at the end.
- Names are untrusted: they are bounded, and one that is too long keeps its beginning and a digest.
"""

from __future__ import annotations

from hashlib import blake2b
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from haidang.console.alerts.storing import storable_text
from haidang.findings.entities import entities

if TYPE_CHECKING:
    from haidang.findings.model import Finding

__all__ = ["Entity", "bounded", "entity_of"]

_MOST = 255


class Entity(NamedTuple):
    """Whom something is about."""

    kind: str
    """host, address, user, group or source."""
    name: str
    address: str = ""
    """The address by which an asset may be known, where the event names no host."""


def entity_of(finding: Finding, source: str) -> Entity:
    """Return whom a finding of a source, given by its name, is about."""
    if finding.host:
        return _named("host", finding.host)
    if finding.group:
        values = [str(value) for value in finding.group.values() if value is not None]
        if values:
            only = _named("group", values[0]) if len(values) == 1 else None
            if only is not None and only.kind == "address":
                return only
            return _named("group", ", ".join(values))
    told = entities(finding.event)
    if told.user:
        address = told.source_ip or told.destination_ip
        return _named("user", told.user)._replace(address=address)
    if told.source_ip or told.destination_ip:
        return _named("address", told.source_ip or told.destination_ip)
    return _named("source", source or "?")


def bounded(text: str, most: int) -> str:
    """Return a text of at most ``most`` characters; one that is longer ends in a digest of all of it."""
    if len(text) <= most:
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{text[: most - 17]}…{digest}"


def _named(kind: str, name: str) -> Entity:
    folded = storable_text(name).strip().lower().removesuffix(".")
    try:
        address = str(ip_address(folded))
    except ValueError:
        return Entity(kind, bounded(folded, _MOST))
    return Entity(kind if kind == "host" else "address", address, address)
