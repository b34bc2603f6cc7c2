"""Arranged rules on disk, so that a second start arranges nothing.

One file holds, for the rules of one identity, the arrangement of each logsource's rules as ``marshal``
data, decoded when events of that kind come. It lies in the same private folder as the compiled rules and
follows the same rules (:mod:`haidang.sigma.cache`): the user's own, whole or not there, with a digest;
whatever is wrong with it, the rules are arranged again.

    magic, digest of all that follows, length of the index, index (marshal: logsource → start, length,
    keywords), data
"""

from __future__ import annotations

import hashlib
import marshal
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.detect.arranging import ARRANGEMENT_VERSION, arrange_rules, rule_keywords
from haidang.sigma.cache import read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from haidang.detect.arranging import Arranged
    from haidang.sigma.ir import LogSource
    from haidang.sigma.loading import LoadedRules

__all__ = ["Prepared", "prepared"]


class Prepared(NamedTuple):
    """What is kept of one logsource's rules."""

    arranged: Callable[[], Arranged]
    """Decodes the arrangement."""
    keywords: list[list[tuple[Any, ...]]]
    """The keywords of each rule that has any."""


_MAGIC = b"haidang tables\n"
_LENGTH = struct.Struct("<Q")
_DIGEST = 32
_START = len(_MAGIC) + _DIGEST + _LENGTH.size


def prepared(loaded: LoadedRules, folder: Path | None) -> dict[LogSource, Prepared]:
    """Return, for each logsource, what gives the arrangement of its rules; {} where nothing can be kept."""
    if folder is None or not loaded.identity:
        return {}
    name = (
        hashlib.blake2b(f"{loaded.identity} {ARRANGEMENT_VERSION}".encode(), digest_size=16).hexdigest()
        + ".tables"
    )
    data = read_private(folder, name)
    if data is None or not _fits(data):
        data = _encoded(loaded)
        write_private(folder, name, data)
    return _lazily(data)


def _fits(data: bytes) -> bool:
    rest = memoryview(data)[len(_MAGIC) + _DIGEST :]
    digest = hashlib.blake2b(rest, digest_size=_DIGEST).digest()
    return (
        data.startswith(_MAGIC) and len(data) > _START and data[len(_MAGIC) : len(_MAGIC) + _DIGEST] == digest
    )


def _encoded(loaded: LoadedRules) -> bytes:
    index: dict[tuple[str, ...], tuple[int, int, list[Any]]] = {}
    blobs: list[bytes] = []
    start = 0
    for logsource, group in loaded.groups.items():
        conditions = [rule.condition for rule in group]
        blob = marshal.dumps(arrange_rules(conditions))
        keywords = [[tuple(test) for test in tests] for tests in rule_keywords(conditions)]
        index[tuple(logsource)] = (start, len(blob), keywords)
        blobs.append(blob)
        start += len(blob)
    head = marshal.dumps(index)
    rest = b"".join([_LENGTH.pack(len(head)), head, *blobs])
    return _MAGIC + hashlib.blake2b(rest, digest_size=_DIGEST).digest() + rest


def _lazily(data: bytes) -> dict[LogSource, Prepared]:
    from haidang.sigma.ir import LogSource

    (length,) = _LENGTH.unpack_from(data, _START - _LENGTH.size)
    base = _START + length
    index: dict[tuple[str, ...], tuple[int, int, list[Any]]] = _loads(data[_START:base])

    def decoder(start: int, size: int) -> Callable[[], Arranged]:
        return lambda: _loads(data[base + start : base + start + size])

    return {
        LogSource(*logsource): Prepared(decoder(start, size), keywords)
        for logsource, (start, size, keywords) in index.items()
    }


def _loads(data: bytes) -> Any:
    return marshal.loads(data)  # noqa: S302 - only from the user's own file, after its digest was checked
