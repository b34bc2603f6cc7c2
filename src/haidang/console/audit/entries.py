"""What an entry says, as bytes: the same bytes whenever and wherever they are made anew.

Rules:

- JSON with sorted keys and no spaces; times in UTC with microseconds. There are no floating-point numbers in
  it (databases write them differently): they are kept as texts.
- NUL characters, which PostgreSQL cannot keep, and lone surrogates are replaced before they are stored.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.crypto.merkle import hash_leaf

if TYPE_CHECKING:
    from haidang.console.audit.models import Entry

__all__ = ["canonical", "leaf_of", "plain"]

_TEXTS = ("actor", "address", "action", "object_kind", "object_id", "object_name", "unit_path")


def canonical(entry: Entry) -> bytes:
    """Return the bytes of an entry that its leaf is made of."""
    said: dict[str, Any] = {name: getattr(entry, name) for name in _TEXTS}
    said["number"] = entry.number
    said["at"] = entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    said["before"], said["after"] = entry.before, entry.after
    return msgspec.json.encode(said, order="sorted")


def leaf_of(entry: Entry) -> bytes:
    """Return the hash of an entry (RFC 6962, section 2.1)."""
    return hash_leaf(canonical(entry))


def plain(value: Any) -> Any:
    """Return a value as an entry keeps it: texts, whole numbers, truth values, lists and objects."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {plain(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [plain(item) for item in items]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return plain(str(value))
