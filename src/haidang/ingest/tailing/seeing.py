"""What the patterns of a source find now."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from haidang.ingest.tailing.followed import Stamp, stamp_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from haidang.ingest.tailing.positions import Key
    from haidang.ingest.tailing.tail import Tail

__all__ = ["Seen", "files_beside", "files_of"]


class Seen(NamedTuple):
    """A regular file."""

    path: str
    key: Key
    stamp: Stamp
    tail: Tail | None
    """The first one that finds it; None for a file that only lies beside."""

    @property
    def form(self) -> str:
        """Return the name of the reader that is set for it."""
        return self.tail.format if self.tail else ""


def files_of(tails: Iterable[Tail]) -> dict[Key, Seen]:
    """Return the files that the patterns find, each once though it has several names."""
    found: dict[Key, Seen] = {}
    for tail in tails:
        for path in tail.paths():
            seen = _seen(path, tail)
            if seen is not None:
                found.setdefault(seen.key, seen)
    return found


def files_beside(path: str) -> Iterator[Seen]:
    """Yield the files in the folder of ``path`` that may be what became of it: their names begin alike."""
    folder, name = os.path.split(path)
    stem = name[:1] + name[1:].partition(".")[0]
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is needed
    except OSError:
        return
    for other in names:
        if other.startswith(stem) and (seen := _seen(os.path.join(folder, other), None)):  # noqa: PTH118
            yield seen


def _seen(path: str, tail: Tail | None) -> Seen | None:
    try:
        state = os.stat(path)  # noqa: PTH116 - pathlib takes ten times as long
    except OSError:
        # It went between the two looks, or leads nowhere.
        return None
    if not stat.S_ISREG(state.st_mode):
        return None
    return Seen(path, (state.st_dev, state.st_ino), stamp_of(state), tail)
