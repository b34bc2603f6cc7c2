"""Windows event logs (EVTX), by the library ``evtx``.

Rules of this module:

- Records are handed over undecoded, as the JSON that the library makes of them:
  ``{"Event": {"System": …, "EventData": …}}``.
- A record that cannot be read is noted and skipped, a damaged chunk likewise; the rest goes on. What can
  still be found in a damaged file comes last (:mod:`haidang.events.readers._evtx_carving`).
- The library reads a file and not a stream, so a member of an archive is copied first (see
  ``limits.spool_bytes``).
- Input is untrusted.

Fields: see :mod:`haidang.events.shapes`. The number of a record is its event record id.
"""

from __future__ import annotations

from io import SEEK_END
from typing import TYPE_CHECKING, Any

from haidang.events.model import DocumentBatch, Origin
from haidang.events.patterns import expression
from haidang.events.readers._evtx_carving import CHUNK_SIGNATURE, carve
from haidang.events.readers._evtx_chunks import (
    HEADER_BYTES,
    START_BYTES,
    PaddedFile,
    expected_records,
    missing_bytes,
)
from haidang.events.shapes import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "EvtxReader"]

_SIGNATURE = b"ElfFile\x00"
_WHERE = expression(r"(record|chunk) (?:number )?(\d+)|record IDs (\d+)")


class EvtxReader:
    """Reads Windows event logs."""

    name = "evtx"
    title = "Windows event log (EVTX)"
    origins: tuple[Origin, ...] = (WINDOWS,)
    signature = _SIGNATURE
    splittable = False
    """Only lines can be split."""

    def recognises(self, head: Head) -> int:
        """Return 100 for the signature, 90 where chunks of a log stand behind a header that is damaged."""
        if head.data.startswith(_SIGNATURE):
            return 100
        return 90 if CHUNK_SIGNATURE in head.data else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[DocumentBatch]:
        """Yield the records in batches."""
        with stream.seekable_file(limits) as path, _opened(path) as file:
            size = file.seek(0, SEEK_END)
            file.seek(0)
            start = file.read(START_BYTES)
            missing = missing_bytes(size, start) if start.startswith(_SIGNATURE) else 0
            if missing:
                detail = f"{missing} bytes are missing at its end."
                report.note("truncated", f"byte {size}", detail)
            count = 0
            for batch in _batches(_records(PaddedFile(file) if missing else path, report), report, limits):
                count += len(batch.documents)
                yield batch
            expected = expected_records(file, size, start) - report.skipped
            if count < expected or report.problems.keys() - {"truncated"}:
                for batch in _batches(carve(file, whole=not count), report, limits):
                    if not report.problems:
                        report.note("corrupt", f"byte {HEADER_BYTES}", "The header of a chunk is broken.")
                    count += len(batch.documents)
                    yield batch
            lost = expected - count
            if lost > 0:
                detail = "Records that the chunks name and that cannot be read."
                report.note("broken-record", f"byte {HEADER_BYTES}", detail, skipped=lost, count=lost)


def _opened(path: str) -> FileIO:
    # In folders of small logs, what pathlib takes would show.
    return open(path, "rb", buffering=0)  # noqa: PTH123


def _batches(records: Iterator[Any], report: FileReport, limits: Limits) -> Iterator[DocumentBatch]:
    documents: list[bytes] = []
    numbers: list[int] = []
    size = 0
    while True:
        try:
            # The loop is left by what is broken, and taken up again behind it.
            for record in records:
                document = record["data"].encode()
                documents.append(document)
                numbers.append(record["event_record_id"])
                size += len(document)
                if len(documents) >= limits.batch_events or size >= limits.batch_bytes:
                    yield DocumentBatch(report, documents, numbers)
                    documents, numbers = [], []
                    size = 0
            break
        except (RuntimeError, OSError, ValueError) as error:
            _note(report, error)
    if documents:
        yield DocumentBatch(report, documents, numbers)


def _records(file: str | PaddedFile, report: FileReport) -> Iterator[Any]:
    from evtx import PyEvtxParser

    try:
        return iter(PyEvtxParser(file, 1).records_json())
    except (RuntimeError, OSError, ValueError) as error:
        report.note("corrupt", "byte 0", f"The header of the log is broken: {error}.")
        return iter(())


def _note(report: FileReport, error: Exception) -> None:
    """Note what the library says of a record or chunk that it cannot read."""
    text = str(error)
    match = _WHERE.search(text)
    if match is None:
        report.note("corrupt", f"byte {HEADER_BYTES}", text)
    elif match[1] == "record":
        report.note("broken-record", f"record {match[2]}", text, skipped=1)
    else:
        report.note("corrupt", f"chunk {match[2]}" if match[1] else f"record {match[3]}", text)


READER = EvtxReader()
