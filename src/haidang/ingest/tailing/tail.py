"""Which files are followed, and whose they are: configuration, checked when it is made."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass

from haidang.errors import ConfigurationError

__all__ = ["Tail"]


@dataclass(frozen=True, slots=True)
class Tail:
    """Files to follow.

    Raises:
        ConfigurationError: The pattern or the source is missing.

    Example::

        Tail("/var/log/nginx/*.log", "web-1", format="web-access")
    """

    pattern: str
    """An absolute path with ``*``, ``?``, ``[…]`` and ``**`` (any folders), or a folder: every file in and
    below it. Hidden files only where the pattern names their dot."""
    source: str
    """Name of their source."""
    format: str = ""
    """Name of the reader of these files, "" for that of the source."""
    existing: bool = True
    """Whether files that are there at the very first start are read from their beginning; else what they
    hold then is left out."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not os.path.isabs(self.pattern):  # noqa: PTH117 - a pattern is no path
            raise ConfigurationError(
                f"{self.pattern!r}: files to follow have an absolute path", hint="Begin it with a slash."
            )
        if not self.source:
            raise ConfigurationError(
                f"{self.pattern}: it has no source", hint="Name the source of these files."
            )

    def paths(self) -> list[str]:
        """Return what the pattern matches now, in the order of the names."""
        pattern = self.pattern
        if os.path.isdir(pattern):  # noqa: PTH112 - a pattern is no path
            pattern = os.path.join(glob.escape(pattern), "**")  # noqa: PTH118 - nor is this one
        return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - pathlib follows no ** through links
