"""Single events for those who work on a rule: decoded, and told to which family of logs they belong.

A scan decodes only what its rules need. Here whole events are wanted, and few of them, so that each is
decoded and recognised in the plain way. What cannot be read is noted in the file's report, as in a scan.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from haidang.detect.batches import decode_document
from haidang.errors import HaidangError, InputError
from haidang.events import shapes
from haidang.events.model import DocumentBatch, EventBatch
from haidang.events.streams import find_inputs, open_input
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from haidang.events.columns import ColumnBatch
    from haidang.events.model import Batch, Fields, FileReport
    from haidang.limits import Limits

__all__ = ["ReadEvent", "event_at", "events_of", "read_events", "recognised"]

_UNTOLD = frozenset({"", "json", "csv"})


class ReadEvent(NamedTuple):
    """One event and where it is."""

    path: str
    record: int
    origin: str
    event: Fields


def read_events(
    paths: Sequence[str],
    recognise: Callable[[Fields], str],
    *,
    input_format: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    reports: list[FileReport] | None = None,
) -> Iterator[ReadEvent]:
    """Yield the events in files, folders and archives.

    Args:
        paths: What to read; "-" is standard input.
        recognise: Gives the origin of an event by its fields: ``Matcher.recognise``.
        input_format: A reader's name, to be used instead of recognition.
        limits: Bounds.
        reports: Gets the account of each file.

    Raises:
        InputError: A path does not exist.
    """
    kept = [] if reports is None else reports
    for item in find_inputs(paths, limits=limits, on_problem=kept.append):
        for report, batches in open_input(item, limits=limits, input_format=input_format):
            kept.append(report)
            for batch in batches:
                for record, origin, event in _events(batch, limits):
                    report.records += 1
                    yield ReadEvent(report.path, record, *recognised(event, origin, recognise))


def _events(batch: Batch, limits: Limits) -> Iterable[tuple[int, str, Fields]]:
    if isinstance(batch, EventBatch):
        yield from (
            (record, batch.origin, event) for record, event in zip(batch.records, batch.events, strict=True)
        )
    elif isinstance(batch, DocumentBatch):
        for record, document in zip(batch.records, batch.documents, strict=True):
            if document and not document.isspace():
                event = decode_document(document, record, batch.report, limits)
                if event is not None:
                    yield record, "", event
    else:
        yield from _rows(batch, limits)


def _rows(batch: ColumnBatch, limits: Limits) -> Iterable[tuple[int, str, Fields]]:
    """Yield the rows of a batch that is kept by column, whole."""
    record = batch.first
    try:
        for event in batch.all_events(limits.batch_events):
            yield record, "", event
            record += 1
    except HaidangError as error:
        lost = batch.first + batch.rows - record
        batch.report.note("corrupt", f"record {record}", error.message, skipped=lost, count=lost)


def recognised(event: Fields, origin: str, recognise: Callable[[Fields], str]) -> tuple[str, Fields]:
    """Return the origin of an event and its fields as rules see them, wrappers of shippers taken off."""
    if origin not in _UNTOLD:
        return origin, event
    _, inner = shapes.unwrap(event)
    shape = shapes.recognise(inner)
    if shape:
        return "windows", shapes.flatten(shape, inner)
    return recognise(inner) or origin or "json", inner


def event_at(place: str, recognise: Callable[[Fields], str], *, input_format: str | None = None) -> ReadEvent:
    """Return the event that ``place`` names: ``path`` (its first event), ``path#record``, or "-".

    Raises:
        InputError: There is no such file or no such record.
        ConfigurationError: There is no such format.
    """
    path, mark, number = place.rpartition("#")
    if not mark or not number.isdecimal():
        path, number = place, ""
    for found in read_events([path], recognise, input_format=input_format):
        if not number or found.record == int(number):
            return found
    if number:
        raise InputError(f"{path}: there is no record {number} that can be read")
    raise InputError(f"{path}: there is no event that can be read")


def events_of(
    place: str, recognise: Callable[[Fields], str], *, input_format: str | None = None
) -> Iterator[ReadEvent]:
    """Yield all events of the log, folder or archive ``place``, or of standard input ("-").

    Raises:
        InputError: There is no such file, or no event in it, or ``place`` names a single record.
        ConfigurationError: There is no such format.
    """
    path, mark, number = place.rpartition("#")
    if mark and number.isdecimal() and not Path(place).exists():
        raise InputError(
            f"{place}: a correlation looks at several events, and this is one",
            hint=f"Give the whole log: {path}.",
        )
    empty = True
    for found in read_events([place], recognise, input_format=input_format):
        empty = False
        yield found
    if empty:
        raise InputError(f"{place}: there is no event that can be read")
