"""Compiled rules on disk, so that a second start is instant and a changed rule recompiles alone.

Rules of this module:

- One file (``snapshot``) holds what one choice of paths, pipelines and placeholders gave, in a folder that
  is the user's alone (``private_files``).
- A source that changed at about the time of writing is read again, since its time stamp may not tell.
- No fault here stops a run: the rules are compiled again.
"""

from __future__ import annotations

import marshal
import time
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.sigma.private_files import default_folder, read_private, write_private
from haidang.sigma.snapshot import (
    FAULTS,
    Snapshot,
    StoredError,
    StoredFile,
    StoredFiles,
    StoredGroup,
    StoredHead,
    joined_parts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from haidang.errors import RuleError
    from haidang.sigma.content import FileContent
    from haidang.sigma.ir import LogSource, RuleInfo
    from haidang.sigma.joining import Joined
    from haidang.sigma.sources import Source

__all__ = ["default_folder", "read_private", "read_snapshot", "write_private", "write_snapshot"]

_SUFFIX = ".rules"


def read_snapshot(folder: Path, key: str) -> Snapshot | None:
    """Return the snapshot of ``key``, or None where there is none that can be trusted."""
    data = read_private(folder, key + _SUFFIX)
    try:
        return None if data is None else Snapshot(data)
    except FAULTS:
        return None


def write_snapshot(
    folder: Path, key: str, sources: Sequence[Source], contents: Sequence[FileContent], joined: Joined
) -> str:
    """Keep what a load gave and return its identity; "" where it cannot be kept."""
    try:
        data, identity = _encoded(sources, contents, joined)
    except FAULTS:
        return ""
    return identity if write_private(folder, key + _SUFFIX, data) else ""


def _encoded(sources: Sequence[Source], contents: Sequence[FileContent], joined: Joined) -> tuple[bytes, str]:
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
    head = StoredHead(
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
    files = StoredFiles([_file(content, places, joined) for content in contents], marshal.dumps(unfiltered))
    encode = msgspec.msgpack.encode
    return joined_parts([encode(head), encode(infos), blob, encode(files)])


def _blob(members: dict[LogSource, tuple[int, list[int], list[Any]]]) -> tuple[list[StoredGroup], bytes]:
    groups = []
    blobs = []
    start = 0
    for logsource, (_, indices, conditions) in members.items():
        blobs.append(marshal.dumps(conditions))
        groups.append(StoredGroup((*logsource,), indices, start, len(blobs[-1])))
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


def _file(content: FileContent, places: dict[str, tuple[int, int, int]], joined: Joined) -> StoredFile:
    complete = content.path not in joined.dropped and bool(content.digest)
    return StoredFile(
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


def _plain(error: RuleError) -> StoredError:
    return StoredError(error.reason, error.path, error.line, error.rule)
