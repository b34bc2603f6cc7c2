"""Which packs were imported, and when each was made: kept beside the sources, whatever a pack brought.

A pack of rules alone leaves no source behind that could tell its age, and who removes sources must not be
open to an older pack afterwards. The folder is the user's own, as that of the sources is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from haidang.errors import ConfigurationError, OutputError
from haidang.sigma.private_files import read_private, write_private

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Imported", "forget_import", "imported", "remember_import"]

_SUFFIX = ".pack"


class Imported(msgspec.Struct, frozen=True):
    """A pack as it was imported last."""

    name: str
    created: int
    """Seconds since 1970 when it was made."""
    sources: int
    rules: int
    """Rule files."""


def imported(folder: Path) -> list[Imported]:
    """Return the packs that were imported, by name.

    Raises:
        ConfigurationError: What is kept of one is damaged, or not the user's own.
    """
    found = []
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        data = read_private(folder, path.name)
        try:
            found.append(msgspec.json.decode(data or b"", type=Imported))
        except msgspec.MsgspecError:
            raise ConfigurationError(
                f"{path}: the file is damaged, or not yours alone",
                hint="Remove it and import the newest pack again.",
            ) from None
    return found


def remember_import(folder: Path, one: Imported) -> None:
    """Keep what is known of a pack.

    Raises:
        OutputError: It cannot be written, or not privately.
    """
    if not write_private(folder, f"{one.name}{_SUFFIX}", msgspec.json.encode(one), most=None):
        raise OutputError(
            f"{folder / f'{one.name}{_SUFFIX}'}: cannot be written privately",
            hint="The folder must be yours alone (mode 0700), and the disk must have room.",
        )


def forget_import(folder: Path, name: str) -> None:
    """Forget a pack, so that any of its name can be imported.

    Raises:
        OutputError: It cannot be removed.
    """
    path = folder / f"{name}{_SUFFIX}"
    try:
        path.unlink()
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from error
