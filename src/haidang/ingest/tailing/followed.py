"""One file that is followed: its descriptor, what it holds now, and how far it was taken."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from haidang.ingest.tailing.contents import PackedContent, PlainContent, open_regular, packing_of

if TYPE_CHECKING:
    from haidang.ingest.tailing.positions import Content, Key, Position
    from haidang.limits import Limits

__all__ = ["Followed", "Stamp", "stamp_of"]

Stamp = tuple[int, int]
"""Size and time of the last change; what changes when the content does."""


def stamp_of(state: os.stat_result) -> Stamp:
    """Return the stamp of a file."""
    return state.st_size, state.st_mtime_ns


class Followed:
    """A file that is followed under whatever name it has."""

    def __init__(self, path: str, position: Position, *, now: float) -> None:
        """Nothing is opened yet."""
        self.path = path
        self.position = position
        self.packing = ""
        """How it is compressed."""
        self.rotated = False
        """Whether it is no more the file that is written to: it was renamed, copied, or is gone."""
        self.gone = False
        """Whether no pattern finds it any more."""
        self.touched = True
        """Whether it may have changed since it was closed."""
        self.more = True
        """Whether there may be more to take without any change."""
        self.finished = False
        """Whether even its last line was taken, whatever ended it."""
        self.done = False
        """Whether nothing can follow."""
        self.stamp: Stamp = (-1, -1)
        self.changed = now
        """When it was last seen to have changed."""
        self._file: int | None = None
        self._content: Content | None = None

    @property
    def key(self) -> Key:
        """Return what it is found by."""
        return self.position.key

    @property
    def is_open(self) -> bool:
        """Return whether it is held open."""
        return self._file is not None

    def content(self, limits: Limits) -> Content | None:
        """Return its content, None where the file of this name is another one.

        Raises:
            OSError: It cannot be opened.
        """
        if self._content is None:
            file = open_regular(self.path)
            state = os.fstat(file)
            if (state.st_dev, state.st_ino) != self.key:
                os.close(file)
                return None
            self.packing = packing_of(file)
            self._file = file
            self._content = PackedContent(file, self.packing, limits) if self.packing else PlainContent(file)
        return self._content

    @property
    def damage(self) -> str:
        """Return why a compressed file goes no further than it did, "" where it is whole."""
        return self._content.damage if isinstance(self._content, PackedContent) else ""

    def state(self) -> os.stat_result:
        """Return what the system knows of the open file."""
        if self._file is None:
            raise ValueError("not open")
        return os.fstat(self._file)

    def close(self) -> None:
        """Let go of the descriptor; the file is opened again when it has changed."""
        if self._file is not None:
            os.close(self._file)
        self._file = self._content = None
        self.touched = False
