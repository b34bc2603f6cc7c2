r"""What containers write, as Kubernetes (CRI) and Docker keep it: each line in an envelope of its own.

    2026-06-03T10:01:22.123456789Z stdout F 203.0.113.4 - - [03/Jun/2026:10:01:22 +0000] "GET / HTTP/1.1" …
    {"log":"203.0.113.4 - - [03/Jun/2026:10:01:22 +0000] \"GET / HTTP/1.1\" …\n","stream":"stdout","time":"…"}

Rules of this module:

- What is inside is read as what it is: a JSON object as one of JSON lines, a line of syslog or of a product
  that travels through it (a web server, a mail server …) as that, records of the audit log as
  :mod:`haidang.events.readers.auditd` does it, anything else as plain text.
- A line that was written in parts (CRI's tag ``P``; Docker leaves the line's end out) is put together, of
  each stream for itself, up to ``limits.line_bytes``; of a longer one the rest is left out, and noted. It
  has the number of its last part.
- A line without such an envelope is handed over with its text alone, and noted.
- Input is untrusted.

Fields: those of what is inside, and beside them, unless it is a JSON object:

    time     when the container wrote it, where what is inside has no time of its own
    stream   stdout or stderr; not in records of products
    message  of plain text (origin ``text``), the text
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from haidang.events.model import DocumentBatch, EventBatch, Fields
from haidang.events.patterns import expression
from haidang.events.readers import auditd, ndjson, syslog, text
from haidang.events.readers._carried import Sorter, carriers
from haidang.events.readers._lines import BOM, apart, broken, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport, Origin
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "ContainersReader"]

_HEAD_LINES = 100
_CRI = expression(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) "
    r"(stdout|stderr) ([FP])(?::\S{1,64})?(?: (.*))?\Z",
    re.ASCII | re.DOTALL,
)
_DOCKER = frozenset({"log", "stream", "time", "attrs"})
_STREAMS = frozenset({"stdout", "stderr"})


class _Written(NamedTuple):
    """A line, or a part of one, and what stands around it."""

    message: str
    stream: str
    time: str
    complete: bool


def _parse(line: str) -> _Written | None:
    """Return what a container wrote, None where a line is in no envelope."""
    match = _CRI.match(line)
    if match is not None:
        time, stream, tag, message = match.groups()
        return _Written(message or "", stream, time, tag == "F")
    if not line.startswith("{"):
        return None
    try:
        found: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not {"log", "stream"} <= found.keys() <= _DOCKER:
        return None
    message, stream, time = found["log"], found["stream"], found.get("time", "")
    if not isinstance(message, str) or not isinstance(time, str) or stream not in _STREAMS:
        return None
    return _Written(message.removesuffix("\n"), stream, time, message.endswith("\n"))


class ContainersReader:
    """Reads the logs of containers."""

    name = "containers"
    title = "Container logs (Kubernetes CRI, Docker)"
    splittable = False
    """A line may be in several parts."""

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Return the families of logs that may be inside."""
        return tuple(dict.fromkeys((text.ORIGIN, ndjson.ORIGIN, *auditd.READER.origins)))

    def recognises(self, head: Head) -> int:
        """Return 95 where at least half of the first lines are in such an envelope."""
        lines = head.lines[:_HEAD_LINES]
        alike = sum(_parse(line.removeprefix(BOM)) is not None for line in lines)
        return 95 if alike and alike * 2 >= len(lines) else 0

    def read(
        self, stream: Stream, report: FileReport, limits: Limits
    ) -> Iterator[DocumentBatch | EventBatch]:
        """Yield what is inside of each batch of lines: documents of JSON, then the events of each origin."""
        parts = _Parts(report, limits)
        merger = auditd.Merger(report, limits)
        for first, lines in stream.line_batches(report, limits):
            yield from _batches(_without_audit(parts.whole(first, lines), merger), report)
            yield from auditd.batches(merger, report, limits)
        yield from _batches(_without_audit(parts.left(), merger), report)
        merger.close()
        yield from auditd.batches(merger, report, limits)


def _without_audit(
    found: Iterator[tuple[int, _Written]], merger: auditd.Merger
) -> list[tuple[int, _Written]]:
    """Hand the records of the audit log to the merger, and return what else there is."""
    return [
        (number, one)
        for number, one in found
        if not (
            one.stream
            and "audit(" in one.message
            and auditd.is_record(one.message)
            and merger.add(number, one.message)
        )
    ]


class _Parts:
    """Puts lines together that were written in parts."""

    def __init__(self, report: FileReport, limits: Limits) -> None:
        self._report = report
        self._most = limits.line_bytes
        self._begun: dict[str, list[str]] = {}
        self._last: dict[str, tuple[int, _Written]] = {}

    def whole(self, first: int, lines: list[bytes]) -> Iterator[tuple[int, _Written]]:
        """Yield the number and the content of each line that is complete."""
        for number, raw in enumerate(lines, first):
            line = decode(raw, number, self._report).removeprefix(BOM).strip("\x00\r\n")
            written = _parse(line)
            if written is None:
                if line.strip():
                    broken(self._report, number, "not a container's line; read as plain text", skipped=0)
                    yield number, _Written(line, "", "", complete=True)
                continue
            begun = self._begun.get(written.stream)
            if begun is None and written.complete:
                yield number, written
                continue
            begun = self._begun.setdefault(written.stream, [])
            if sum(map(len, begun)) + len(written.message) <= self._most:
                begun.append(written.message)
            else:
                self._report.note("oversized-line", f"line {number}", f"longer than {self._most} bytes")
            self._last[written.stream] = number, written
            if written.complete:
                yield self._taken(written.stream)

    def left(self) -> Iterator[tuple[int, _Written]]:
        """Yield what was begun and never ended."""
        for stream in list(self._begun):
            yield self._taken(stream)

    def _taken(self, stream: str) -> tuple[int, _Written]:
        number, written = self._last.pop(stream)
        return number, written._replace(message="".join(self._begun.pop(stream)), complete=True)


def _batches(found: list[tuple[int, _Written]], report: FileReport) -> Iterator[DocumentBatch | EventBatch]:
    documents = [
        (number, one.message.encode("utf-8", "replace")) for number, one in found if _is_object(one.message)
    ]
    if documents:
        yield DocumentBatch(report, *apart(documents))
    inside = {number for number, _ in documents}
    others = [(number, one) for number, one in found if number not in inside and one.message.strip()]
    bare = [(number, {"message": one.message}) for number, one in others if not one.stream]
    if bare:
        yield EventBatch(report, text.ORIGIN.name, *apart(bare))
    left = [(number, _event(one)) for number, one in others if one.stream]
    for rest in (syslog.ORIGIN, text.ORIGIN):
        some = [one for one in left if ("timestamp" in one[1]) == (rest is syslog.ORIGIN)]
        yield from _sorter(rest.name).batches(*apart(some), report)


def _is_object(message: str) -> bool:
    """Return whether a line is a JSON object; as one, what only looks so would be lost."""
    if not (message.startswith("{") and message.rstrip().endswith("}")):
        return False
    try:
        return isinstance(orjson.loads(message), dict)
    except orjson.JSONDecodeError:
        return False


@cache
def _sorter(rest: str) -> Sorter:
    return Sorter(carriers(), syslog.ORIGIN if rest == syslog.ORIGIN.name else text.ORIGIN)


def _event(written: _Written) -> Fields:
    """Return a line as syslog has lines: with ``message`` and ``raw``, and what its header says."""
    fields = syslog.parse_line(written.message) or {"message": written.message, "raw": written.message}
    fields["stream"] = written.stream
    if written.time and "timestamp" not in fields:
        fields["time"] = written.time
    return fields


READER = ContainersReader()
