"""Windows event logs (EVTX), by the library ``evtx``.

Rules of this module:

- Records are handed over undecoded, as the JSON that the library makes of them:
  ``{"Event": {"System": …, "EventData": …}}``.
- A record that cannot be read is noted and skipped, a damaged chunk likewise; the rest goes on.
- The library reads a file and not a stream, so a member of an archive is copied first (see
  ``limits.spool_bytes``).
- Input is untrusted.

Fields: see :mod:`haidang.events.shapes`. The number of a record is its event record id.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from haidang.events.model import DocumentBatch
from haidang.events.shapes import WINDOWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "EvtxReader"]

_SIGNATURE = b"ElfFile\x00"


class EvtxReader:
    """Reads Windows event logs."""

    name = "evtx"
    title = "Windows event log (EVTX)"
    origins = (WINDOWS,)
    splittable = False

    def recognises(self, head: Head) -> int:
        """Return 100 for the signature."""
        return 100 if head.data.startswith(_SIGNATURE) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[DocumentBatch]:
        """Yield the records in batches."""
        from evtx import PyEvtxParser

        with stream.seekable_file(limits) as file:
            try:
                records = PyEvtxParser(file, number_of_threads=1).records_json()
            except (RuntimeError, OSError, ValueError) as error:
                report.note("corrupt", "byte 0", f"The header of the log is broken: {error}.")
                return
            for record in records:
                yield DocumentBatch(report, [record["data"].encode()], [record["event_record_id"]])


READER = EvtxReader()
