"""CSV: a column of indicators, its neighbours say what is known of them.

With a header, columns are found by name (``value``, ``indicator``, ``ioc``, ``type``, ``confidence``,
``valid_until`` …); without one, the first cell of a row that has the shape of an indicator is it. Lines that
begin with ``#`` are comments, but for a header that is written in one. Input is not trusted.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from haidang.intel.feeds._entries import add, cut, seconds, technique_tags, tlp_of
from haidang.intel.model import Reading
from haidang.intel.observables import indicator_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.limits import Limits

__all__ = ["FEED"]

_NAMES = {
    "value": ("value", "indicator", "ioc", "ioc_value", "indicator_value", "observable", "ip", "ip_address",
              "dst_ip", "domain", "hostname", "host", "url", "hash", "md5", "md5_hash", "sha1", "sha1_hash",
              "sha256", "sha256_hash", "email"),
    "kind": ("type", "kind", "ioc_type", "indicator_type"),
    "name": ("name", "title", "description", "comment", "malware", "malware_printable", "threat", "signature",
             "tags"),
    "id": ("id", "uuid", "ioc_id"),
    "confidence": ("confidence", "confidence_level", "score"),
    "tlp": ("tlp",),
    "valid_from": ("valid_from", "first_seen", "first_seen_utc", "dateadded", "date_added"),
    "valid_until": ("valid_until", "expires", "expiry", "expiration", "expires_at"),
    "tags": ("technique", "techniques", "attack", "mitre", "tags"),
}  # fmt: skip
_KINDS = {
    **dict.fromkeys(("ip", "ipv4", "ipv6", "ipv4-addr", "ipv6-addr", "ip-dst", "ip-src"), "ip"),
    **dict.fromkeys(("cidr", "network"), "network"),
    **dict.fromkeys(("domain", "domain-name", "hostname"), "domain"),
    **dict.fromkeys(("url", "uri"), "url"),
    **dict.fromkeys(("hash", "md5", "sha1", "sha256", "md5_hash", "sha1_hash", "sha256_hash"), "hash"),
    **dict.fromkeys(("email", "email-addr"), "email"),
}
_DELIMITERS = ",;\t|"
_LOOKED_AT = 30


class _Table:
    name = "csv"
    title = "CSV: a column of indicators, others say what is known of them"

    def recognises(self, data: bytes) -> int:
        rows = list(_rows(data[:65536]))[:_LOOKED_AT]
        if sum(len(row) > 1 for row in rows) * 2 <= len(rows):
            return 0
        if "value" in _columns(rows[0]):
            return 70
        return 55 if sum(_by_shape(row) is not None for row in rows) > len(rows) / 2 else 0

    def read(self, data: bytes, limits: Limits) -> Reading:
        reading = Reading()
        columns: dict[str, list[int]] | None = None
        for number, row in enumerate(_rows(data), start=1):
            if columns is None:
                columns = _columns(row)
                if "value" in columns:
                    continue
                columns = {}
            self._row(reading, limits, row, columns, number)
        return reading

    def _row(
        self, reading: Reading, limits: Limits, row: Sequence[str], columns: dict[str, list[int]], number: int
    ) -> None:
        def cells(name: str) -> list[str]:
            return [row[at].strip() for at in columns.get(name, ()) if at < len(row) and row[at].strip()]

        known: dict[str, Any] = {
            "name": cut(next(iter(cells("name")), "")),
            "id": cut(next(iter(cells("id")), "")),
            "confidence": _confidence(next(iter(cells("confidence")), "")),
            "tlp": tlp_of(
                text if text.lower().startswith("tlp:") else f"tlp:{text}" for text in cells("tlp")
            ),
            "valid_from": seconds(next(iter(cells("valid_from")), None)),
            "valid_until": seconds(next(iter(cells("valid_until")), None)),
            "tags": technique_tags(cells("tags")),
        }
        values = cells("value")
        if not columns:
            found = _by_shape(row)
            if found is None:
                reading.refuse(f"row {number}: {cut(' '.join(row))}", "no cell has the shape of an indicator")
            else:
                add(reading, limits, *found, **known)
            return
        if not values:
            reading.refuse(f"row {number}", "the column of the indicator is empty")
        kind = _KINDS.get(next(iter(cells("kind")), "").lower(), "")
        for value in values:
            found = indicator_of(value)
            if kind and (found is None or found[0] != kind):
                found = (kind, value)
            if found is None:
                reading.refuse(f"row {number}: {cut(value)}", "no address, name, URL, hash or mail address")
            else:
                add(reading, limits, *found, **known)


def _confidence(text: str) -> int:
    word = text.strip().rstrip("%").lower()
    words = {"high": 85, "medium": 50, "low": 15, "none": 0}
    if word in words:
        return words[word]
    return min(100, int(word)) if word.isascii() and word.isdigit() and len(word) <= 3 else -1


def _rows(data: bytes) -> Iterator[list[str]]:
    """Yield the rows that are no comment; a header may be written as the last comment before them."""
    lines = data.decode("utf-8", "replace").splitlines()
    comment = ""
    begin = 0
    while begin < len(lines) and (not lines[begin].strip() or lines[begin].lstrip().startswith("#")):
        comment = lines[begin].lstrip("# ") or comment
        begin += 1
    head = [comment] if any(mark in comment for mark in _DELIMITERS) else []
    sample = lines[begin : begin + _LOOKED_AT]
    delimiter = max(_DELIMITERS, key=lambda mark: sum(mark in line for line in sample))
    if head and "value" not in _columns(next(iter(_parsed(head, delimiter)), [])):
        head = []
    yield from _parsed(
        [*head, *(line for line in lines[begin:] if not line.lstrip().startswith("#"))], delimiter
    )


def _parsed(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    rows = csv.reader((line.replace("\0", "") for line in lines), delimiter=delimiter, skipinitialspace=True)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            continue
        if any(cell.strip() for cell in row):
            yield row


def _columns(row: Sequence[str]) -> dict[str, list[int]]:
    """Return what the columns of a header are for, {} where it is none."""
    spelled = [cell.strip().strip('"').lower().replace(" ", "_") for cell in row]
    found: dict[str, list[int]] = {}
    for meaning, names in _NAMES.items():
        places = [spelled.index(name) for name in names if name in spelled]
        if places:
            found[meaning] = places if meaning == "tags" else places[:1]
    return found if "value" in found else {}


def _by_shape(row: Sequence[str]) -> tuple[str, str] | None:
    return next((found for cell in row if (found := indicator_of(cell)) is not None), None)


FEED = _Table()
