"""The Windows events of recorded attacks, each with the file and line that findings name it by."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from haidang.events import shapes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Place", "windows_events"]


class Place(NamedTuple):
    """Where an event is: the archive's file name, and the line in its one member of logs."""

    file: str
    line: int


def windows_events(archives: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield every Windows event in the zips of a folder, flat."""
    for archive in sorted(archives.glob("*.zip")):
        with zipfile.ZipFile(archive) as opened:
            for member in opened.namelist():
                if member.endswith(".json") and not member.startswith("__MACOSX/"):
                    with opened.open(member) as lines:
                        yield from _events(archive.name, lines)


def _events(name: str, lines: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        document = orjson.loads(line)
        if shape := shapes.recognise(document):
            yield Place(name, number), shapes.flatten(shape, document)
