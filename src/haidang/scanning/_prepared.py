"""Arranged rules on disk, so that a second start arranges nothing.

One file holds, for the rules of one identity, the arrangement of each logsource's rules as ``marshal``
data, decoded when events of that kind come. It lies in the same private folder as the compiled rules and
follows the same rules (:mod:`haidang.sigma.private_files`): the user's own, whole or not there, with a
digest; whatever is wrong with it, the rules are arranged again. Logsource maps are kept likewise.

    magic, digest of all that follows, length of the index, index (marshal: logsource → start, length,
    keywords), data
"""

from __future__ import annotations

import hashlib
import marshal
import struct
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang._version import __version__
from haidang.detect.arranging import ARRANGEMENT_VERSION, arrange_rules, rule_keywords
from haidang.sigma.ir import LogSource, LogsourceEntry, LogsourceMap
from haidang.sigma.private_files import read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.detect.arranging import Arranged
    from haidang.sigma.loading import LoadedRules

__all__ = ["Prepared", "kept_maps", "prepared"]


class Prepared(NamedTuple):
    """What is kept of one logsource's rules."""

    arranged: Callable[[], Arranged]
    """Decodes the arrangement."""
    keywords: list[list[tuple[Any, ...]]]
    """The keywords of each rule that has any."""


_MAGIC = b"haidang tables\n"
_LENGTH = struct.Struct("<Q")
_DIGEST = 32
_MAP_FIELDS = tuple(field.name for field in fields(LogsourceMap) if field.name != "entries")
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


def kept_maps(paths: Sequence[str | Path], folder: Path | None) -> tuple[LogsourceMap, ...]:
    """Return the logsource maps, the built-in ones and those in ``paths``, from the cache where it fits."""
    from haidang.sigma.logsource import BUILTIN_MAPS, load_maps

    files = [
        file
        for path in (BUILTIN_MAPS, *map(Path, paths))
        for file in ([path] if path.is_file() else path.glob("*.y*ml"))
    ]
    if folder is None or not all(path.exists() for path in map(Path, paths)):
        return load_maps(paths)
    states = [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(files)]
    name = (
        hashlib.blake2b(
            repr((__version__, sys.implementation.cache_tag, _MAP_FIELDS, states)).encode(), digest_size=16
        ).hexdigest()
        + ".maps"
    )
    data = read_private(folder, name)
    if data is not None and _fits(data):
        return tuple(map(_map, _loads(data[_START:])))
    maps = load_maps(paths)
    body = marshal.dumps([_plain_map(one) for one in maps])
    rest = _LENGTH.pack(len(body)) + body
    write_private(folder, name, _MAGIC + hashlib.blake2b(rest, digest_size=_DIGEST).digest() + rest)
    return maps


def _plain_map(one: LogsourceMap) -> tuple[Any, ...]:
    plain = [getattr(one, name) for name in _MAP_FIELDS]
    entries = [
        (tuple(entry.logsource), entry.when, entry.fields, entry.values, entry.absent)
        for entry in one.entries
    ]
    return (*plain, entries)


def _map(plain: tuple[Any, ...]) -> LogsourceMap:
    *rest, entries = plain
    made = tuple(LogsourceEntry(LogSource(*logsource), *parts) for logsource, *parts in entries)
    return LogsourceMap(**dict(zip(_MAP_FIELDS, rest, strict=True)), entries=made)
