"""SonicWall's logs (SonicOS): pairs of key and value through syslog.

    id=firewall sn=00… time="2026-11-11 21:58:57" fw=198.51.100.1 pri=6 m=98 msg="Connection Opened" …

Rules of this module:

- A record begins with its id and serial number, or with the number alone, and has the number of its message.
- An address stands with port, interface and name in one value (``10.20.0.31:50112:X0``); they are told apart.
- What was done with a packet is told by ``fw_action``, or else by the message.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``sonicwall``): the keys as written (``m``, ``msg``, ``rule`` …), all text, and:

    hostname …   of the header of syslog, if there is one
    src_ip src_port src_interface dst_ip dst_port dst_interface
                 parts of ``src`` and ``dst``
    protocol service
                 parts of ``proto``: tcp; http
    action       accept, deny; absent where nothing tells
    url url_host url_uri url_path url_query url_extension
                 the page that was asked for, and its parts (of ``dstname`` and ``arg``)
    raw          the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._pairs import pairs_of
from haidang.events.readers._product import ProductReader, envelope
from haidang.events.readers._urls import url_parts

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "SonicwallReader"]

ORIGIN = Origin("sonicwall", time_fields=("time", "timestamp"), host_fields=("hostname", "sn"))

_RECORD = expression(r"(?:id=\S{1,64} +)?sn=\w{1,32} .{0,512}?\bm=\d{1,6} ", re.ASCII | re.DOTALL)
_END = expression(r"([^:\s]*):?(\d{0,5})(?::([^:\s]*))?", re.ASCII)
_ACTIONS = {"forward": "accept", "drop": "deny"}
_ALLOWED = ("Connection Opened", "Connection Closed")
_DENIED = expression(r" (?:dropped|denied|blocked)\b", re.ASCII | re.IGNORECASE)


class SonicwallReader(ProductReader):
    """Reads what SonicWall firewalls log."""

    name = "sonicwall"
    title = "SonicWall (SonicOS)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for what begins like the first key of a line that names no program."""
        return start in {"i", "s"} and not program

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        if not message.startswith(("id=", "sn=")) or _RECORD.match(message) is None:
            return None
        pairs = pairs_of(message)
        fields = envelope(event) | pairs
        fields["raw"] = event["raw"]
        for side in ("src", "dst"):
            _add_end(fields, side, pairs)
        if proto := pairs.get("proto"):
            fields["protocol"], _, service = proto.partition("/")
            if service:
                fields["service"] = service
        if action := _action(pairs):
            fields["action"] = action
        if "arg" in pairs and "dstname" in pairs:
            scheme = "https" if pairs.get("proto", "").endswith("https") else "http"
            fields["url"] = f"{scheme}://{pairs['dstname']}{pairs['arg']}"
            fields.update(url_parts(fields["url"], "url_"))
        return fields


def _add_end(fields: Fields, side: str, pairs: dict[str, str]) -> None:
    """Add the parts of one end of a connection: address, port and interface."""
    match = _END.match(pairs.get(side, ""))
    if match is None:
        return
    address, port, interface = match.groups()
    # An address of IPv6 has a key of its own, and this one the rest.
    address = address or pairs.get(f"{side}V6", "")
    given = {"ip": address, "port": port, "interface": interface}
    fields.update((f"{side}_{name}", value) for name, value in given.items() if value)


def _action(pairs: dict[str, str]) -> str:
    """Return what was done with a packet, "" where nothing tells."""
    if action := _ACTIONS.get(pairs.get("fw_action", "").lower()):
        return action
    message = pairs.get("msg", "")
    if message in _ALLOWED:
        return "accept"
    return "deny" if _DENIED.search(message) else ""


READER = SonicwallReader()
