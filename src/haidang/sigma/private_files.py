"""Files that are the user's own and nobody else's, for what must not come from others.

Rules of this module:

- The folder is the user's alone (0700) and no link; a file is the user's own, no link, and nobody else can
  write it. What is not so is as if it were not there.
- A file is written beside its place and renamed, so that no run sees half of one.
- No fault here stops a run.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["MOST_FILES", "default_folder", "read_private", "write_private"]

MOST_FILES = 16
"""Files of one kind that are kept; the oldest go first."""

_FAULTS = (OSError, ValueError)


def default_folder() -> Path | None:
    """Return ``$XDG_CACHE_HOME/haidang``, or None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    with suppress(RuntimeError):
        return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "haidang"
    return None


def write_private(folder: Path, name: str, data: bytes, *, most: int | None = MOST_FILES) -> bool:
    """Write a file into the user's own folder, whole or not at all; return whether it is there.

    Of files with the same ending the ``most`` newest are kept, None for all.
    """
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
        if most is not None:
            _forget_old(folder, Path(name).suffix, most)
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


def _forget_old(folder: Path, suffix: str, most: int) -> None:
    snapshots = sorted(folder.glob("*" + suffix), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in snapshots[most:]:
        path.unlink(missing_ok=True)
