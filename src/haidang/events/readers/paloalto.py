"""PAN-OS: the comma-separated logs of Palo Alto firewalls, through syslog or exported.

    Nov 11 21:59:02 hv-pa01 1,2026/11/11 21:59:02,0123456789,TRAFFIC,end,2561,2026/11/11 21:59:02,10.20.0.31,…

Rules of this module:

- A record has a reserved column, a time, a serial number and its type. Read by name are TRAFFIC, THREAT,
  SYSTEM, CONFIG and GLOBALPROTECT; of other types the columns that all have.
- Quoted columns may hold commas; a quote inside is doubled.
- Input is untrusted.

Fields (origin ``paloalto``; all text, absent where empty), by the names of PAN-OS's own documentation:

    receive_time serial type subtype time_generated
    src dst natsrc natdst rule srcuser dstuser app vsys from to inbound_if outbound_if sessionid sport dport
    natsport natdport proto action              TRAFFIC and THREAT
    bytes bytes_sent bytes_received packets elapsed session_end_reason category   TRAFFIC
    misc threatid category severity direction contenttype user_agent referer …    THREAT; misc is URL or file
    eventid object module severity opaque       SYSTEM; opaque is its text
    host cmd admin client result path           CONFIG
    eventid stage auth_method tunnel_type srcuser public_ip private_ip status reason …   GLOBALPROTECT
    url_host url_uri url_path url_query url_extension   parts of the URL of a THREAT url record
    timestamp hostname priority …               of the header of syslog, if there is one
    raw                                         the whole line
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope
from haidang.events.readers._urls import url_parts

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "PaloaltoReader"]

ORIGIN = Origin(
    "paloalto",
    time_fields=("time_generated", "receive_time", "timestamp"),
    host_fields=("device_name", "hostname", "serial"),
)

_RECORD = expression(r"\d{0,3},\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,[\w-]{1,32},([A-Z][A-Z0-9-]{2,20}),", re.ASCII)
_ALL = ("", "receive_time", "serial", "type", "subtype", "", "time_generated")
# fmt: off
_SESSION = (
    *_ALL, "src", "dst", "natsrc", "natdst", "rule", "srcuser", "dstuser", "app", "vsys", "from", "to",
    "inbound_if", "outbound_if", "logset", "", "sessionid", "repeatcnt", "sport", "dport", "natsport",
    "natdport",
    "flags", "proto", "action",
)
_LEVELS = (
    "dg_hier_level_1", "dg_hier_level_2", "dg_hier_level_3", "dg_hier_level_4", "vsys_name", "device_name",
)
_TYPES: dict[str, tuple[str, ...]] = {
    "TRAFFIC": (
        *_SESSION, "bytes", "bytes_sent", "bytes_received", "packets", "start", "elapsed", "category", "",
        "seqno", "actionflags", "srcloc", "dstloc", "", "pkts_sent", "pkts_received", "session_end_reason",
        *_LEVELS,
    ),
    "THREAT": (
        *_SESSION, "misc", "threatid", "category", "severity", "direction", "seqno", "actionflags",
        "srcloc",
        "dstloc", "", "contenttype", "pcap_id", "filedigest", "cloud", "url_idx", "user_agent", "filetype",
        "xff",
        "referer", "sender", "subject", "recipient", "reportid", *_LEVELS, "", "", "", "http_method",
    ),
    "SYSTEM": (
        *_ALL, "vsys", "eventid", "object", "", "", "module", "severity", "opaque", "seqno", "actionflags",
        *_LEVELS,
    ),
    "CONFIG": (*_ALL, "host", "vsys", "cmd", "admin", "client", "result", "path", "seqno", "actionflags"),
    "GLOBALPROTECT": (
        *_ALL, "vsys", "eventid", "stage", "auth_method", "tunnel_type", "srcuser", "srcregion",
        "machinename",
        "public_ip", "public_ipv6", "private_ip", "private_ipv6", "hostid", "serialnumber", "client_ver",
        "client_os",
        "client_os_ver", "repeatcnt", "reason", "error", "opaque", "status", "location",
    ),
}
# fmt: on
_COLUMNS = 200
_LONGEST = 65_536
"""Characters of a record that are taken apart; PAN-OS sends at most a few thousand."""


class PaloaltoReader(ProductReader):
    """Reads the logs of PAN-OS."""

    name = "paloalto"
    title = "Palo Alto PAN-OS (comma-separated)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for what begins with the first column: a digit, or nothing."""
        return not program and bool(start) and (start.isdigit() or start == ",")

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        match = _RECORD.match(message)
        if match is None:
            return None
        columns = _split(message[:_LONGEST])
        fields = envelope(event)
        names = _TYPES.get(match[1], _ALL)
        fields.update({name: value for name, value in zip(names, columns, strict=False) if value and name})
        if fields.get("subtype") == "url" and (url := fields.get("misc")):
            fields.update(url_parts(url, "url_"))
        return fields


def _split(record: str) -> list[str]:
    if '"' not in record:
        return record.split(",", _COLUMNS)
    try:
        return next(csv.reader([record.replace("\n", " ").replace("\r", " ")]), [])
    except csv.Error:
        return record.replace('"', "").split(",", _COLUMNS)


READER = PaloaltoReader()
