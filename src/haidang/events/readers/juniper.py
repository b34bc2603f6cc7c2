"""Junos: flows of the SRX firewalls, and what routers say of routing, commands and sign-ins.

    Nov 11 21:59:02 hv-srx RT_FLOW: RT_FLOW_SESSION_DENY: session denied 203.0.113.9/4100->10.20.0.8/23 0x0 …

Rules of this module:

- Read are lines of Junos' own programs in syslog, plain and structured (parameters of ``junos@…``). Lines
  of the kernel are Junos' only where they speak of the authentication of TCP segments, as BGP uses it.
- Input is untrusted.

Fields (origin ``juniper``; all text, absent where the line does not say):

    tag          RT_FLOW_SESSION_CREATE, UI_CMDLINE_READ_LINE, tcp_auth_ok …
    message      what comes after it
    action       create, close or deny, of flows
    source-address source-port destination-address destination-port …
                 of flows, by the names of the structured form; so are all its other parameters
    user command of what was typed
    timestamp hostname program raw …
                 as the syslog reader has them
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

__all__ = ["ORIGIN", "READER", "JuniperReader"]

ORIGIN = Origin("juniper", time_fields=("time", "timestamp"), host_fields=("hostname",))

_TAG = expression(
    r"(?:%[A-Z0-9_]{1,20}-\d-)?([A-Za-z][A-Za-z0-9]{0,30}(?:_[A-Za-z0-9]{1,40}){1,8}): ?", re.ASCII
)
_FLOW = expression(
    r"session (?:created|closed|denied)[^/]{0,80}? ([0-9A-Fa-f.:]{2,45})/(\d{1,5})->"
    r"([0-9A-Fa-f.:]{2,45})/(\d{1,5})",
    re.ASCII,
)
_FLOW_NAMES = ("source-address", "source-port", "destination-address", "destination-port")
_COMMAND = expression(r"User '([^']{1,128})', command '([^']{0,1024})'", re.ASCII)
_PROGRAMS = frozenset(
    {"rt_flow", "rt_ids", "rt_utm", "rpd", "mgd", "bgp", "jddosd", "chassisd", "ui", "kernel"}
)
_STRUCTURED = "junos@"
_KERNEL = ("tcp_auth_ok", "tcp_md5")
_ACTIONS = {"CREATE": "create", "CLOSE": "close", "DENY": "deny"}


class JuniperReader(ProductReader):
    """Reads what Junos logs."""

    name = "juniper"
    title = "Juniper Junos (SRX flows, routing)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for the programs of Junos."""
        del start
        return program in _PROGRAMS

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        program = event["program"]
        tag = _TAG.match(message)
        parameters = _parameters(event)
        if program == "kernel" and not (tag and tag[1].startswith(_KERNEL)):
            return None
        if tag is None and not parameters and program not in {"rpd", "bgp"}:
            return None
        fields = envelope(event)
        fields.pop("structured_data", None)
        fields.update(parameters)
        fields["raw"] = event["raw"]
        name = tag[1] if tag else event.get("msgid", "")
        text = message[tag.end() :] if tag else message
        fields["message"] = text
        if name:
            fields["tag"] = name
            if name.startswith("RT_FLOW_SESSION_") and (action := _ACTIONS.get(name[16:].split("_")[0])):
                fields["action"] = action
        if flow := _FLOW.match(text):
            fields.update(zip(_FLOW_NAMES, flow.groups(), strict=True))
        elif command := _COMMAND.match(text):
            fields["user"], fields["command"] = command.groups()
        return fields


def _parameters(event: Fields) -> Fields:
    """Return the parameters of the structured form."""
    for name, parameters in event.get("structured_data", {}).items():
        if name.startswith(_STRUCTURED):
            found: Fields = parameters
            return found
    return {}


READER = JuniperReader()
