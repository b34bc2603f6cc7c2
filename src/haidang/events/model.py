"""What readers hand over: batches of events of one file, and an account of what could not be read.

Rules of this module:

- A reader never raises for the content of a file. It notes a ``Problem`` in the file's ``FileReport``
  and goes on, or stops with the file when there is no way on.
- Events are handed over in batches, in the order of the file, each with its record number (the line,
  1-based, for text; the event record id for EVTX; the row for CSV), so that a finding can be traced.
- A reader that would only decode JSON hands over the undecoded documents (``DocumentBatch``): the
  detector decodes what the rules need and nothing else. A reader of columns hands them over as such
  (``ColumnBatch``). All other readers hand over flat field dictionaries (``EventBatch``).

All input is untrusted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.events.columns import ColumnBatch

__all__ = ["Batch", "DocumentBatch", "EventBatch", "Fields", "FileReport", "Origin", "Problem"]

Fields: TypeAlias = dict[str, Any]
"""One event: field name to value (str, int, float, bool, None, or a list or dict of those)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A family of logs that share field names, such as ``windows``, ``auditd`` or ``zeek``.

    ``time_fields`` and ``host_fields`` are looked at in order; the first that is present counts.
    """

    name: str
    time_fields: tuple[str, ...] = ()
    host_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read.

    ``kind`` is a stable word (``truncated``, ``corrupt``, ``unknown-format``, ``empty``,
    ``unreadable``, ``broken-line``, ``oversized-line``, ``too-deep``, ``invalid-utf8``,
    ``archive-limit``, ``encrypted``, ``symlink-loop`` …), ``where`` the first offending position
    (``line 17``, ``byte 4096``, ``record 12``, ``member x/y.evtx``), ``detail`` one English sentence,
    ``count`` how often this kind occurred in the file.
    """

    kind: str
    where: str
    detail: str
    count: int = 1


HARMLESS = frozenset({"duplicate", "ahead", "output"})
"""Kinds of problems by which nothing of a file is lost."""


@dataclass(slots=True)
class FileReport:
    """The account of one file (or archive member): what it was taken for and what was not read."""

    path: str
    """As the user would name it; a member of an archive is ``outer.zip!inner/name.json``."""
    format: str = ""
    """Name of the reader, "" while unknown."""
    size: int = 0
    """Bytes read so far, after decompression."""
    records: int = 0
    """Events handed to detection."""
    lines: int = 0
    """Physical lines read, of line-based formats."""
    skipped: int = 0
    """Records that were present and could not be read."""
    problems: dict[str, Problem] = field(default_factory=dict)
    """First problem of each kind, with its count."""

    def note(self, kind: str, where: str, detail: str, *, skipped: int = 0, count: int = 1) -> None:
        """Count a problem; the first of its kind keeps its position and detail."""
        self.skipped += skipped
        first = self.problems.get(kind)
        if first is None:
            self.problems[kind] = Problem(kind, where, detail, count)
        else:
            self.problems[kind] = Problem(kind, first.where, first.detail, first.count + count)

    @property
    def complete(self) -> bool:
        """Whether everything in the file was read; one that links lead to again is read once."""
        return not self.problems.keys() - HARMLESS

    @property
    def told(self) -> bool:
        """Whether there is something that people should know of the file, though it was read in whole."""
        return bool(self.problems.keys() - {"duplicate", "output"})

    @property
    def output(self) -> bool:
        """Whether it is no log, but what the run itself writes."""
        return "output" in self.problems


@dataclass(slots=True)
class DocumentBatch:
    """Undecoded JSON documents, one event each; an empty or blank item is no event."""

    report: FileReport
    documents: Sequence[bytes]
    records: Sequence[int]


@dataclass(slots=True)
class EventBatch:
    """Decoded events of one origin; origin "" asks the detector to recognise each by its fields."""

    report: FileReport
    origin: str
    events: Sequence[Fields]
    records: Sequence[int]


Batch: TypeAlias = "DocumentBatch | EventBatch | ColumnBatch"
