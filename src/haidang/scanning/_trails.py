"""Reading trails off the events of a scan: process starts and moves between hosts, also where no rule holds.

Rules:

- Asked for only by an output that shows them, because it costs a look at every event. Undecoded documents are
  searched for the few event ids that matter, or for the words of clouds, and only those are decoded.
- What one input tells is bounded as what the run keeps is (:class:`haidang.findings.gathering.Trails`).
- Of what findings and trails say about an event, both come from :func:`haidang.findings.trails.about`.

Events are untrusted; the expressions here run in linear time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

import orjson
import re2

from haidang.detect.origins import Recogniser
from haidang.detect.semantics import lookup, text
from haidang.errors import HaidangError
from haidang.events import shapes
from haidang.events.model import DocumentBatch, EventBatch
from haidang.findings.arrivals import ARRIVALS, MARKS, may_tell
from haidang.findings.gathering import Trails
from haidang.findings.schemas import SCHEMAS
from haidang.findings.trails import ADMIN_PORTS, WINDOWS_IDS, About, about
from haidang.scanning._evidence import UNKNOWN, first_host, first_time, known_origins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.events.columns import ColumnBatch
    from haidang.events.model import Batch, Fields
    from haidang.scanning._options import ScanOptions
    from haidang.sigma.ir import LogsourceMap

__all__ = ["TrailReader"]

_ID = re.compile(
    rb'vent(?:ID|_id|Code)"\s{0,8}:\s{0,8}'
    rb'(?:\{[^{}]{0,60}(?:\{[^{}]{0,120}\}[^{}]{0,20})?"(?:#text|Value)"\s{0,8}:\s{0,8})?"?'
    rb"(1|3|6|21|25|1149|4624|4648|4688|4778|5140|5145)\b"
)
_PORT = re.compile(
    rb'estinationPort"\s{0,8}:\s{0,8}"?(?:' + b"|".join(port.encode() for port in ADMIN_PORTS) + rb")\b"
)
_REMOTE = re.compile(rb'ogonType"\s{0,8}:\s{0,8}"?(?:3|10)\b')
_WINDOWS = re.compile(rb'vent(?:ID|_id|Code)"')
_CLOUD = re2.compile("|".join(map(re2.escape, MARKS)).encode())
_PEEKS = 64
_SSHD = frozenset({"sshd", "sshd-session"})
_ZEEK_LOGS = frozenset({"smb_files", "smb_mapping", "dce_rpc", "rdp", "ssh"})


class TrailReader:
    """Reads what events tell, within the times and limits of a scan."""

    def __init__(self, options: ScanOptions, maps: Sequence[LogsourceMap] = ()) -> None:
        """Keep the limits; nothing has been read yet. ``maps`` say where JSON keeps time and host."""
        self._limits = options.limits
        self._since, self._until = options.since, options.until
        self._origins = known_origins(maps)
        self._recognise = Recogniser((one.origin, names) for one in maps for names in one.recognise).origin
        self.trails = Trails(self._limits)
        """What the current input told."""
        self._peeks = 0

    def begin(self) -> None:
        """Begin a new input."""
        self.trails = Trails(self._limits)
        self._peeks = _PEEKS

    def of_hit(self, origin: str, event: Fields, host: str, time: int | None) -> About:
        """Return what an event that a rule holds for tells, and remember its process."""
        told = self._about(origin, event, host, time)
        self.trails.want(host, told.process, _milliseconds(time))
        return told

    def read(self, batch: Batch) -> None:
        """Gather what the events of a batch tell of starts, moves and addresses."""
        if isinstance(batch, DocumentBatch):
            events = self._documents(batch)
        else:
            events = self._events(batch) if isinstance(batch, EventBatch) else self._rows(batch)
        for name, event in events:
            origin = self._origins.get(name, UNKNOWN)
            time = first_time(event, origin)
            if not self._outside(time):
                self.trails.gather(self._about(name, event, first_host(event, origin), time))

    def _about(self, origin: str, event: Fields, host: str, time: int | None) -> About:
        return about(origin, event, host=host, time=_milliseconds(time), longest=self._limits.trail_chars)

    def _documents(self, batch: DocumentBatch) -> Iterator[tuple[str, Fields]]:
        # Events of Windows are spared the search for marks, which costs more than all else here.
        others: list[bytes] = []
        for document in batch.documents:
            found = _ID.search(document)
            if found is None:
                if not _WINDOWS.search(document):
                    others.append(document)
                continue
            if not self._worth(found[1], document):
                continue
            try:
                event = orjson.loads(document)
            except orjson.JSONDecodeError:
                continue  # The matcher notes it.
            if not isinstance(event, dict):
                continue
            _, inner = shapes.unwrap(event)
            shape = shapes.recognise(inner)
            if shape:
                yield "windows", shapes.flatten(shape, inner)
        yield from self._of_others(others)

    def _of_others(self, documents: Sequence[bytes]) -> Iterator[tuple[str, Fields]]:
        """Yield the documents that may tell of an arrival; they are searched together, each call costs."""
        starts = list(accumulate((len(document) + 1 for document in documents), initial=0))
        last = -1
        for match in _CLOUD.finditer(b"\n".join(documents)):
            at = bisect_right(starts, match.start()) - 1
            if at == last:
                continue
            last = at
            try:
                event = orjson.loads(documents[at])
            except orjson.JSONDecodeError:
                continue  # The matcher notes it.
            if isinstance(event, dict):
                yield from self._recognised(shapes.unwrap(event)[1])

    def _recognised(self, event: Fields) -> Iterator[tuple[str, Fields]]:
        origin = self._recognise(event)
        if origin in ARRIVALS and _tells(origin, event):
            yield origin, event

    def _rows(self, batch: ColumnBatch) -> Iterator[tuple[str, Fields]]:
        try:
            for event in batch.all_events(self._limits.batch_events):
                _, inner = shapes.unwrap(event)
                shape = shapes.recognise(inner)
                if shape:
                    yield "windows", shapes.flatten(shape, inner)
                else:
                    yield from self._recognised(inner)
        except HaidangError:
            return  # The matcher notes it.

    def _events(self, batch: EventBatch) -> Iterator[tuple[str, Fields]]:
        name = batch.origin
        if name in {"", "json", "csv"}:
            for event in batch.events:
                _, inner = shapes.unwrap(event)
                shape = shapes.recognise(inner)
                if not shape:
                    yield from self._recognised(inner)
                elif _tells("windows", fields := shapes.flatten(shape, inner)):
                    yield "windows", fields
            return
        for event in batch.events:
            if _tells(name, event):
                yield name, event

    def _worth(self, number: bytes, document: bytes) -> bool:
        """Return whether a document with that event id is worth decoding."""
        if number == b"4624":
            return _REMOTE.search(document) is not None
        if number in {b"21", b"25", b"1149"}:
            return b"TerminalServices" in document
        if number == b"6":
            return b"WinRM" in document
        if number == b"3" and not _PORT.search(document):
            # The first connections of an input tell the addresses of its hosts.
            self._peeks -= 1
            return self._peeks >= 0
        return True

    def _outside(self, time: int | None) -> bool:
        return time is not None and (
            (self._since is not None and time < self._since)
            or (self._until is not None and time > self._until)
        )


def _milliseconds(time: int | None) -> int | None:
    return None if time is None else time // 1_000_000


def _tells(origin: str, event: Fields) -> bool:
    """Return whether it is worth the while to read an event for trails."""
    if origin == "windows":
        return text(event.get("EventID")) in WINDOWS_IDS
    if origin == "auditd":
        return "ppid" in event or event.get("type") == "USER_LOGIN"
    if origin == "zeek":
        return event.get("_path") in _ZEEK_LOGS
    if origin == "syslog" and event.get("program") in _SSHD:
        return True
    if origin in SCHEMAS:
        return True
    if origin not in ARRIVALS:
        return False

    def get(*names: str) -> str:
        for name in names:
            value = lookup(event, name)
            if isinstance(value, list):
                value = value[0] if value else None
            if value is not None:
                return text(value)
        return ""

    return may_tell(origin, get)
