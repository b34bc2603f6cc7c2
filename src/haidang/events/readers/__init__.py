"""One module per format; a module whose name does not begin with an underscore is a reader.

A reader module defines ``READER``, an object that follows :class:`Reader`. There is no list to edit:
copy ``example.py``, change it, add its test and its sample on the mirrored path
(``tests/events/readers/``), and ``haidang scan`` knows the format.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

from haidang.registry import registered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Batch, FileReport, Origin
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["Head", "Reader", "readers"]


class Head(Protocol):
    """The beginning of a file, for recognition: decompressed, at most 64 KiB."""

    name: str
    """Base name of the file, without the suffix of its compression, lower-cased."""
    data: bytes
    """The first bytes."""

    @property
    def text(self) -> str:
        """The same, decoded (BOM, UTF-16 and UTF-8 handled; undecodable bytes replaced)."""
        ...

    @property
    def lines(self) -> list[str]:
        """The non-empty lines of ``text``, without a last one that is cut off."""
        ...


class Reader(Protocol):
    """How a format is recognised and read."""

    name: str
    """What ``--input-format`` calls it."""
    title: str
    """What people call it, e.g. ``Windows event log (EVTX)``."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """The families of logs that this reader hands over."""
        ...

    def recognises(self, head: Head) -> int:
        """Return how sure it is, 0 (no) to 100 (a signature that nothing else has)."""
        ...

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[Batch]:
        """Yield the events in batches, in order; note in ``report`` what cannot be read."""
        ...


@cache
def readers() -> dict[str, Reader]:
    """Return every reader by name, found by walking this package."""
    return {module.READER.name: module.READER for module in registered(__name__, __path__)}
