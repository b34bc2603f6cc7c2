"""Where indicators are kept: a module of its own, for a scan asks before it knows whether there are any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["store_folder"]


def store_folder(environ: Mapping[str, str]) -> Path | None:
    """Return ``$XDG_DATA_HOME/haidang/intel``, or None where there is no home."""
    base = environ.get("XDG_DATA_HOME", "")
    if base.startswith("/"):
        return Path(base) / "haidang" / "intel"
    home = environ.get("HOME", "")
    return Path(home) / ".local" / "share" / "haidang" / "intel" if home.startswith("/") else None
