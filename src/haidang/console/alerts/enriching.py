"""Which asset, and which unit, a name in a log means.

Rules of this module:

- A source speaks for its own unit and those below it alone: two schools may each have a ``PC01`` and a
  ``192.168.1.10``. A source that nobody knows may mean any asset.
- A host name counts in whole, or by its first label where only one asset has that label and one of both names
  has no domain. An address counts by the smallest network that holds it, a name also by the longest domain
  that it ends in.
- What no asset is known for belongs to the source's unit.
"""

from __future__ import annotations

import time
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, NamedTuple

from haidang.console.units.models import AssetName, Criticality

if TYPE_CHECKING:
    from haidang.console.alerts.entities import Entity

__all__ = ["Assets", "Place"]

_FRESH_SECONDS = 10.0
_MOST_KNOWN = 100_000


class Place(NamedTuple):
    """Where something belongs."""

    unit: int | None
    path: str
    """The unit's path, "" where it is not known."""
    asset: int | None = None
    criticality: int = Criticality.MEDIUM


class Assets:
    """The assets' names in memory, read again when they are ten seconds old."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._read = -_FRESH_SECONDS
        self._hosts: dict[str, list[Place]] = {}
        self._labels: dict[str, list[tuple[str, Place]]] = {}
        self._domains: dict[str, list[Place]] = {}
        self._networks: dict[tuple[int, int], dict[int, list[Place]]] = {}
        """(IP version, prefix length) to (the prefix's bits to its assets)."""
        self._known: dict[tuple[str, str, int | None], Place] = {}

    def refresh(self) -> None:
        """Read the names again if that is due."""
        if time.monotonic() - self._read < _FRESH_SECONDS:
            return
        self._hosts, self._labels, self._domains, self._networks, self._known = {}, {}, {}, {}, {}
        rows = AssetName.objects.values_list(
            "kind", "value", "asset_id", "asset__criticality", "asset__unit_id", "asset__unit__path"
        )
        for kind, value, asset, criticality, unit, path in rows.order_by("id").iterator():
            self._add(kind, value.strip().lower().removesuffix("."), Place(unit, path, asset, criticality))
        self._read = time.monotonic()

    def _add(self, kind: str, value: str, place: Place) -> None:
        if kind == AssetName.Kind.NETWORK:
            try:
                network = ip_network(value, strict=False)
            except ValueError:
                return
            size = (network.version, network.prefixlen)
            bits = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            self._networks.setdefault(size, {}).setdefault(bits, []).append(place)
        elif kind == AssetName.Kind.DOMAIN:
            self._domains.setdefault(value.removeprefix("*").removeprefix("."), []).append(place)
        else:
            self._hosts.setdefault(value, []).append(place)
            self._labels.setdefault(value.partition(".")[0], []).append((value, place))

    def find(self, entity: Entity, home: Place) -> Place:
        """Return where an entity belongs that a source of the unit ``home`` speaks of."""
        key = (entity.name, entity.address, home.unit)
        place = self._known.get(key)
        if place is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            place = self._known[key] = self._find(entity, home) or home
        return place

    def _find(self, entity: Entity, home: Place) -> Place | None:
        if entity.kind == "host" and not entity.address:
            return self._host(entity.name, home)
        return self._address(entity.address, home) if entity.address else None

    def _host(self, name: str, home: Place) -> Place | None:
        found = _of(self._hosts.get(name, ()), home)
        if found:
            return found[0]
        label, _, domain = name.partition(".")
        alike = [place for other, place in self._labels.get(label, ()) if not domain or "." not in other]
        found = _of(alike, home)
        if len(found) == 1:
            return found[0]
        while domain:
            found = _of(self._domains.get(domain, ()), home)
            if found:
                return found[0]
            domain = domain.partition(".")[2]
        return None

    def _address(self, text: str, home: Place) -> Place | None:
        address: IPv4Address | IPv6Address = ip_address(text)
        number, longest = int(address), address.max_prefixlen
        for version, length in sorted(self._networks, key=lambda size: -size[1]):
            if version == address.version:
                found = _of(self._networks[version, length].get(number >> (longest - length), ()), home)
                if found:
                    return found[0]
        # Logs may name a host by its address alone, and inventories likewise.
        found = _of(self._hosts.get(text, ()), home)
        return found[0] if found else None


def _of(places: list[Place] | tuple[Place, ...], home: Place) -> list[Place]:
    return [place for place in places if place.path.startswith(home.path)]
