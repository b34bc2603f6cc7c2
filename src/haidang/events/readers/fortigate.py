"""FortiGate's logs: pairs of key and value, through syslog or downloaded from the device.

    date=2026-11-11 time=21:59:02 devname="hv-fw01" devid="FG…" eventtime=1794408… logid="0000000013" type= …

Rules of this module:

- A record begins with ``date=``, ``time=``, ``logver=``, ``timestamp=`` or ``itime=`` and names a device
  and the kind of its log (``devid``/``device_id`` and ``logid``/``log_id``). Values are bare or in double
  quotes, in which a backslash escapes.
- Between pairs is a blank, or a comma, as the device sends them in the format ``csv``; in files that people
  download each pair may be in quotes of its own.
- Input is untrusted.

Fields (origin ``fortigate``): the keys as written (``srcip``, ``dstport``, ``cfgpath``, ``subtype`` …), all
text,
and:

    timestamp hostname priority …   of the header of syslog, if there is one
    date_time    date, time and time zone of the device as one text
    url_host url_uri url_path url_query url_extension
                 parts of the URL in ``url``
    raw          the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope
from haidang.events.readers._rows import split_row
from haidang.events.readers._urls import url_parts

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "FortigateReader"]

ORIGIN = Origin(
    "fortigate",
    time_fields=("eventtime", "date_time", "timestamp"),
    host_fields=("devname", "hostname", "devid"),
)

_BEGINNINGS = ("date=", "time=", "logver=", "timestamp=", "itime=")
_STARTS = frozenset('"' + "".join(beginning[0] for beginning in _BEGINNINGS))
_QUOTE = '"'
_HEAD = 600
"""Characters in which a record names its device and its kind."""
_PAIR = expression(r'([\w.-]{1,128}+)=(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"?|([^\s"]*+))', re.ASCII | re.DOTALL)
_WITH_COMMAS = expression(r'[\w.-]{1,128}+=(?:"[^"\\]*+"|[^\s",]*+),(?=[\w.-]{1,128}=)', re.ASCII)
_PAIR_WITH_COMMA = expression(
    r'([\w.-]{1,128}+)=(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"?|([^",]*+))(?:,|\Z)', re.ASCII | re.DOTALL
)


class FortigateReader(ProductReader):
    """Reads what FortiGate firewalls log."""

    name = "fortigate"
    title = "FortiGate (key=value)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for what begins like one of the first keys; the line names no program, as a rule."""
        del program
        return start in _STARTS

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        if message.startswith('"'):
            message = _unquoted(message)
        if not message.startswith(_BEGINNINGS):
            return None
        head = message[:_HEAD]
        if not ("logid=" in head or "log_id=" in head) or not (
            "devid=" in head or "devname=" in head or "device_id=" in head
        ):
            return None
        fields = envelope(event)
        pair = _PAIR_WITH_COMMA if _WITH_COMMAS.match(message) else _PAIR
        fields.update([(key, quoted or bare) for key, quoted, bare in pair.findall(message)])
        fields["raw"] = event["raw"]
        if "\\" in message:
            for key, value in fields.items():
                if isinstance(value, str) and '\\"' in value and key != "raw":
                    fields[key] = value.replace('\\"', '"')
        if "date" in fields and "time" in fields:
            fields["date_time"] = f"{fields['date']}T{fields['time']}{fields.get('tz', '')}"
        if url := fields.get("url"):
            fields.update(url_parts(url, "url_"))
        return fields


def _unquoted(message: str) -> str:
    """Return pairs that are in quotes of their own (``"date=2026-11-11","srcip=…"``) with blanks between."""
    pairs = (cell.partition("=") for cell in split_row(message, ","))
    return " ".join(f'{key}="{value.strip(_QUOTE)}"' for key, is_pair, value in pairs if is_pair)


READER = FortigateReader()
