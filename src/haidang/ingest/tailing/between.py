"""Files that came and went under a followed name while nobody watched.

No pattern finds them where it names one file alone, and nothing of them is known. What was rotated away from
the name (``app.log.1``, ``app.log-20261130.gz``) and was written to after something was last taken under that
name is such a file.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from haidang.ingest.tailing.followed import Followed
    from haidang.ingest.tailing.positions import Position
    from haidang.ingest.tailing.seeing import Seen

__all__ = ["CameAndWent"]

_ROTATED = re.compile(r"[.-]\d[\d.Tt_-]*(?:\.(?:gz|bz2|xz|zst))?\Z")
_SECOND = 1_000_000_000


class CameAndWent:
    """Tells such files from others, until a point in time."""

    def __init__(self, latest: Mapping[str, Position], files: Iterable[Followed], until: float) -> None:
        """Begin when the files that are there were found again.

        Args:
            latest: The position of which something was taken last, by the path.
            files: What is followed now; a content that still has its name was not rotated away.
            until: When to stop.
        """
        kept = {(file.path, file.position.id) for file in files}
        self._until = until
        self._since = {path: one.seen for path, one in latest.items() if (path, one.id) not in kept}

    def paths(self, now: float) -> set[str]:
        """Return the names of which files may have come and gone."""
        return set(self._since) if now < self._until else set()

    def has(self, seen: Seen, now: float) -> bool:
        """Return whether a file is one of them."""
        if now >= self._until:
            return False
        folder, name = os.path.split(seen.path)
        rotated = _ROTATED.search(name)
        if rotated is None:
            return False
        path = os.path.join(folder, name[: rotated.start()])  # noqa: PTH118 - as the system names it
        return path in self._since and seen.stamp[1] >= self._since[path] * _SECOND
