"""OpenVPN's log: who came in from where, and whom it turned away.

    2026-11-11 21:59:02 203.0.113.9:51234 TLS Error: TLS handshake failed
    2026-11-11 21:59:04 hoa/203.0.113.77:40022 MULTI: Learn: 10.8.0.6 -> hoa/203.0.113.77:40022

Rules of this module:

- Read are OpenVPN's own files, with the time as version 2.5 and later write it or as earlier ones do, and
  lines of programs named ``openvpn``, ``openvpn-…`` and ``ovpn-…`` in syslog.
- A file is OpenVPN's where its lines name a peer as OpenVPN does, or begin with words that it uses.
- Input is untrusted.

Fields (origin ``openvpn``; all text, absent where the line does not say):

    timestamp hostname program …   as written; of the header of syslog, if there is one
    src_ip src_port                the peer
    user                           the common name of its certificate, or the user who signed in
    virtual_ip                     the address that the peer got in the tunnel
    action                         connected, authenticated, auth_failed, tls_error, disconnected
    message                        what comes after the peer
    raw                            the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "OpenvpnReader"]

ORIGIN = Origin("openvpn", time_fields=("time", "timestamp"), host_fields=("hostname",))

_TIME = expression(
    r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}) "
    r"(?:us=\d{1,7} )?",
    re.ASCII,
)
_PEER = expression(
    r"(?:([^\s/]{1,256})/)?(?:\[?AF_INET6?\]?)?(?:(?:tcp|udp)[46]?:)?"
    r"(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]{2,45}\]|[0-9a-fA-F]{0,4}:[0-9a-fA-F:.]{2,43}?):(\d{1,5})"
    r"(?:/([^\s/]{1,256}))? ",
    re.ASCII,
)
_WORDS = expression(
    r"OpenVPN \d|TLS(?:_ERROR| Error| Auth|:)|VERIFY |MULTI:|MANAGEMENT:|AUTH[-:]|PLUGIN_|PUSH:|IFCONFIG "
    r"|(?:Incoming |Outgoing )?(?:Control|Data) Channel|Peer Connection|Initialization Sequence"
    r"|Diffie-Hellman|library versions:|TUN/TAP|TCPv[46]_|UDPv[46] |Could not determine IPv4/IPv6"
    r"|SIG(?:TERM|USR1|INT)|/sbin/ip |Listening for incoming|net_(?:addr|iface|route)_|Socket Buffers:"
    r"|OPTIONS IMPORT|SENT CONTROL",
    re.ASCII,
)
_USER = expression(r"(?:Username/Password authentication \w+ for username|username) ['\"]?([^\s'\"]{1,256})|\[([^\]\s]{1,256})\] Peer Connection", re.ASCII | re.IGNORECASE)  # fmt: skip  # noqa: E501 - one expression
_LEARNED = expression(r"MULTI: (?:Learn: |primary virtual IP for \S{1,400}: )([0-9a-fA-F.:]{2,45})", re.ASCII)
_ACTIONS = (
    ("Peer Connection Initiated", "connected"),
    ("Username/Password authentication succeeded", "authenticated"),
    ("Authentication succeeded", "authenticated"),
    ("AUTH_FAILED", "auth_failed"),
    ("Auth Username/Password verification failed", "auth_failed"),
    ("TLS Auth Error", "auth_failed"),
    ("VERIFY ERROR", "auth_failed"),
    ("TLS Error", "tls_error"),
    ("TLS_ERROR", "tls_error"),
    ("client-instance exiting", "disconnected"),
    ("Inactivity timeout", "disconnected"),
    ("Connection reset", "disconnected"),
)
_LONGEST = 4096
"""Characters of a message in which users are looked for."""


class OpenvpnReader(ProductReader):
    """Reads the log of OpenVPN."""

    name = "openvpn"
    title = "OpenVPN"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for the programs of OpenVPN, and for lines that may begin with its own time."""
        return program.startswith(("openvpn", "ovpn")) or (
            not program and (start.isdigit() or start.isupper())
        )

    def parse_message(self, event: Fields) -> Fields | None:
        """Return what a line says of a peer, or of the server."""
        text: str = event["message"]
        named = "program" in event
        time = _TIME.match(text)
        if time is None and not named:
            return None
        start = time.end() if time else 0
        peer = _PEER.match(text, start)
        if not named and peer is None and not _WORDS.match(text, start):
            return None
        fields = envelope(event)
        if time and "timestamp" not in fields:
            fields["timestamp"] = time[1]
        if peer:
            if user := peer[1] or peer[4]:
                fields["user"] = user
            fields["src_ip"] = peer[2].strip("[]")
            fields["src_port"] = peer[3]
            start = peer.end()
        message = text[start:]
        fields["message"] = message
        _add_meaning(fields, message[:_LONGEST])
        return fields


def _add_meaning(fields: Fields, message: str) -> None:
    """Add who it was and what became of it, where the message says so."""
    for words, action in _ACTIONS:
        if words in message:
            fields["action"] = action
            break
    if (user := _USER.search(message)) and (name := user[1] or user[2]) != "UNDEF":
        fields["user"] = name
    if learned := _LEARNED.match(message):
        fields["virtual_ip"] = learned[1]


READER = OpenvpnReader()
