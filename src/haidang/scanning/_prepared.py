"""Arranged rules on disk, so that a second start arranges nothing.

One file holds, for the rules of one identity, the arrangement of each logsource's rules as ``marshal``
data, decoded when events of that kind come. It lies in the same private folder as the compiled rules and
follows the same rules (:mod:`haidang.sigma.private_files`): the user's own, whole or not there, with a
digest; whatever is wrong with it, the rules are arranged again. Logsource maps are kept likewise.

    magic, digest of all that follows, length of the index, index (marshal: logsource → start, length,
    keywords, fields), data
"""

from __future__ import annotations

import hashlib
import marshal
import struct
import sys
from contextlib import suppress
from dataclasses import fields
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang._version import __version__
from haidang.detect.arranging import ARRANGEMENT_VERSION, arrange_rules, rule_keywords
from haidang.detect.routes import Fold
from haidang.sigma.ir import LogSource, LogsourceEntry, LogsourceMap
from haidang.sigma.private_files import read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from haidang.detect.arranging import Arranged
    from haidang.sigma.loading import LoadedRules

__all__ = ["KeptFolds", "Prepared", "kept_maps", "prepared"]


class Prepared(NamedTuple):
    """What is kept of one logsource's rules."""

    fields: list[str]
    """The fields that the rules look at."""
    keywords: list[list[tuple[Any, ...]]]
    """The keywords of each rule that has any."""
    arranged: Callable[[], Arranged]
    """Decodes the arrangement."""
    folds: FoldsOf
    """What is left of the rules where routing values decide some of their tests, as earlier runs made it."""


_MAGIC = b"haidang tables\n"
_LENGTH = struct.Struct("<Q")
_DIGEST = 32
_MOST_FOLDED = 64 << 20
"""Bytes of folds that are kept."""
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
    if data is None or not fits(data):
        data = _encoded(loaded)
        write_private(folder, name, data)
    return _lazily(data, KeptFolds(folder, name.removesuffix(".tables") + ".folds"))


def fits(data: bytes) -> bool:
    """Return whether a file is one of ours and whole."""
    rest = memoryview(data)[len(_MAGIC) + _DIGEST :]
    digest = hashlib.blake2b(rest, digest_size=_DIGEST).digest()
    return (
        data.startswith(_MAGIC) and len(data) > _START and data[len(_MAGIC) : len(_MAGIC) + _DIGEST] == digest
    )


def _encoded(loaded: LoadedRules) -> bytes:
    index: dict[tuple[str, ...], tuple[int, int, list[Any], list[str]]] = {}
    blobs: list[bytes] = []
    start = 0
    for logsource, group in loaded.groups.items():
        conditions = [rule.condition for rule in group]
        arranged = arrange_rules(conditions)
        blob = marshal.dumps(arranged)
        keywords = [[tuple(test) for test in tests] for tests in rule_keywords(conditions)]
        index[tuple(logsource)] = (start, len(blob), keywords, list(arranged["fields"]))
        blobs.append(blob)
        start += len(blob)
    return _framed(index, blobs)


def _framed(index: Any, blobs: Iterable[bytes]) -> bytes:
    """Return the bytes of a file with that index."""
    head = marshal.dumps(index)
    rest = b"".join([_LENGTH.pack(len(head)), head, *blobs])
    return _MAGIC + hashlib.blake2b(rest, digest_size=_DIGEST).digest() + rest


def _unframed(data: bytes) -> tuple[Any, int]:
    """Return the index of a file, and where its data begin."""
    (length,) = _LENGTH.unpack_from(data, _START - _LENGTH.size)
    base = _START + length
    return _loads(data[_START:base]), base


class KeptFolds:
    """The folds of all logsources: read when the first is asked for, written when a run has made new ones."""

    def __init__(self, folder: Path, name: str) -> None:
        """Keep them in a file of that name."""
        self._folder = folder
        self._name = name
        self._data: bytes | None = None
        self._base = 0
        self._index: dict[tuple[Any, str], tuple[int, int]] = {}
        self._made: dict[tuple[Any, str], bytes] = {}

    def get(self, logsource: LogSource, key: str) -> Fold | None:
        """Return the fold of a logsource's rules by that key, None where no run has made it."""
        if self._data is None:
            self._data = read_private(self._folder, self._name) or b""
            if self._data and fits(self._data):
                self._index, self._base = _unframed(self._data)
        place = self._index.get((tuple(logsource), key))
        if place is None:
            return None
        start = self._base + place[0]
        return Fold(*_loads(self._data[start : start + place[1]]))

    def put(self, logsource: LogSource, key: str, fold: Fold) -> None:
        """Remember a fold for the next run."""
        parts: Any = tuple(fold)
        # What cannot be written so is made again.
        with suppress(ValueError):
            self._made[tuple(logsource), key] = marshal.dumps(parts)

    def write(self) -> None:
        """Write what was made, with what was there; nothing where that is nothing new, or too much."""
        if not self._made:
            return
        data = self._data or b""
        blobs = {
            key: data[self._base + start : self._base + start + size]
            for key, (start, size) in self._index.items()
        }
        blobs.update(self._made)
        self._made = {}
        if sum(map(len, blobs.values())) > _MOST_FOLDED:
            return
        starts = accumulate(map(len, blobs.values()), initial=0)
        index = {key: (start, len(blob)) for (key, blob), start in zip(blobs.items(), starts, strict=False)}
        write_private(self._folder, self._name, _framed(index, blobs.values()))


class FoldsOf(NamedTuple):
    """The folds of one logsource."""

    kept: KeptFolds
    logsource: LogSource

    def get(self, key: str) -> Fold | None:
        """Return what an earlier run made."""
        return self.kept.get(self.logsource, key)

    def put(self, key: str, fold: Fold) -> None:
        """Remember it for the next run."""
        self.kept.put(self.logsource, key, fold)


def _lazily(data: bytes, folds: KeptFolds) -> dict[LogSource, Prepared]:
    index, base = _unframed(data)

    def decoder(start: int, size: int) -> Callable[[], Arranged]:
        return lambda: _loads(data[base + start : base + start + size])

    return {
        LogSource(*logsource): Prepared(
            fields, keywords, decoder(start, size), FoldsOf(folds, LogSource(*logsource))
        )
        for logsource, (start, size, keywords, fields) in index.items()
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
    if data is not None and fits(data):
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
