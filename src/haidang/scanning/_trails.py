"""Reading trails off the events of a scan: process starts and moves between hosts, also where no rule holds.

Rules:

- Asked for only by an output that shows them, because it costs a look at every event. Undecoded documents are
  searched for the few event ids that matter, and only those are decoded.
- Of one input no more than ``Limits.trail_starts`` are handed over; the rest is counted.
- Of what findings and trails say about an event, both come from :func:`haidang.findings.trails.about`.

Events are untrusted; the expressions here run in linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from haidang.detect.semantics import text
from haidang.events import shapes
from haidang.events.model import DocumentBatch
from haidang.findings.trails import ADMIN_PORTS, WINDOWS_IDS, About, about
from haidang.scanning._evidence import UNKNOWN_ORIGIN, first_host, first_time, origins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import Batch, EventBatch, Fields
    from haidang.scanning._options import ScanOptions

__all__ = ["TrailReader"]

_ID = re.compile(
    rb'vent(?:ID|_id|Code)"\s{0,8}:\s{0,8}(?:\{[^}]{0,200}?"(?:#text|Value)"\s{0,8}:\s{0,8})?"?'
    rb"(1|3|4624|4648|4688|5140|5145)\b"
)
_PORT = re.compile(
    rb'estinationPort"\s{0,8}:\s{0,8}"?(?:' + b"|".join(port.encode() for port in ADMIN_PORTS) + rb")\b"
)
_REMOTE = re.compile(rb'ogonType"\s{0,8}:\s{0,8}"?(?:3|10)\b')
_SSHD = frozenset({"sshd", "sshd-session"})
_ZEEK_LOGS = frozenset({"smb_files", "smb_mapping", "dce_rpc", "rdp", "ssh"})


class TrailReader:
    """Reads what events tell, within the times and limits of a scan."""

    def __init__(self, options: ScanOptions) -> None:
        """Keep the limits; nothing has been read yet."""
        self._limits = options.limits
        self._since, self._until = options.since, options.until
        self._origins = origins()
        self._left = 0
        self.lost = 0
        """What the current input told beyond the limit."""

    def begin(self) -> None:
        """Begin a new input."""
        self._left = self._limits.trail_starts
        self.lost = 0

    def of_event(self, origin: str, event: Fields, host: str, time: int | None) -> About:
        """Return what one event tells; ``time`` is in nanoseconds."""
        milliseconds = None if time is None else time // 1_000_000
        return about(origin, event, host=host, time=milliseconds, longest=self._limits.trail_chars)

    def of_batch(self, batch: Batch) -> tuple[About, ...]:
        """Return what the events of a batch tell of starts, moves and addresses."""
        told = []
        events = _documents(batch) if isinstance(batch, DocumentBatch) else _events(batch)
        for name, event in events:
            origin = self._origins.get(name, UNKNOWN_ORIGIN)
            time = first_time(event, origin)
            if self._outside(time):
                continue
            one = self.of_event(name, event, first_host(event, origin), time)
            if one.start is None and one.move is None and one.address is None:
                continue
            if self._left:
                self._left -= 1
                # Who acted is asked of findings alone.
                told.append(one._replace(users=(), process=""))
            else:
                self.lost += 1
        return tuple(told)

    def _outside(self, time: int | None) -> bool:
        return time is not None and (
            (self._since is not None and time < self._since)
            or (self._until is not None and time > self._until)
        )


def _documents(batch: DocumentBatch) -> Iterator[tuple[str, Fields]]:
    for document in batch.documents:
        found = _ID.search(document)
        if found is None:
            continue
        if found[1] == b"3" and not _PORT.search(document):
            continue
        if found[1] == b"4624" and not _REMOTE.search(document):
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


def _events(batch: EventBatch) -> Iterator[tuple[str, Fields]]:
    for event in batch.events:
        name = batch.origin
        fields = event
        if name in {"", "json", "csv"}:
            shape = shapes.recognise(event)
            if not shape:
                continue
            name, fields = "windows", shapes.flatten(shape, event)
        if _tells(name, fields):
            yield name, fields


def _tells(origin: str, event: Fields) -> bool:
    """Return whether it is worth the while to read an event for trails."""
    if origin == "windows":
        return text(event.get("EventID")) in WINDOWS_IDS
    if origin == "auditd":
        return "ppid" in event
    if origin == "syslog":
        return event.get("program") in _SSHD
    return origin == "zeek" and event.get("_path") in _ZEEK_LOGS
