"""Where rule files are: single files, folders, and zips such as SigmaHQ's releases.

Rules of this module:

- A folder or zip gives its ``.yml`` and ``.yaml`` files in sorted order; a file that was named is taken
  whatever it is called. ``*.test.yml``, the examples beside a rule, are no rules.
- A loop of symbolic links ends; an oversized file is refused by name, not read.

Paths are the user's; the content of zips is untrusted.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.limits import Limits

__all__ = ["RuleFile", "Source", "find_sources", "read_rule_file", "read_source"]

_SUFFIXES = (".yml", ".yaml")
_EXAMPLES = (".test.yml", ".test.yaml")


@dataclass(frozen=True, slots=True)
class Source:
    """A file on disk that holds rules, with what tells cheaply whether it changed."""

    path: str
    size: int
    mtime_ns: int
    archive: bool = False


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The content of one rule file, or why it could not be read (``fault``)."""

    path: str
    """As the user would name it; a member of a zip is ``rules.zip!folder/name.yml``."""
    data: bytes
    fault: str = ""


def find_sources(paths: Sequence[str | Path]) -> list[Source]:
    """Return the files behind ``paths``, each once, in a stable order; raise ConfigurationError."""
    found: dict[str, Source] = {}
    for path in map(str, paths):
        try:
            entries = sorted(_walk(path)) if Path(path).is_dir() else [path]
            for entry in entries:
                if entry not in found:
                    state = os.stat(entry)  # noqa: PTH116 - thousands of files; Path costs more than the call
                    found[entry] = Source(entry, state.st_size, state.st_mtime_ns, _is_zip(entry, path))
        except OSError as error:
            message = f"{path}: rules cannot be read: {error.strerror or error}"
            raise ConfigurationError(message, hint="Give a rule file, a folder or a zip of rules.") from None
    return list(found.values())


def _walk(folder: str) -> Iterator[str]:
    seen: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        state = os.stat(parent)  # noqa: PTH116
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if _is_rule_file(name):
                yield os.path.join(parent, name)  # noqa: PTH118


def _is_rule_file(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(_SUFFIXES) and not lower.endswith(_EXAMPLES) and not name.startswith(".")


def _is_zip(entry: str, named: str) -> bool:
    return entry == named and not entry.lower().endswith(_SUFFIXES) and zipfile.is_zipfile(entry)


def read_source(source: Source, limits: Limits) -> Iterator[RuleFile]:
    """Yield the rule files in ``source``: itself, or the members of a zip."""
    if source.archive:
        yield from _members(source, limits)
    elif source.size > limits.rule_file_bytes:
        yield RuleFile(source.path, b"", f"larger than {limits.rule_file_bytes} bytes")
    else:
        try:
            yield RuleFile(source.path, Path(source.path).read_bytes())
        except OSError as error:
            yield RuleFile(source.path, b"", f"cannot be read: {error.strerror or error}")


def _members(source: Source, limits: Limits) -> Iterator[RuleFile]:
    try:
        with zipfile.ZipFile(source.path) as archive:
            members = [info for info in archive.infolist() if _is_rule_file(Path(info.filename).name)]
            if len(members) > limits.archive_members:
                yield RuleFile(source.path, b"", f"holds more than {limits.archive_members} files")
                return
            for info in sorted(members, key=lambda info: info.filename):
                yield _member(archive, info, source, limits)
    except (OSError, zipfile.BadZipFile) as error:
        yield RuleFile(source.path, b"", f"not a readable zip: {error}")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: Source, limits: Limits) -> RuleFile:
    path = f"{source.path}!{info.filename}"
    try:
        with archive.open(info) as stream:
            data = stream.read(limits.rule_file_bytes + 1)
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        return RuleFile(path, b"", f"cannot be read: {error}")
    if len(data) > limits.rule_file_bytes:
        return RuleFile(path, b"", f"larger than {limits.rule_file_bytes} bytes")
    return RuleFile(path, data)


def read_rule_file(path: str, limits: Limits) -> RuleFile:
    """Return one rule file by the path that rules carry, ``rules.zip!folder/name.yml`` included."""
    outer, inside, member = path.partition("!")
    if not inside or Path(path).is_file():
        try:
            source = Source(path, Path(path).stat().st_size, 0)
        except OSError as error:
            return RuleFile(path, b"", f"cannot be read: {error.strerror or error}")
        return next(read_source(source, limits))
    try:
        with zipfile.ZipFile(outer) as archive:
            return _member(archive, archive.getinfo(member), Source(outer, 0, 0, archive=True), limits)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        return RuleFile(path, b"", f"not a readable zip: {error}")
