"""OpenVPN's status file, of any of its three versions: who is connected from where at the time that it tells.

    OpenVPN CLIENT LIST                         (version 1: tables with the names of their columns above)
    TITLE,OpenVPN 2.5.5 …                       (version 2: each line says which table it is of)
    TITLE⇥OpenVPN 2.5.5 …                       (version 3: the same with tabs)

Rules of this module:

- A client and a route are an event each; what the server counts is none.
- A line that fits no table is noted and skipped, and so is one that has more or fewer columns than its table.
- A time is local and taken for UTC, unless the file tells the seconds since 1970.
- Input is untrusted.

Fields (origin ``openvpn``; all text, absent where there is none):

    time             when the file was written
    action           online (a client), route
    user             who signed in, or else the common name of the certificate
    common_name src_ip src_port virtual_ip virtual_ipv6
    bytes_received bytes_sent connected_since last_ref client_id peer_id cipher
                     as the table has them
    message raw      the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import EventBatch, Fields, Origin
from haidang.events.patterns import expression
from haidang.events.readers import openvpn
from haidang.events.readers._lines import BOM, broken, decode_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.events.readers import Head
    from haidang.events.streams import Stream
    from haidang.limits import Limits

__all__ = ["READER", "OpenvpnStatusReader"]

_NAMES = {
    "Common Name": "common_name",
    "Username": "user",
    "Real Address": "address",
    "Virtual Address": "virtual_ip",
    "Virtual IPv6 Address": "virtual_ipv6",
    "Bytes Received": "bytes_received",
    "Bytes Sent": "bytes_sent",
    "Connected Since": "connected_since",
    "Last Ref": "last_ref",
    "Client ID": "client_id",
    "Peer ID": "peer_id",
    "Data Channel Cipher": "cipher",
}
_TABLES = {"OpenVPN CLIENT LIST": "online", "ROUTING TABLE": "route", "GLOBAL STATS": ""}
_TAGS = {"CLIENT_LIST": "online", "ROUTING_TABLE": "route"}
_COUNTED = ("GLOBAL_STATS", "TITLE", "END")
_FIRST = expression(r"OpenVPN CLIENT LIST\Z|TITLE[,\t]OpenVPN \S")
_PEER = expression(r"(?:\w{3,5}:)?\[?([0-9A-Fa-f.:]{2,45}?)\]?(?::(\d{1,5}))?\Z", re.ASCII)
_COLUMNS = 64
_NONE = frozenset({"", "UNDEF"})


class OpenvpnStatusReader:
    """Reads OpenVPN's status files."""

    name = "openvpn-status"
    title = "OpenVPN status file"
    origins: tuple[Origin, ...] = (openvpn.ORIGIN,)
    splittable = False
    """What a line means stands above it."""

    def recognises(self, head: Head) -> int:
        """Return 97 where the first line is that of a status file."""
        lines = head.lines
        return 97 if lines and _FIRST.match(lines[0].removeprefix(BOM).rstrip("\r")) else 0

    def read(self, stream: Stream, report: FileReport, limits: Limits) -> Iterator[EventBatch]:
        """Yield one batch of events for each batch of lines."""
        status = _Status()
        for first, lines in stream.line_batches(report, limits):
            events: list[Fields] = []
            records: list[int] = []
            for number, line in enumerate(decode_all(lines, first, report), first):
                text = line.removeprefix(BOM).strip("\x00\r\n")
                if not text.strip():
                    continue
                event = status.take(text)
                if event is None:
                    broken(report, number, "no line of a table of OpenVPN")
                elif event:
                    events.append(event)
                    records.append(number)
            if events:
                yield EventBatch(report, openvpn.ORIGIN.name, events, records)


class _Status:
    """What the lines above have said."""

    def __init__(self) -> None:
        self._time = ""
        self._table: str | None = None
        self._columns: dict[str, list[str]] = {}

    def take(self, line: str) -> Fields | None:
        """Return the event of a line, {} where it is none, None where it fits nothing."""
        cells = line.split("\t" if "\t" in line else ",", _COLUMNS)
        tag = cells[0]
        if tag in _TABLES and len(cells) == 1:
            self._table = _TABLES[tag]
            self._columns.pop(self._table, None)
        elif tag == "Updated" or (tag == "TIME" and len(cells) > 1):
            self._time = cells[-1]
        elif tag == "HEADER" and len(cells) > 2:
            self._columns[_TAGS.get(cells[1], "")] = cells[2:]
        elif tag in _TAGS:
            return self._event(_TAGS[tag], cells[1:], line)
        elif tag in _COUNTED or self._table == "":
            pass
        elif self._table is not None and self._table not in self._columns:
            self._columns[self._table] = cells
        elif self._table is not None:
            return self._event(self._table, cells, line)
        else:
            return None
        return {}

    def _event(self, action: str, cells: list[str], line: str) -> Fields | None:
        columns = self._columns.get(action, [])
        if not columns or len(columns) != len(cells):
            return None
        fields: Fields = {"action": action, "message": line, "raw": line}
        if self._time:
            fields["time"] = self._time
        for column, value in zip(columns, cells, strict=True):
            if (name := _NAMES.get(column)) and value not in _NONE:
                fields[name] = value
        if (peer := _PEER.match(fields.pop("address", ""))) is not None:
            fields["src_ip"] = peer[1]
            if peer[2]:
                fields["src_port"] = peer[2]
        if "user" not in fields and "common_name" in fields:
            fields["user"] = fields["common_name"]
        return fields


READER = OpenvpnStatusReader()
