r"""LEEF, the Log Event Extended Format of QRadar, versions 1.0 and 2.0, alone or behind a header of syslog.

    LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=10.20.0.8^dst=203.0.113.9^sev=5^cat=anomaly

Rules of this module (IBM QRadar, Log Event Extended Format 2.0):

- The header has five parts between bars: version, vendor, product, version of the product, event id; 2.0
  may have a sixth, the delimiter of the attributes: one character, or its code in hex (``0x09``, ``x5E``).
  Without it the delimiter is a tab. Where tabs were lost on the way, blanks before a key delimit.
- Input is untrusted.

Fields (origin ``leef``): the attributes as written (``src``, ``dstPort``, ``usrName``, ``url`` …), all
text, and:

    leefVersion deviceVendor deviceProduct deviceVersion eventId
                 of the header
    url_host url_uri url_path url_query url_extension
                 parts of the URL in ``url``
    timestamp hostname priority …
                 of the header of syslog, if there is one
    raw          the whole line
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope
from haidang.events.readers._urls import url_parts

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "LeefReader"]

ORIGIN = Origin(
    "leef",
    time_fields=("devTime", "time", "timestamp"),
    host_fields=("devname", "identHostName", "hostname"),
)

_HEADER = expression(
    r"LEEF: ?(\d\.\d{1,2})\|([^|]{0,512})\|([^|]{0,512})\|([^|]{0,512})\|([^|]{0,512})\|", re.DOTALL
)
_DELIMITER = expression(r"(?:(0?[xX][0-9A-Fa-f]{1,4})|([^\w\s=]|\t))?\|")
_BLANKS = expression(r"[ \t]++(?=[A-Za-z][\w.-]{0,127}=)", re.ASCII)
_NAMES = ("leefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "eventId")
_TAB = "\t"


class LeefReader(ProductReader):
    """Reads LEEF."""

    name = "leef"
    title = "Log Event Extended Format (LEEF)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for what begins with an L; some senders make ``LEEF`` the program."""
        return start == "L" or program == "leef"

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        if event.get("program") == "leef":
            message = "LEEF:" + message
        match = _HEADER.match(message) if message.startswith("LEEF:") else None
        if match is None:
            return None
        fields = envelope(event)
        fields.update(zip(_NAMES, match.groups(), strict=True))
        delimiter, start = _TAB, match.end()
        if not match[1].startswith("1") and (given := _DELIMITER.match(message, start)):
            delimiter, start = _character(given[1], given[2]), given.end()
        for attribute in _attributes(message[start:], delimiter):
            key, sign, value = attribute.partition("=")
            if sign and key != "raw":
                fields[key.strip()] = value
        if url := fields.get("url"):
            fields.update(url_parts(url, "url_"))
        return fields


def _attributes(text: str, delimiter: str) -> list[str]:
    if delimiter == _TAB and _TAB not in text:
        return _BLANKS.split(text)
    return text.split(delimiter)


@lru_cache(maxsize=64)
def _character(code: str | None, written: str | None) -> str:
    """Return the delimiter that a header gives; the tab where it gives none."""
    if code:
        return chr(int(code.lower().partition("x")[2], 16)) or _TAB
    return written or _TAB


READER = LeefReader()
