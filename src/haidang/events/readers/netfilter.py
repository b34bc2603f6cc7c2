"""The packets that Linux firewalls log: iptables, nftables, ufw and firewalld, through the kernel's log.

    Nov 11 21:59:02 hv-web01 kernel: [8112.417] [UFW BLOCK] IN=eth0 OUT= MAC=… SRC=203.0.113.9 DST=10.20.0. …

Rules of this module:

- A record has ``IN=`` and ``OUT=`` and ``SRC=``, after the seconds since the start and the prefix of the
  rule.
- The kernel does not say what became of a packet. Where the prefix does, in the words that administrators
  use (BLOCK, DROP, DENY, REJECT; ACCEPT, ALLOW, PASS), ``action`` says it.
- A packet inside the packet (of an ICMP error, in brackets) is in ``raw`` alone.
- Input is untrusted.

Fields (origin ``netfilter``): the kernel's own (``IN``, ``OUT``, ``MAC``, ``SRC``, ``DST``, ``LEN``,
``TTL``, ``PROTO``,
``SPT``, ``DPT`` …), all text, absent where empty, and:

    prefix       what the rule writes before the record, without brackets and colon at its ends
    action       drop, reject or accept, where the prefix says it
    flags        names of the flags that are set: ``SYN``, ``ACK PSH``, ``DF SYN``
    timestamp hostname program raw …
                 as the syslog reader has them
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "NetfilterReader", "said_by"]

ORIGIN = Origin("netfilter", time_fields=("time", "timestamp"), host_fields=("hostname",))

_PROGRAMS = frozenset({"", "kernel", "ulogd"})
_LONGEST_PREFIX = 200
_PREFIX = expression(r"(?:\[ {0,12}\d{1,12}\.\d{1,9}\] ?)?(.{0,200}?)\Z", re.ASCII | re.DOTALL)
_PAIR = expression(r"([A-Z]{2,16}+)=(\S++)", re.ASCII)
_WORDS = expression(r"[A-Za-z]+")
_ACTIONS = {
    **dict.fromkeys(("block", "blocked", "drop", "dropped", "deny", "denied", "d"), "drop"),
    **dict.fromkeys(("reject", "rejected", "r"), "reject"),
    **dict.fromkeys(("accept", "accepted", "allow", "allowed", "pass", "a"), "accept"),
}


class NetfilterReader(ProductReader):
    """Reads the packets in the log of the kernel."""

    name = "netfilter"
    title = "Linux firewall (iptables, nftables, ufw)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for lines of the kernel, or of no program."""
        return program in _PROGRAMS and start != "{"

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the packet of a line."""
        message: str = event["message"]
        at = message.find("IN=", 0, _LONGEST_PREFIX)
        if at < 0 or " OUT=" not in message or " SRC=" not in message:
            return None
        record, _, _ = message[at:].partition(" [SRC=")
        fields = envelope(event)
        fields.update(_PAIR.findall(record))
        if flags := [word for word in record.split() if "=" not in word]:
            fields["flags"] = " ".join(flags)
        prefix, action = _meaning(message[:at])
        if prefix:
            fields["prefix"] = prefix
        if action:
            fields["action"] = action
        return fields


@lru_cache(maxsize=1024)
def said_by(prefix: str) -> str:
    """Return what a prefix says became of the packet; the last word that says it counts."""
    words = [word.lower() for word in _WORDS.findall(prefix)]
    # One letter means something at the very end only: WAN_LOCAL-default-D.
    known = [
        _ACTIONS[word]
        for i, word in enumerate(words, 1)
        if word in _ACTIONS and (len(word) > 1 or i == len(words))
    ]
    return known[-1] if known else ""


def _meaning(written: str) -> tuple[str, str]:
    """Return the prefix of a rule without time and punctuation, and the action that it names."""
    match = _PREFIX.match(written)
    prefix = match[1].strip(" []:") if match else ""
    return prefix, said_by(prefix) if prefix else ""


READER = NetfilterReader()
