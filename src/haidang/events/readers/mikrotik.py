"""MikroTik's RouterOS: packets of its firewall, sign-ins, and what else it tells through syslog.

    Nov 11 21:58:57 hv-mt01 firewall,info chan input: in:ether1 out:(unknown 0), … proto TCP (SYN), …

Rules of this module:

- A record is a message that begins with topics: two words or more, with commas between them, of which the
  first is one that RouterOS has.
- RouterOS does not say what became of a packet. Where the prefix of the rule does, in the words that
  administrators use, ``action`` says it, as with the packets of Linux.
- Input is untrusted.

Fields (origin ``mikrotik``; all text, absent where the message does not say):

    topics       firewall,info
    topic        the first of them
    message      what comes after them
    prefix chain in out state src_mac protocol flags length
                 of a packet
    action       drop, reject or accept; of a sign-in login_failed, logged_in or logged_out
    src_ip src_port dst_ip dst_port
                 the peers of a packet, or where a user came from
    user service of a sign-in: ssh, winbox, web, api …
    timestamp hostname raw …
                 as the syslog reader has them
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope
from haidang.events.readers.netfilter import said_by

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "MikrotikReader"]

ORIGIN = Origin("mikrotik", time_fields=("time", "timestamp"), host_fields=("hostname",))

_TOPICS = expression(
    r"((?:firewall|system|dhcp|interface|wireless|caps|ppp|pppoe|l2tp|pptp|sstp|ovpn|ipsec|ssh|script|manager|hotspot"
    r"|dns|ntp|route|bgp|ospf|web-proxy|account)(?:,!?[a-z0-9-]{2,20}){1,6}):? (.*)\Z",
    re.ASCII | re.DOTALL,
)
_PACKET = expression(
    r"(?:(?P<prefix>.{1,128}?) )?(?P<chain>[\w-]{1,64}): in:(?P<in>\S{1,64}) "
    r"out:(?P<out>\([^)]{1,64}\)|[^\s,]{1,64}), (?:connection-state:(?P<state>[\w,-]{1,64}) )?"
    r"(?:src-mac (?P<src_mac>[0-9A-Fa-f:]{17}), )?proto (?P<protocol>[\w-]{1,20})"
    r"(?: \((?P<flags>[^)]{1,64})\))?, "
    r"\[?(?P<src_ip>[0-9A-Fa-f.:]{2,45}?)\]?(?::(?P<src_port>\d{1,5}))?->"
    r"\[?(?P<dst_ip>[0-9A-Fa-f.:]{2,45}?)\]?(?::(?P<dst_port>\d{1,5}))?,.{0,256}? len (?P<length>\d{1,6})",
    re.ASCII,
)
_SIGN_IN = expression(
    r"(?:login failure for user (?P<failed>.{1,128}?)|user (?P<user>.{1,128}?) (?P<done>logged (?:in|out))) "
    r"from (?P<src_ip>[0-9A-Fa-f.:]{2,45}) via (?P<service>[\w-]{1,20})",
    re.ASCII,
)


class MikrotikReader(ProductReader):
    """Reads what RouterOS logs."""

    name = "mikrotik"
    title = "MikroTik RouterOS"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True where a line has no program, or what syslog takes for one: the topics."""
        return start.islower() if not program else "," in program

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        if program := event.get("program"):
            message = f"{program} {message}"
        match = _TOPICS.match(message)
        if match is None:
            return None
        fields = envelope(event)
        fields.pop("program", None)
        topics, text = match.groups()
        fields["topics"] = topics
        fields["topic"] = topics.partition(",")[0]
        fields["message"] = text
        if packet := _PACKET.match(text):
            fields.update({name: value for name, value in packet.groupdict().items() if value})
            fields["protocol"] = packet["protocol"].lower()
            if action := said_by(packet["prefix"] or ""):
                fields["action"] = action
        elif sign_in := _SIGN_IN.match(text):
            fields["user"] = sign_in["failed"] or sign_in["user"]
            fields["src_ip"] = sign_in["src_ip"]
            fields["service"] = sign_in["service"]
            fields["action"] = (sign_in["done"] or "login_failed").replace(" ", "_")
        return fields


READER = MikrotikReader()
