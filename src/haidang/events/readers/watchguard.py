"""WatchGuard Firebox's logs (Fireware) as it sends them through syslog.

    Nov 11 21:58:57 hv-fw01 80DA00HAIVAN1 (2026-11-11T21:58:57) firewall: msg_id="3000-0148" Allow Trusted
    External 60 tcp 20 63 10.20.0.31 203.0.113.77 50112 23 … sent_bytes="412" (Ra ngoai-00)

Rules of this module:

- Before the process stand the serial number, in a cluster the name of the member, and the time of the device,
  as far as it is set to send them. A record has the number of its message behind the process; old ones of the
  packet filter have none.
- What was done, the interfaces, addresses and ports stand by position. The names of interfaces hold blanks:
  told apart is what stands before the protocol and behind it. Of ICMP the two numbers are type and code.
- Pairs of key and value follow, the policy stands last, in brackets.
- Read as well is what Traffic Monitor shows, and people save: the time, what was done, the ends of the
  connection with the service, the interfaces, the policy, and the process among the pairs.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``watchguard``): the keys as written (``msg_id``, ``msg``, ``op``, ``dstname``,
``src_user`` …), all text, and:

    process      firewall, http-proxy, sessiond …
    serial       serial number of the device
    time         when it happened, where the device tells, as written
    hostname …   of the header of syslog, if there is one
    disposition  Allow, Deny, ProxyDrop …, as written
    interfaces   the two interfaces, as written
    protocol src_ip dst_ip src_port dst_port
                 the ends of the connection
    icmp_type icmp_code
                 of ICMP
    policy       name of the policy
    user client_ip outcome
                 of a logon: accepted or failed
    url url_host url_uri url_path url_query url_extension
                 the page that was asked for, and its parts (of ``dstname`` and ``arg``)
    message raw  what follows the number of the message; the whole line
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

__all__ = ["ORIGIN", "READER", "WatchguardReader"]

ORIGIN = Origin("watchguard", time_fields=("time", "timestamp"), host_fields=("hostname", "serial"))

_TIME = r"\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\) "
_RECORD = expression(
    r"(?:([0-9A-Za-z]{6,20}) )?(?:[^\s:(]{1,64} )?(?:" + _TIME + r")?"
    r"([a-z][\w.-]{0,31})(?:\[\d{1,10}\])?: (?=msg_id=\"|(?:Allow|Deny) )",
    re.ASCII,
)
_NUMBER = expression(r'msg_id="([0-9A-Fa-f]{4}-[0-9A-Fa-f]{4})" ?')
_DISPOSITION = expression(r"(Allow|Deny|Proxy[A-Z][A-Za-z]{2,20})\b:? ?")
_HEAD = 600
"""Characters in which a record says by position what it has to say."""
_ENDS = expression(
    r"(?:(?P<length>\d{1,6}) )?\b(?P<protocol>tcp|udp|icmpv6|icmp|igmp|esp|gre|ah|\d{1,3}) "
    r"(?:(?P<header>\d{1,4}) (?P<ttl>\d{1,3}) )?"
    r"(?P<src_ip>[0-9A-Fa-f.:]{3,45}) (?P<dst_ip>[0-9A-Fa-f.:]{3,45})"
    r"(?: (?P<src_port>\d{1,5}) (?P<dst_port>\d{1,5})(?!\S))?",
    re.ASCII,
)
_MONITOR = expression(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:(?P<member>\S{1,64}) )?"
    r"(?P<disposition>Allow|Deny|Proxy[A-Z][A-Za-z]{2,20}):? "
    r"(?P<src_ip>[0-9A-Fa-f.:]{3,45}) (?P<dst_ip>[0-9A-Fa-f.:]{3,45}) "
    r"(?P<service>[^\s/]{1,64})/(?P<protocol>[a-z0-9]{1,16}) "
    r"(?:(?P<src_port>\d{1,5}) (?P<dst_port>\d{1,5}) )?"
    r"(?P<between>[^()]{1,300}) \((?P<policy>[^()]{1,128})\) ",
    re.ASCII,
)
_POLICY = expression(r" \(([^()]{1,128})\)\s*\Z")
_ADDRESS = r"(?P<client_ip>[0-9A-Fa-f.:]{2,44}[0-9A-Fa-f])"
_LOGONS = (
    expression(
        r"Authentication of .{1,40}? ?user \[(?P<user>[^\]]{1,256})\] from "
        + _ADDRESS
        + r" was (?P<outcome>accepted|rejected)"
    ),
    expression(
        r"Management user (?P<user>\S{1,256}) from "
        + _ADDRESS
        + r" (?P<outcome>logged in|log ?in attempt was rejected)"
    ),
    expression(
        r"Mobile VPN with SSL user (?P<user>\S{1,256}) (?P<outcome>logged in)\..{1,100}Real IP address is "
        + _ADDRESS
    ),
)
_OUTCOMES = {"accepted": "accepted", "logged in": "accepted"}


class WatchguardReader(ProductReader):
    """Reads what WatchGuard Fireboxes log."""

    name = "watchguard"
    title = "WatchGuard Firebox (Fireware)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for the number of a message, or a serial number where the line names no program."""
        if program:
            return start == "m" or (start in {"A", "D"} and program == "firewall")
        return start == "(" or start.isalnum()

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        if message[:1].isdigit() and (shown := _shown(event)) is not None:
            return shown
        own: Fields = {"process": event.get("program", "")}
        if not own["process"]:
            match = _RECORD.match(message)
            if match is None:
                return None
            given = zip(("serial", "time", "process"), match.groups(), strict=True)
            own.update((name, value) for name, value in given if value)
            message = message[match.end() :]
        if (number := _NUMBER.match(message)) is not None:
            own["msg_id"] = number[1]
            message = message[number.end() :]
        elif own["process"] != "firewall" or _ENDS.search(message[:_HEAD]) is None:
            return None
        own |= {"message": message, "raw": event["raw"]}
        fields = envelope(event) | pairs_of(message) | own
        _add_connection(fields, message)
        _add_logon(fields, message)
        if "dstname" in fields and "arg" in fields:
            fields["url"] = _url(fields)
            fields.update(url_parts(fields["url"], "url_"))
        return fields


def _shown(event: Fields) -> Fields | None:
    """Return the record in a line of Traffic Monitor, None where it is none."""
    message: str = event["message"]
    match = _MONITOR.match(message)
    if match is None:
        return None
    pairs = pairs_of(message[match.end() :])
    if "proc_id" not in pairs:
        return None
    own = {name: value for name, value in match.groupdict().items() if value and name != "between"}
    own |= {"process": pairs["proc_id"], "message": match["between"], "raw": event["raw"]}
    fields = envelope(event) | pairs | own
    if "dstname" in fields and "arg" in fields:
        fields["url"] = _url(fields)
        fields.update(url_parts(fields["url"], "url_"))
    return fields


def _add_connection(fields: Fields, message: str) -> None:
    """Add what stands by position: what was done, between whom, and by which policy."""
    disposition = _DISPOSITION.match(message)
    if disposition is None:
        return
    fields["disposition"] = disposition[1]
    before_pairs = message[disposition.end() : _HEAD].partition('="')[0]
    if (ends := _ENDS.search(before_pairs)) is not None:
        fields.update((name, value) for name, value in ends.groupdict().items() if value)
        if fields["protocol"].startswith("icmp"):
            for name, port in (("icmp_type", "src_port"), ("icmp_code", "dst_port")):
                if port in fields:
                    fields[name] = fields.pop(port)
        if interfaces := before_pairs[: ends.start()].strip():
            fields["interfaces"] = interfaces
    if (policy := _POLICY.search(message[-200:])) is not None:
        fields["policy"] = policy[1]


def _add_logon(fields: Fields, message: str) -> None:
    match = next((found for one in _LOGONS if (found := one.match(message[:_HEAD]))), None)
    if match is not None:
        fields["user"], fields["client_ip"] = match["user"], match["client_ip"]
        fields["outcome"] = _OUTCOMES.get(match["outcome"], "failed")


def _url(fields: Fields) -> str:
    """Return the page that was asked for; a proxy that clients name gets it whole."""
    argument: str = fields["arg"]
    if "://" in argument[:12]:
        return argument
    scheme = "https" if fields["process"].startswith("https") else "http"
    return f"{scheme}://{fields['dstname']}{argument}"


READER = WatchguardReader()
