"""What the columns of a table of indicators, or the keys of its objects, are for, told by their names.

- One column may hold any kind (``indicator``, ``ioc_value``); else each that is named for a kind counts, such
  as ``md5_hash`` beside ``sha256_hash``. Of a row with a URL, the host of that URL is no indicator of its
  own: it may be a hacked site's, or a file service's.
- A host's name alone (``hostname``) counts where there is no other: it may be what an address is called.
- Names are compared without case, marks and what stands in brackets; the Vietnamese of warnings is known.

Input is not trusted.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from haidang.intel.feeds._entries import add, cut, seconds, technique_tags, tlp_of
from haidang.intel.feeds.misp import TYPES, add_attribute
from haidang.intel.observables import indicator_of, normalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from haidang.intel.model import Reading
    from haidang.limits import Limits

__all__ = ["Cells", "add_row", "columns_of"]

Cells = dict[str, list[str]]
"""What a row says: meaning to the cells of such columns, without the empty ones."""

_ANY = ("value", "indicator", "ioc", "ioc_value", "indicator_value", "observable", "giá_trị", "dấu_hiệu",
        "chỉ_dấu", "chỉ_số_ioc")  # fmt: skip
_OF_KIND = {
    "ip": ("ip", "ip_address", "ipv4", "ipv6", "dst_ip", "cidr", "network", "địa_chỉ_ip"),
    "domain": ("domain", "domain_name", "fqdn", "tên_miền"),
    "url": ("url", "uri", "đường_dẫn", "liên_kết"),
    "hash": ("hash", "file_hash", "md5", "md5_hash", "sha1", "sha1_hash", "sha_1", "sha256", "sha256_hash",
             "sha_256", "sha512", "sha512_hash", "mã_băm", "hàm_băm"),
    "imphash": ("imphash",),
    "email": ("email", "email_address", "thư_điện_tử"),
}  # fmt: skip
_LAST = ("hostname", "host", "máy_chủ")
_NAMES = {
    "kind": ("type", "kind", "ioc_type", "indicator_type", "loại", "loại_ioc"),
    "name": ("name", "title", "description", "comment", "malware_printable", "malware", "threat", "signature",
             "event_info", "ghi_chú", "mô_tả", "tên", "tags"),
    "id": ("id", "uuid", "ioc_id"),
    "confidence": ("confidence", "confidence_level", "score", "abuseconfidencescore", "độ_tin_cậy"),
    "tlp": ("tlp",),
    "valid_from": ("valid_from", "first_seen", "first_seen_utc", "dateadded", "date_added"),
    "valid_until": ("valid_until", "expires", "expiry", "expiration", "expires_at"),
    "tags": ("technique", "techniques", "attack", "mitre", "tags", "attribute_tag", "event_tag"),
    "to_ids": ("to_ids",),
}  # fmt: skip
_EVERY = frozenset({"tags"})
"""Meanings of which every column counts, not the first one only."""
_KINDS = {
    **dict.fromkeys(("ip", "ipv4", "ipv6", "ipv4-addr", "ipv6-addr", "ip-dst", "ip-src"), "ip"),
    **dict.fromkeys(("cidr", "network"), "network"),
    **dict.fromkeys(("domain", "domain-name", "hostname", "tên miền"), "domain"),
    **dict.fromkeys(("url", "uri"), "url"),
    **dict.fromkeys(("hash", "md5", "sha1", "sha256", "md5_hash", "sha1_hash", "sha256_hash"), "hash"),
    **dict.fromkeys(("email", "email-addr"), "email"),
}
_BRACKETS = re.compile(r"\([^)]*\)")
_MARKS = re.compile(r"[\W_]+")


def _spelled(name: str) -> str:
    plain = _BRACKETS.sub(" ", unicodedata.normalize("NFC", name).lower())
    return _MARKS.sub("_", plain).strip("_")


def columns_of(header: Sequence[str]) -> dict[str, list[int]]:
    """Return what columns are for, by their names: meaning to places, {} where none holds indicators."""
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        places.setdefault(_spelled(name), place)

    def at(names: Sequence[str]) -> list[int]:
        return [place for name in names if (place := _place(name, places)) is not None]

    found: dict[str, list[int]] = {}
    if of_any := at(_ANY)[:1]:
        found["any"] = of_any
    else:
        found = {kind: at(names) for kind, names in _OF_KIND.items() if at(names)}
        if not found and (last := at(_LAST)[:1]):
            found["any"] = last
    if not found:
        return {}
    for meaning, names in _NAMES.items():
        if several := at(names):
            found[meaning] = several if meaning in _EVERY else several[:1]
    return found


def _place(name: str, places: dict[str, int]) -> int | None:
    """Return the column of a name; a Vietnamese one may say more: ``Tên miền độc hại``."""
    if name in places or name.isascii():
        return places.get(name)
    return next((place for written, place in places.items() if written.startswith(f"{name}_")), None)


def add_row(reading: Reading, limits: Limits, row: str, cells: Mapping[str, list[str]]) -> None:
    """Add the indicators of a row, or count why it has none; ``row`` is what it is called."""

    def first(meaning: str) -> str:
        return next(iter(cells.get(meaning, ())), "")

    tags = cells.get("tags", [])
    known: dict[str, Any] = {
        "name": cut(first("name")),
        "id": cut(first("id")),
        "confidence": _confidence(first("confidence")),
        "tlp": tlp_of([*map(_labelled, cells.get("tlp", ())), *re.split(r"[,;]", ",".join(tags))]),
        "valid_from": seconds(first("valid_from") or None),
        "valid_until": seconds(first("valid_until") or None),
        "tags": technique_tags(tags),
    }
    if first("to_ids").lower() in {"0", "false", "no"}:
        reading.refuse(cut(first("any")) or row, "not meant for detection (to_ids)")
        return
    found = 0
    for value in cells.get("any", ()):
        found += 1
        _add_any(reading, limits, row, value, first("kind").lower(), known)
    hosts = {host for value in cells.get("url", ()) if (host := _host_of(value))}
    for kind in _OF_KIND:
        for value in cells.get(kind, ()):
            found += 1
            if kind in {"ip", "domain"} and normalised(kind, value) in hosts:
                continue
            _add_of_kind(reading, limits, row, value, kind, known)
    if not found:
        reading.refuse(row, "the column of the indicator is empty")


def _labelled(text: str) -> str:
    return text if text.lower().startswith("tlp:") else f"tlp:{text}"


def _host_of(url: str) -> str:
    spelled = normalised("url", url) or ""
    found = indicator_of(spelled.partition("/")[0])
    return found[1] if found else ""


def _add_any(
    reading: Reading, limits: Limits, row: str, value: str, written: str, known: dict[str, Any]
) -> None:
    if "|" in value and "|" in TYPES.get(written, ""):
        add_attribute(reading, limits, {"type": written, "value": value}, known)
        return
    kind = _KINDS.get(written, "")
    found = indicator_of(value)
    if kind and (found is None or found[0] != kind):
        found = (kind, value)
    if found is None and written in TYPES:
        add_attribute(reading, limits, {"type": written, "value": value}, known)
    elif found is None:
        reading.refuse(f"{row}: {cut(value)}", "no address, name, URL, hash or mail address")
    else:
        add(reading, limits, *found, **known)


def _add_of_kind(
    reading: Reading, limits: Limits, row: str, value: str, kind: str, known: dict[str, Any]
) -> None:
    """Add what a column of one kind holds; a cell may hold several, as those of warnings do."""
    if kind == "imphash":
        value, kind = f"imphash:{value}", "hash"
    parts = [value] if kind == "url" else re.split(r"[\s,;]+", value)
    for part in filter(None, parts):
        found = indicator_of(part)
        if found is not None and (found[0] == kind or kind in {"ip", "domain"}):
            add(reading, limits, *found, **known)
        elif kind == "hash" and part.lower() in {"n/a", "imphash:n/a", "imphash:", "-"}:
            continue
        else:
            reading.refuse(f"{row}: {cut(part)}", "no address, name, URL, hash or mail address")


def _confidence(text: str) -> int:
    word = text.strip().rstrip("%").lower()
    words = {"high": 85, "medium": 50, "low": 15, "none": 0, "cao": 85, "trung bình": 50, "thấp": 15}
    if word in words:
        return words[word]
    return min(100, int(word)) if word.isascii() and word.isdigit() and len(word) <= 3 else -1
