"""What a killed run left behind: found by the next one, and taken away.

Whoever works on a temporary file or folder holds a lock on it (``flock``), which ends with the process. What
nobody holds, and is not brand new, is left over.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import shutil
import time
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FOLDER_PREFIX", "claim", "sweep", "sweep_folder"]

FOLDER_PREFIX = ".haidang-open."
"""What the temporary folders of opening begin with."""

_YOUNG = 60
"""Seconds in which whoever made it may not have locked it yet."""


def claim(stream: IO[bytes] | int) -> None:
    """Lock a temporary file or folder until it is closed, where the file system can."""
    with contextlib.suppress(OSError):
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def sweep(target: Path) -> list[Path]:
    """Remove temporary files that were to become ``target`` and that nobody works on; return them."""
    pattern = f".{glob.escape(target.name)}.{'[0-9a-f]' * 12}.tmp"
    return [path for path in target.parent.glob(pattern) if path.is_file() and _remove(path)]


def sweep_folder(folder: Path) -> list[Path]:
    """Remove temporary folders of opening in ``folder`` that nobody works on; return them."""
    pattern = f"{FOLDER_PREFIX}{'[0-9a-f]' * 12}.tmp"
    return [path for path in folder.glob(pattern) if not path.is_symlink() and _remove(path)]


def _remove(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.getuid() or time.time() - status.st_ctime < _YOUNG:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
