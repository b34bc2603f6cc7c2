"""Sophos Firewall's logs (SFOS, XG and XGS): pairs of key and value through syslog.

    device="SFW" date=2026-11-11 time=21:58:57 timezone="+07" device_name="XGS" log_type="Firewall" …

Rules of this module:

- Read are the format of the device (``device="SFW"``, with date and time apart) and that of central reporting
  (``device_name=… timestamp=…``); both name the kind of the log (``log_type``).
- A time zone that is told by its name is not known, its time is taken for UTC.
- Input is untrusted.

Fields (origin ``sophos``): the keys as written (``src_ip``, ``dst_port``, ``log_subtype`` …), all text,
without those that have no value, and:

    time         when it happened, with the zone of the device
    hostname …   of the header of syslog, if there is one
    url_host url_uri url_path url_query url_extension
                 parts of the URL in ``url``
    raw          the whole line
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.readers import syslog
from haidang.events.readers._pairs import pairs_of
from haidang.events.readers._product import ProductReader, envelope
from haidang.events.readers._urls import url_parts

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "SophosReader"]

ORIGIN = Origin(
    "sophos", time_fields=("time", "timestamp"), host_fields=("device_name", "hostname", "device_id")
)

_BEGINNINGS = ('device="SFW" ', "device_name=")
_HEAD = 600
"""Characters in which a record names its kind."""


class SophosReader(ProductReader):
    """Reads what Sophos Firewall logs."""

    name = "sophos"
    title = "Sophos Firewall (SFOS)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for what begins like the first key of a line that names no program."""
        return start == "d" and not program

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        if not message.startswith(_BEGINNINGS) or " log_type=" not in message[:_HEAD]:
            return None
        pairs = pairs_of(message)
        fields = envelope(event) | pairs
        fields["raw"] = event["raw"]
        if "date" in pairs and "time" in pairs:
            zone = pairs.get("timezone", "")
            fields["time"] = f"{pairs['date']}T{pairs['time']}{zone if zone[:1] in {'+', '-'} else ''}"
        elif "timestamp" in pairs:
            fields["time"] = pairs["timestamp"]
        if url := pairs.get("url"):
            fields.update(url_parts(url, "url_"))
        return fields


READER = SophosReader()
