"""The firewall log of pfSense and OPNsense: one packet a line, as columns, under the program ``filterlog``.

    Nov 11 21:59:02 hv-gw02 filterlog[9265]: 7,,,1000000102,igb0,match,block,in,4,0x0,,64,19008,0,DF,6,tcp, …

Rules of this module:

- What the columns mean follows the documentation of pfSense: nine for all packets, then those of IPv4 or
  IPv6, then those of TCP, UDP or another protocol. A record that ends early has the fields that are there.
- Input is untrusted.

Fields (origin ``filterlog``; all text, absent where empty):

    rule sub_rule anchor tracker interface reason
    action       pass, block, match, reject …
    direction    in or out
    ip_version   4 or 6
    ttl id ip_flags length
    protocol     tcp, udp, icmp, icmpv6 …, lower case
    src_ip src_port dst_ip dst_port
    data_length tcp_flags
    detail       what follows, of other protocols
    timestamp hostname program raw …
                 as the syslog reader has them
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "FilterlogReader"]

ORIGIN = Origin("filterlog", time_fields=("time", "timestamp"), host_fields=("hostname",))

# A column without a name is of no use to anybody: type of service, ECN, fragment offset, flow label.
# fmt: off
_ALL = ("rule", "sub_rule", "anchor", "tracker", "interface", "reason", "action", "direction", "ip_version")
_IPV4 = ("", "", "ttl", "id", "", "ip_flags", "", "protocol", "length", "src_ip", "dst_ip")
_IPV6 = ("", "", "ttl", "protocol", "", "length", "src_ip", "dst_ip")
# fmt: on
_PORTS = ("src_port", "dst_port", "data_length")
_TCP = (*_PORTS, "tcp_flags")
_COLUMNS = {
    (version, protocol): (*_ALL, *columns, *more)
    for version, columns in (("4", _IPV4), ("6", _IPV6))
    for protocol, more in (("tcp", _TCP), ("udp", _PORTS), ("", ()))
}
_PROTOCOL_AT = {"4": len(_ALL) + _IPV4.index("protocol"), "6": len(_ALL) + _IPV6.index("protocol")}
_LONGEST = 64
"""Columns that are looked at."""


class FilterlogReader(ProductReader):
    """Reads the firewall log of pfSense and OPNsense."""

    name = "filterlog"
    title = "pfSense and OPNsense firewall (filterlog)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for the lines of the program ``filterlog``."""
        del start
        return program == "filterlog"

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the packet of a line."""
        columns = event["message"].split(",", _LONGEST)
        at = _PROTOCOL_AT.get(columns[8]) if len(columns) > len(_ALL) else None
        if at is None or len(columns) <= at:
            return None
        protocol = columns[at].lower()
        names = _COLUMNS.get((columns[8], protocol)) or _COLUMNS[columns[8], ""]
        fields = envelope(event)
        fields.update({name: value for name, value in zip(names, columns, strict=False) if value and name})
        fields["protocol"] = protocol
        if len(names) == len(_COLUMNS[columns[8], ""]) and (rest := columns[len(names) :]):
            fields["detail"] = ",".join(rest)
        return fields


READER = FilterlogReader()
