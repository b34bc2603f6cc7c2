"""A million indicators in little memory: a look-up from a key to the rows of the indicators it is.

- Every indicator is a row. Its key, name and id lie in one block of bytes; what many share (source, level,
  TLP, tags) is a *class* that the row only numbers; times are 8 bytes each.
- A look-up halves its way through a sorted array of checksums, 8 bytes a row, and compares the key itself:
  two keys of one checksum are told apart, so that no answer depends on a hash.
- Before that, one bit of a table says for nearly all values that no checksum begins as theirs does.
- Networks are kept by prefix length; an address is looked up once for each length that occurs.
- Everything is flat bytes: a worker process shares it, and a file of it is read in one piece.

Built by :class:`IndexBuilder`. The plain twin is ``naive_rows``. The file is our own, from a private folder;
its digest is checked by whoever reads it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from functools import cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import msgspec

from haidang.intel.model import Indicator, level_of
from haidang.intel.observables import LETTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["INDEX_VERSION", "IndexBuilder", "IndicatorClass", "IndicatorIndex", "Row", "naive_rows"]

INDEX_VERSION = 2
_NEVER = (1 << 63) - 1
_MOST_CLASSES = 20_000
"""Classes of indicators; past it, further ones are told apart by source, kind and level only."""
_ALIGNED = 8
_LEAST_BITS, _MOST_BITS = 10, 26
"""Beginnings of checksums that the table of bits tells apart: some sixteen for each indicator."""


class IndicatorClass(msgspec.Struct, frozen=True, array_like=True):
    """What the indicators of one rule have in common."""

    source: str
    kind: str
    level: str
    tlp: str = ""
    tags: tuple[str, ...] = ()


class Row(NamedTuple):
    """One indicator, as evidence shows it."""

    kind: str
    value: str
    name: str
    id: str
    confidence: int
    valid_from: int | None
    valid_until: int | None
    of: IndicatorClass

    def holds_at(self, seconds: int, now: int) -> bool:
        """Return whether the indicator counts for an event of that time: see ``holds_between``."""
        return holds_between(self.valid_from, self.valid_until, seconds, now)


def holds_between(valid_from: int | None, valid_until: int | None, seconds: int, now: int) -> bool:
    """Return whether an indicator counts for an event.

    From ``valid_until`` on it does not. ``valid_from`` is when people learned of it, and attacks are older
    than what is known of them: it only keeps an indicator from counting before that moment has come.
    """
    return (valid_until is None or seconds < valid_until) and (valid_from is None or valid_from <= now)


class IndicatorIndex:
    """Look-ups over flat bytes; see the module's docstring."""

    def __init__(self, head: dict[str, Any], sections: dict[str, memoryview]) -> None:
        """Take over what ``IndexBuilder`` made."""
        self.classes: tuple[IndicatorClass, ...] = tuple(IndicatorClass(*one) for one in head["classes"])
        self._texts = sections["texts"]
        self._ends = sections["ends"].cast("Q")
        # A copy: to take an item out of an array is quicker than out of a view.
        self._sorted = array("Q")
        self._sorted.frombytes(sections["sorted"])
        self._present = sections["present"]
        self._shift: int = head["shift"]
        self._class_of = sections["class_of"].cast("I")
        self._confidence = sections["confidence"].cast("b")
        self._from = sections["from"].cast("q")
        self._until = sections["until"].cast("q")
        self._head = head
        self._sections = sections
        self._networks = _by_prefix(head["networks"])

    def __len__(self) -> int:
        """Return how many indicators there are."""
        return len(self._class_of)

    def lookup(self, key: str) -> list[int]:
        """Return the rows of the indicators whose key is ``key``, networks left out."""
        raw = key.encode("utf-8", "surrogatepass")
        wanted = crc32(raw)
        place = wanted >> self._shift
        if not self._present[place >> 3] >> (place & 7) & 1:
            return []
        table = self._sorted
        at = bisect_left(table, wanted << 32)
        found = []
        while at < len(table) and table[at] >> 32 == wanted:
            row = table[at] & 0xFFFFFFFF
            if self._key(row) == raw:
                found.append(row)
            at += 1
        return found

    def networks_of(self, address: str) -> list[int]:
        """Return the rows of the networks that an address lies in."""
        ip = ip_address(address)
        bits, width = int(ip), ip.max_prefixlen
        found: list[int] = []
        for length, bases in self._networks.get(ip.version, ()):
            found.extend(bases.get(bits >> (width - length), ()))
        return found

    def rows_of(self, keys: Iterable[str]) -> tuple[int, ...]:
        """Return the rows of all indicators that some keys meet, in order, each once."""
        found: list[int] = []
        for key in keys:
            found += self.lookup(key)
            if key[0] == "i" and self._networks:
                found += self.networks_of(key[2:])
        return tuple(sorted(set(found))) if found else ()

    def _slices(self, row: int) -> tuple[int, int, int, int]:
        at = row * 3
        start = self._ends[at - 1] if at else 0
        return start, self._ends[at], self._ends[at + 1], self._ends[at + 2]

    def _key(self, row: int) -> bytes:
        start, end, _, _ = self._slices(row)
        return bytes(self._texts[start:end])

    def class_of(self, row: int) -> int:
        """Return the number of a row's class."""
        return self._class_of[row]

    def row(self, row: int) -> Row:
        """Return what is known of an indicator."""
        start, key, name, ident = self._slices(row)
        texts = self._texts
        of = self.classes[self._class_of[row]]
        value = str(texts[start:key], "utf-8", "surrogatepass")
        begins, ends = self._from[row], self._until[row]
        return Row(
            of.kind,
            value.partition(":")[2],
            str(texts[key:name], "utf-8", "surrogatepass"),
            str(texts[name:ident], "utf-8", "surrogatepass"),
            self._confidence[row],
            None if begins == -_NEVER else begins,
            None if ends == _NEVER else ends,
            of,
        )

    def encoded(self) -> bytes:
        """Return all of it as bytes for ``IndicatorIndex.decoded``."""
        offsets: dict[str, tuple[int, int]] = {}
        parts: list[bytes | memoryview] = []
        at = 0
        for name, section in self._sections.items():
            offsets[name] = (at, section.nbytes)
            parts += [section.cast("B"), b"\0" * (-section.nbytes % _ALIGNED)]
            at += section.nbytes + -section.nbytes % _ALIGNED
        head = msgspec.msgpack.encode({**self._head, "sections": offsets, "version": INDEX_VERSION})
        padding = b"\0" * (-len(head) % _ALIGNED)
        return b"".join([len(head).to_bytes(8, "little"), head, padding, *parts])

    @staticmethod
    def decoded(data: memoryview) -> IndicatorIndex | None:
        """Return the index in bytes that ``encoded`` made; None for those of another version."""
        size = int.from_bytes(data[:8], "little")
        head = msgspec.msgpack.decode(data[8 : 8 + size])
        if head.get("version") != INDEX_VERSION:
            return None
        base = 8 + size + -size % _ALIGNED
        sections = {
            name: data[base + at : base + at + length] for name, (at, length) in head["sections"].items()
        }
        return IndicatorIndex(head, sections)


class IndexBuilder:
    """Takes indicators, one after another, and makes the index of them."""

    def __init__(self) -> None:
        """Start empty."""
        self._texts = bytearray()
        self._ends = array("Q")
        self._class_of = array("I")
        self._confidence = array("b")
        self._from = array("q")
        self._until = array("q")
        self._keys: list[int] = []
        self._networks: list[tuple[int, int, int, int]] = []
        self._classes: dict[IndicatorClass, int] = {}
        self._class: Callable[..., int] = cache(self._number_of)

    def add(self, indicator: Indicator, source: str) -> None:
        """Add an indicator that is looked up: any but a pattern."""
        row = len(self._class_of)
        kind = indicator.kind
        letter = LETTERS.get(kind, "n")
        key = f"{letter}:{indicator.value}".encode("utf-8", "surrogatepass")
        texts, ends = self._texts, self._ends
        for part in (
            key,
            indicator.name.encode("utf-8", "surrogatepass"),
            indicator.id.encode("utf-8", "surrogatepass"),
        ):
            texts += part
            ends.append(len(texts))
        self._class_of.append(
            self._class(source, kind, level_of(indicator.confidence), indicator.tlp, indicator.tags)
        )
        self._confidence.append(indicator.confidence)
        self._from.append(-_NEVER if indicator.valid_from is None else indicator.valid_from)
        self._until.append(_NEVER if indicator.valid_until is None else indicator.valid_until)
        if kind == "network":
            network = ip_network(indicator.value)
            base = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            self._networks.append((network.version, network.prefixlen, base, row))
        else:
            self._keys.append(crc32(key) << 32 | row)

    def _number_of(self, source: str, kind: str, level: str, tlp: str, tags: tuple[str, ...]) -> int:
        one = IndicatorClass(source, kind, level, tlp, tags)
        if one not in self._classes and len(self._classes) >= _MOST_CLASSES:
            one = IndicatorClass(source, kind, level, tlp)
        return self._classes.setdefault(one, len(self._classes))

    def finish(self) -> IndicatorIndex:
        """Return the index; the builder is of no further use."""
        self._keys.sort()
        sorted_keys = array("Q", self._keys)
        self._keys.clear()
        width = min(_MOST_BITS, max(_LEAST_BITS, len(sorted_keys).bit_length() + 4))
        present = bytearray(1 << (width - 3))
        for key in sorted_keys:
            place = key >> (64 - width)
            present[place >> 3] |= 1 << (place & 7)
        self._class = self._number_of
        sections: dict[str, Any] = {
            "texts": bytes(self._texts),
            "ends": self._ends,
            "sorted": sorted_keys,
            "present": bytes(present),
            "class_of": self._class_of,
            "confidence": self._confidence,
            "from": self._from,
            "until": self._until,
        }
        head = {
            "shift": 32 - width,
            "classes": [(one.source, one.kind, one.level, one.tlp, one.tags) for one in self._classes],
            # IPv6 does not fit the integers of the file's format.
            "networks": [
                (version, length, base.to_bytes(16, "big"), row)
                for version, length, base, row in self._networks
            ],
        }
        return IndicatorIndex(head, {name: memoryview(data).cast("B") for name, data in sections.items()})


def _by_prefix(
    networks: Iterable[Sequence[Any]],
) -> dict[int, list[tuple[int, dict[int, tuple[int, ...]]]]]:
    """Return, by version of IP, the prefix lengths with the networks of each."""
    found: dict[int, dict[int, dict[int, tuple[int, ...]]]] = {}
    for version, length, base, row in networks:
        bases = found.setdefault(version, {}).setdefault(length, {})
        number = int.from_bytes(base, "big")
        bases[number] = (*bases.get(number, ()), row)
    return {version: sorted(lengths.items()) for version, lengths in found.items()}


def naive_rows(indicators: Sequence[Indicator], keys: Iterable[str]) -> tuple[int, ...]:
    """Return the places of the indicators that some keys meet: the definition, one by one."""
    wanted = list(keys)
    found = []
    for at, one in enumerate(indicators):
        if one.kind == "network":
            network = ip_network(one.value)
            met = any(key[0] == "i" and ip_address(key[2:]) in network for key in wanted)
        else:
            met = f"{LETTERS[one.kind]}:{one.value}" in wanted
        if met:
            found.append(at)
    return tuple(found)
