"""Cisco's messages: ASA, Firepower (FTD), IOS, IOS XE, IOS XR and NX-OS.

    %ASA-6-302013: Built inbound TCP connection 9231 for outside:203.0.113.5/51234 (…) to dmz:10.20.0.8/443 …
    000123: *Nov 11 21:59:02.417: %SEC-6-IPACCESSLOGP: list 101 denied tcp 203.0.113.5(4100) -> 10.20.0.8(2 …

Rules of this module:

- A record is a line whose message begins with ``%facility-severity-mnemonic:``, after a number, a host and
  a time of the device as the platforms put them. The line is of syslog, or of the device's own buffer.
- Who spoke with whom is taken out of the messages on connections, access lists, sign-ins and commands; the
  rest of the messages are texts for rules made of keywords.
- Input is untrusted.

Fields (origin ``cisco``; a field that the message does not have is absent):

    timestamp hostname priority facility severity
                 of the header of syslog; the device's own time where there is no header
    message_id   ``%ASA-6-302013``
    component    ASA, FTD, SEC, SYS, IP-TCP …
    level        0 to 7, text
    mnemonic     302013, IPACCESSLOGP …
    message      what comes after the message id
    action       built, teardown, denied, permitted, as written, lower case
    direction    inbound or outbound
    protocol     tcp, udp, icmp …, lower case
    src_ip src_port dst_ip dst_port src_interface dst_interface
                 the peers of a connection: src is the one that began it, where the message tells
    acl          name or number of the access list
    user         who signed in, or typed a command
    command      the command
    SrcIP DstIP URL …
                 the pairs of the connection events of Firepower, as written
    raw          the whole line
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

__all__ = ["ORIGIN", "READER", "CiscoReader"]

ORIGIN = Origin("cisco", time_fields=("time", "timestamp"), host_fields=("hostname",))

FARTHEST = 200
"""Characters of header before the message id."""
LONGEST = 4096
"""Characters of a message in which peers are looked for; devices send at most about a thousand."""

_ID = expression(
    r"%([A-Z][A-Z0-9_]{0,40}(?:-[A-Z0-9_]{1,40}){0,4}?)-{1,2}([0-7])-([A-Z0-9_]{1,60}) ?: ?", re.ASCII
)
_TIME = expression(
    r"[*.]?((?:\d{4} )?[A-Z][a-z]{2} {1,2}\d\d?(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,9})?)"
    r"(?: [A-Z]{2,5})?: ?\Z",
    re.ASCII,
)

_IP = r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,43}"
_PEERS = (
    r"(?:(?P<src_interface>[^\s:/]{1,64})[:/])??(?P<src_ip>" + _IP + ")"
    r"(?:[/(](?P<src_port>\d{1,5})\)?)?(?:\([^)\s]{0,256}\))?"
    r"(?: on interface \S{1,64})?(?: (?:to|dst|->) |->)"
    r"(?:(?P<dst_interface>[^\s:/]{1,64})[:/])??(?P<dst_ip>" + _IP + ")"
    r"(?:[/(](?P<dst_port>\d{1,5})\)?)?"
)
# What the messages say; which mnemonics have which form stands below.
_BUILT = expression(
    r"(?P<action>Built|Teardown) (?:(?P<direction>inbound|outbound) )?(?P<protocol>[\w-]{1,20}) connection "
    r"\d{1,20} for (?P<a_interface>[^\s:]{1,64}):(?P<a_ip>[0-9A-Fa-f.:]{2,45})/(?P<a_port>\d{1,5})"
    r"(?: ?\([^)\s]{0,256}\)){0,2} to (?P<b_interface>[^\s:]{1,64}):(?P<b_ip>[0-9A-Fa-f.:]{2,45})/"
    r"(?P<b_port>\d{1,5})",
    re.ASCII,
)
_DENY = expression(
    r"(?P<action>Deny) (?:(?P<direction>inbound) )?(?P<protocol>[\w-]{1,20})(?: \(no connection\))?"
    r"(?: src| from) " + _PEERS + r'(?:.{0,80} by access-group "(?P<acl>[^"]{1,128})")?',
    re.ASCII,
)
_DENIED = expression(
    r"(?:(?P<direction>Inbound) )?(?P<protocol>[A-Za-z]{2,10}) (?:connection|access|request) "
    r"(?P<action>denied|permitted|discarded)(?: by ACL)? from " + _PEERS,
    re.ASCII,
)
_LIST = expression(
    r"(?:access-list|list) (?P<acl>\S{1,128}) (?P<action>permitted|denied|est-allowed) "
    r"(?:(?P<protocol>[\w-]{1,20}) )?(?:for user '(?P<user>[^']{1,128})' )?" + _PEERS,
    re.ASCII,
)
_STANDARD_LIST = expression(
    r"list (?P<acl>\S{1,128}) (?P<action>permitted|denied) (?P<src_ip>[0-9A-Fa-f.:]{2,45}) ", re.ASCII
)
_COMMAND = expression(
    r"User '(?P<user>[^']{1,128})'(?:, running '[^']{1,64}' from IP (?P<src_ip>[0-9A-Fa-f.:]{2,45}))?,? "
    r"executed (?:the |cmd: )?'?(?P<command>[^']{1,1024}?)'?(?: command\.?)?\s*\Z",
    re.ASCII,
)
_LOGGED_COMMAND = expression(r"User:(?P<user>\S{1,128}) {1,2}logged command:(?P<command>.{0,1024})", re.ASCII)
_LOGIN = expression(
    r"Login (?P<action>denied|permitted) from (?P<src_ip>[0-9A-Fa-f.:]{2,45})/(?P<src_port>\d{1,5}) to "
    r"(?:(?P<dst_interface>[^\s:]{1,64}):)?(?P<dst_ip>[0-9A-Fa-f.:]{2,45})/\S{1,20} "
    r'for user "?(?P<user>[^"\s]{1,128})',
    re.ASCII,
)
_BRACKETED_LOGIN = expression(
    r"Login (?P<action>failed|Success) \[user: (?P<user>[^\]]{0,128})\] \[Source: (?P<src_ip>[^\]]{1,45})\]"
    r"(?: \[localport: (?P<dst_port>\d{1,5})\])?",
    re.ASCII | re.IGNORECASE,
)
_AAA = expression(
    r"AAA user (?:authentication|authorization|accounting) (?P<action>Rejected|Successful)\b.{0,256}?"
    r"(?: user = (?P<user>[^:]{1,128}?) ?(?:: user IP = (?P<src_ip>[0-9A-Fa-f.:]{2,45}))?)?\s*\Z",
    re.ASCII,
)

_MNEMONICS = {
    _BUILT: "302013 302014 302015 302016 302303 302304",
    _DENY: "106006 106007 106014 106015 106016 106017 106021 106023",
    _DENIED: "106001 106002 710001 710002 710003 710005",
    _LIST: "106100 106102 106103 IPACCESSLOGP IPACCESSLOGDP IPACCESSLOGNP IPACCESSLOGRP ACCESSLOGP",
    _STANDARD_LIST: "IPACCESSLOGS",
    _COMMAND: "111008 111009 111010",
    _LOGGED_COMMAND: "CFGLOG_LOGGEDCMD",
    _LOGIN: "605004 605005",
    _BRACKETED_LOGIN: "LOGIN_FAILED LOGIN_SUCCESS WEBLOGIN_SUCCESS",
    _AAA: "113004 113005 113012 113015",
}
_FORMS = {mnemonic: form for form, mnemonics in _MNEMONICS.items() for mnemonic in mnemonics.split()}
_LOWER = ("action", "direction", "protocol")


class CiscoReader(ProductReader):
    """Reads what Cisco's devices log."""

    name = "cisco"
    title = "Cisco ASA, Firepower, IOS and NX-OS"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True where a line has no program, or what syslog takes for one: an id or a number."""
        return bool(start) and (not program or program[0] in "%0123456789")

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        raw = event["raw"]
        at = raw.find("%", 0, FARTHEST)
        match = _ID.match(raw, at) if at >= 0 else None
        if match is None:
            return None
        component, level, mnemonic = match.groups()
        fields = envelope(event)
        fields.pop("program", None)
        message = raw[match.end() :]
        fields["message_id"] = f"%{component}-{level}-{mnemonic}"
        fields["component"] = component
        fields["level"] = level
        fields["mnemonic"] = mnemonic
        fields["message"] = message
        if "timestamp" not in fields and (time := _TIME.search(raw[:at])):
            # NX-OS puts the year first, which nobody else does.
            year, month_day = (time[1][:5], time[1][5:]) if time[1][0].isdigit() else ("", time[1])
            fields["timestamp"] = f"{month_day[:6]} {year}{month_day[7:]}" if year else month_day
        if form := _FORMS.get(mnemonic):
            _add_peers(fields, form, message[:LONGEST])
        elif component in {"FTD", "NGIPS"} and mnemonic.startswith("4300"):
            _add_pairs(fields, message)
        return fields


def _add_peers(fields: Fields, form: re.Pattern[str], message: str) -> None:
    """Add what a message says by its form; the first peer of an outbound connection is its destination."""
    match = form.match(message)
    if match is None:
        return
    found = {name: value for name, value in match.groupdict().items() if value}
    if form is _BUILT:
        ends = ("dst", "src") if found.get("direction") == "outbound" else ("src", "dst")
        for letter, end in zip("ab", ends, strict=True):
            for part in ("interface", "ip", "port"):
                found[f"{end}_{part}"] = found.pop(f"{letter}_{part}")
    for name in _LOWER:
        if name in found:
            found[name] = found[name].lower()
    fields.update(found)


def _add_pairs(fields: Fields, message: str) -> None:
    """Add the pairs of a connection event of Firepower: ``SrcIP: 10.20.0.8, SrcPort: 51234``."""
    for pair in message.split(", "):
        name, colon, value = pair.partition(": ")
        if colon and name.isalnum() and name not in fields:
            fields[name] = value


READER = CiscoReader()
