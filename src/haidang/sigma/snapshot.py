"""One file of compiled rules as it is on disk; see ``cache`` for when it is read and written.

::

    magic, digest of all that follows, lengths of the four parts
    head         msgpack: the sources with size and time, refusals, where each logsource's conditions are
    infos        msgpack: what people know of the rules
    conditions   marshal of plain tuples, one run for each logsource, decoded when asked for
    files        msgpack and marshal: what each rule file holds; read only when a file changed

``marshal`` must not be fed by others: a snapshot is made only of bytes that are the user's own
(``private_files``), and the digest must fit.
"""

from __future__ import annotations

import hashlib
import marshal
import struct
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.errors import RuleError
from haidang.sigma.content import FileContent, Pending
from haidang.sigma.ir import CorrelationRule, EventRule, LogSource, RuleInfo
from haidang.sigma.sources import Source  # noqa: TC001 - msgspec reads the annotation

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "FAULTS",
    "Snapshot",
    "StoredError",
    "StoredFile",
    "StoredFiles",
    "StoredGroup",
    "StoredHead",
    "decode_conditions",
    "joined_parts",
]

FAULTS = (OSError, ValueError, TypeError, EOFError, OverflowError, struct.error, msgspec.MsgspecError)
"""What reading a damaged snapshot, or writing one that cannot be kept, may raise."""

_MAGIC = b"haidang rules 1\n"
_LENGTHS = struct.Struct("<4Q")
_DIGEST = 32
_START = len(_MAGIC) + _DIGEST + _LENGTHS.size
_RACY_NS = 2_000_000_000


class StoredError(msgspec.Struct, array_like=True):
    """A refusal or note."""

    reason: str
    path: str
    line: int
    rule: str


class StoredGroup(msgspec.Struct, array_like=True):
    """A logsource: its rules by index, and where their conditions are."""

    logsource: tuple[str, str, str]
    infos: list[int]
    start: int
    length: int


class StoredHead(msgspec.Struct, array_like=True):
    """What is needed at once."""

    written_ns: int
    sources: list[Source]
    groups: list[StoredGroup]
    correlations: bytes
    refused: list[StoredError]
    notes: list[StoredError]
    files: int
    skipped: int


class StoredFile(msgspec.Struct, array_like=True):
    """What one rule file holds, as indices into the rest."""

    path: str
    digest: bytes
    source: int
    rules: list[tuple[int, int, int]]
    """Index of the info, of the group, and within the group."""
    moved: dict[str, tuple[str, str, str]]
    correlations: list[Pending]
    filters: list[Pending]
    refused: list[StoredError]
    notes: list[StoredError]
    skipped: bool
    complete: bool
    """False where a rule was dropped as a duplicate: the file must be compiled again."""


class StoredFiles(msgspec.Struct, array_like=True):
    """All rule files, for when one of them changed."""

    files: list[StoredFile]
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
        self._decoded: StoredFiles | None = None
        start = _START
        for length in _LENGTHS.unpack_from(data, len(_MAGIC) + _DIGEST):
            self._parts.append(data[start : start + length])
            start += length
        self.head = msgspec.msgpack.decode(self._parts[0], type=StoredHead)
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

    def _files(self) -> StoredFiles:
        if self._decoded is None:
            self._decoded = msgspec.msgpack.decode(self._parts[3], type=StoredFiles)
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


def joined_parts(parts: Sequence[bytes]) -> tuple[bytes, str]:
    """Return the bytes of a snapshot of four parts, and its digest as text."""
    rest = b"".join([_LENGTHS.pack(*map(len, parts)), *parts])
    digest = hashlib.blake2b(rest, digest_size=_DIGEST).digest()
    return b"".join([_MAGIC, digest, rest]), digest.hex()


def _error(error: StoredError) -> RuleError:
    return RuleError(error.reason, path=error.path, line=error.line, rule=error.rule)
