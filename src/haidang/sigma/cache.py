"""Compiled rules on disk, so that a second start is instant and a changed rule recompiles alone.

One file holds what one choice of paths, pipelines and placeholders gave::

    magic, digest of all that follows, lengths of the four parts
    head         msgpack: the sources with size and time, refusals, where each logsource's conditions are
    infos        msgpack: what people know of the rules
    conditions   marshal of plain tuples, one run for each logsource, decoded when asked for
    files        msgpack and marshal: what each rule file holds; read only when a file changed

Rules of this module:

- ``marshal`` must not be fed by others: the folder is the user's alone (0700), the file is the user's
  own, and the digest must fit. Whatever does not fit is as if it were not there.
- A file is written beside its place and renamed, so that no run sees half of one.
- A source that changed at about the time of writing is read again, since its time stamp may not tell.
- No fault here stops a run: the rules are compiled again.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
import struct
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.errors import RuleError
from haidang.sigma.content import FileContent, Pending
from haidang.sigma.ir import CorrelationRule, EventRule, LogSource, RuleInfo
from haidang.sigma.sources import Source  # noqa: TC001 - msgspec reads the annotation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.sigma.joining import Joined

__all__ = [
    "Snapshot",
    "decode_conditions",
    "default_folder",
    "read_private",
    "read_snapshot",
    "write_private",
    "write_snapshot",
]

_MAGIC = b"haidang rules 1\n"
_LENGTHS = struct.Struct("<4Q")
_DIGEST = 32
_START = len(_MAGIC) + _DIGEST + _LENGTHS.size
_RACY_NS = 2_000_000_000
_MOST_SNAPSHOTS = 16
_SUFFIX = ".rules"
_FAULTS = (OSError, ValueError, TypeError, EOFError, OverflowError, struct.error, msgspec.MsgspecError)


class _Error(msgspec.Struct, array_like=True):
    reason: str
    path: str
    line: int
    rule: str


class _Group(msgspec.Struct, array_like=True):
    logsource: tuple[str, str, str]
    infos: list[int]
    start: int
    length: int


class _Head(msgspec.Struct, array_like=True):
    written_ns: int
    sources: list[Source]
    groups: list[_Group]
    correlations: bytes
    refused: list[_Error]
    notes: list[_Error]
    files: int
    skipped: int


class _File(msgspec.Struct, array_like=True):
    path: str
    digest: bytes
    source: int
    rules: list[tuple[int, int, int]]
    """Index of the info, of the group, and within the group."""
    moved: dict[str, tuple[str, str, str]]
    correlations: list[Pending]
    filters: list[Pending]
    refused: list[_Error]
    notes: list[_Error]
    skipped: bool
    complete: bool
    """False where a rule was dropped as a duplicate: the file must be compiled again."""


class _Files(msgspec.Struct, array_like=True):
    files: list[_File]
    unfiltered: bytes
    """marshal: index of the info to (condition, fields) before filters."""


class Snapshot:
    """A cache file that fits its digest; its parts are decoded when they are asked for."""

    def __init__(self, data: bytes) -> None:
        """Take over the content of the file; raise ValueError and the like where it is wrong."""
        if not data.startswith(_MAGIC) or len(data) < _START:
            raise ValueError("not a snapshot of rules")
        digest = data[len(_MAGIC) : len(_MAGIC) + _DIGEST]
        if hashlib.blake2b(data[len(_MAGIC) + _DIGEST :], digest_size=_DIGEST).digest() != digest:
            raise ValueError("the digest does not fit")
        self.identity = digest.hex()
        """Tells this content from any other: what else is kept of these rules goes by it."""
        self._parts: list[bytes] = []
        self._decoded: _Files | None = None
        start = _START
        for length in _LENGTHS.unpack_from(data, len(_MAGIC) + _DIGEST):
            self._parts.append(data[start : start + length])
            start += length
        self.head = msgspec.msgpack.decode(self._parts[0], type=_Head)
        self.infos = tuple(msgspec.msgpack.decode(self._parts[1], type=list[RuleInfo]))

    def is_sure(self, source: Source) -> bool:
        """Return whether the time stamp of ``source`` tells that it did not change since."""
        return source.mtime_ns < self.head.written_ns - _RACY_NS

    def fits(self, sources: Sequence[Source]) -> bool:
        """Return whether nothing changed."""
        return list(sources) == self.head.sources and all(map(self.is_sure, sources))

    def groups(self) -> list[tuple[LogSource, tuple[RuleInfo, ...], bytes]]:
        """Return each logsource with its rules and their conditions, still encoded."""
        infos, conditions = self.infos, self._parts[2]
        return [
            (
                LogSource(*group.logsource),
                tuple(infos[index] for index in group.infos),
                conditions[group.start : group.start + group.length],
            )
            for group in self.head.groups
        ]

    def correlations(self) -> tuple[CorrelationRule, ...]:
        """Return the correlation rules."""
        return tuple(
            CorrelationRule(self.infos[index], *parts) for index, parts in _loads(self.head.correlations)
        )

    def refused(self) -> tuple[RuleError, ...]:
        """Return every refusal."""
        return tuple(map(_error, self.head.refused))

    def notes(self) -> tuple[RuleError, ...]:
        """Return every note."""
        return tuple(map(_error, self.head.notes))

    def incomplete(self) -> set[int]:
        """Return the sources of which a file must be compiled again even if nothing changed."""
        return {file.source for file in self._files().files if not file.complete}

    def _files(self) -> _Files:
        if self._decoded is None:
            self._decoded = msgspec.msgpack.decode(self._parts[3], type=_Files)
        return self._decoded

    def contents(self) -> list[FileContent]:
        """Return what each file held, before joining, for those files that can be used again."""
        stored = self._files()
        unfiltered = _loads(stored.unfiltered)
        groups = [(logsource, decode_conditions(blob)) for logsource, _, blob in self.groups()]
        found = []
        for file in stored.files:
            if file.complete:
                content = FileContent(file.path, file.digest, file.source, skipped=file.skipped)
                for index, group, position in file.rules:
                    logsource, conditions = groups[group]
                    info = msgspec.structs.replace(self.infos[index], generate=True)
                    condition, fields = unfiltered.get(index) or conditions[position]
                    content.rules.append(EventRule(info, logsource, condition, fields))
                content.moved = {key: LogSource(*parts) for key, parts in file.moved.items()}
                content.correlations = file.correlations
                content.filters = file.filters
                content.refused = list(map(_error, file.refused))
                content.notes = list(map(_error, file.notes))
                found.append(content)
        return found


def decode_conditions(blob: bytes) -> list[Any]:
    """Return the (condition, fields) of each rule of a group."""
    decoded: list[Any] = _loads(blob)
    return decoded


def _loads(data: bytes) -> Any:
    return marshal.loads(data)  # noqa: S302 - only from the user's own file, after its digest was checked


def default_folder() -> Path | None:
    """Return ``$XDG_CACHE_HOME/haidang``, or None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    with suppress(RuntimeError):
        return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "haidang"
    return None


def read_snapshot(folder: Path, key: str) -> Snapshot | None:
    """Return the snapshot of ``key``, or None where there is none that can be trusted."""
    data = read_private(folder, key + _SUFFIX)
    try:
        return None if data is None else Snapshot(data)
    except _FAULTS:
        return None


def write_snapshot(
    folder: Path, key: str, sources: Sequence[Source], contents: Sequence[FileContent], joined: Joined
) -> str:
    """Keep what a load gave and return its identity; "" where it cannot be kept."""
    try:
        data = _encoded(sources, contents, joined)
    except _FAULTS:
        return ""
    kept = write_private(folder, key + _SUFFIX, data)
    return data[len(_MAGIC) : len(_MAGIC) + _DIGEST].hex() if kept else ""


def write_private(folder: Path, name: str, data: bytes) -> bool:
    """Write a file into the user's own folder, whole or not at all; return whether it is there."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(folder):
            return False
        descriptor, temporary_name = tempfile.mkstemp(dir=folder, suffix=".part")
        temporary = Path(temporary_name)
        try:
            with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
                stream.write(data)
            temporary.replace(folder / name)
        finally:
            temporary.unlink(missing_ok=True)
        _forget_old(folder, Path(name).suffix)
    except _FAULTS:
        return False
    return True


def read_private(folder: Path, name: str) -> bytes | None:
    """Return the content of a file that is the user's own in a folder that is, or None."""
    try:
        if not _is_private(folder):
            return None
        descriptor = os.open(folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor, not a path
            state = os.fstat(stream.fileno())
            if not stat.S_ISREG(state.st_mode) or not _is_own(state) or state.st_mode & 0o022:
                return None
            return stream.read()
    except _FAULTS:
        return None


def _is_private(folder: Path) -> bool:
    """Return whether the folder is the user's alone; one that others may read is closed first."""
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or not _is_own(state):
        return False
    if state.st_mode & 0o022:
        # Others could write: what is in it already cannot be trusted, closed or not.
        return False
    if state.st_mode & 0o077:
        folder.chmod(0o700)
    return True


def _is_own(state: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or state.st_uid == os.geteuid()


def _forget_old(folder: Path, suffix: str) -> None:
    snapshots = sorted(folder.glob("*" + suffix), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in snapshots[_MOST_SNAPSHOTS:]:
        path.unlink(missing_ok=True)


def _encoded(sources: Sequence[Source], contents: Sequence[FileContent], joined: Joined) -> bytes:
    infos: list[RuleInfo] = []
    places: dict[str, tuple[int, int, int]] = {}
    members: dict[LogSource, tuple[int, list[int], list[Any]]] = {}
    for rule in joined.rules:
        group, indices, conditions = members.setdefault(rule.logsource, (len(members), [], []))
        places[rule.info.key] = (len(infos), group, len(indices))
        indices.append(len(infos))
        conditions.append((rule.condition, rule.fields))
        infos.append(joined.settled(rule.info))
    groups, blob = _blob(members)
    head = _Head(
        written_ns=time.time_ns(),
        sources=list(sources),
        groups=groups,
        correlations=_correlations(joined, infos),
        refused=list(map(_plain, joined.refused)),
        notes=list(map(_plain, joined.notes)),
        files=len(contents),
        skipped=sum(content.skipped for content in contents),
    )
    unfiltered = {places[key][0]: (rule.condition, rule.fields) for key, rule in joined.filtered.items()}
    files = _Files([_file(content, places, joined) for content in contents], marshal.dumps(unfiltered))
    encode = msgspec.msgpack.encode
    parts = [encode(head), encode(infos), blob, encode(files)]
    rest = b"".join([_LENGTHS.pack(*map(len, parts)), *parts])
    return b"".join([_MAGIC, hashlib.blake2b(rest, digest_size=_DIGEST).digest(), rest])


def _blob(members: dict[LogSource, tuple[int, list[int], list[Any]]]) -> tuple[list[_Group], bytes]:
    groups = []
    blobs = []
    start = 0
    for logsource, (_, indices, conditions) in members.items():
        blobs.append(marshal.dumps(conditions))
        groups.append(_Group((*logsource,), indices, start, len(blobs[-1])))
        start += len(blobs[-1])
    return groups, b"".join(blobs)


def _correlations(joined: Joined, infos: list[RuleInfo]) -> bytes:
    stored = []
    for rule in joined.correlations:
        parts = (
            rule.type,
            rule.rules,
            rule.group_by,
            rule.aliases,
            rule.timespan_ns,
            rule.operators,
            rule.value_fields,
            rule.percentile,
            rule.expression,
        )
        stored.append((len(infos), parts))
        infos.append(rule.info)
    return marshal.dumps(stored)


def _file(content: FileContent, places: dict[str, tuple[int, int, int]], joined: Joined) -> _File:
    complete = content.path not in joined.dropped and bool(content.digest)
    return _File(
        path=content.path,
        digest=content.digest,
        source=content.source,
        rules=[places[rule.info.key] for rule in content.rules] if complete else [],
        moved={key: (*logsource,) for key, logsource in content.moved.items()},
        correlations=content.correlations,
        filters=content.filters,
        refused=list(map(_plain, content.refused)),
        notes=list(map(_plain, content.notes)),
        skipped=content.skipped,
        complete=complete,
    )


def _plain(error: RuleError) -> _Error:
    return _Error(error.reason, error.path, error.line, error.rule)


def _error(error: _Error) -> RuleError:
    return RuleError(error.reason, path=error.path, line=error.line, rule=error.rule)
