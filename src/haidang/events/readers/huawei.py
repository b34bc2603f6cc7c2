"""Huawei's (and H3C's) network devices: VRP's messages, among them those of the USG firewalls.

    Nov 11 2026 21:59:02 hv-ne40 %%01BGP/3/BGP_AUTH_FAILED(l)[12]:BGP session authentication failed. (Peer= …

Rules of this module:

- A record is a line whose message begins with ``%%``, two digits, and module, severity and name of the
  message.
- Pairs of name and value are taken out, up to the next comma, semicolon or closing bracket.
- Input is untrusted.

Fields (origin ``huawei``; all text, absent where the message does not say):

    message_id   BGP/3/BGP_AUTH_FAILED
    module level mnemonic
                 its parts
    message      what comes after them
    action       permit or deny, of the messages of packet filters
    source-ip destination-port …
                 the pairs, as written
    timestamp hostname priority …
                 of the header of syslog
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

__all__ = ["ORIGIN", "READER", "HuaweiReader"]

ORIGIN = Origin("huawei", time_fields=("time", "timestamp"), host_fields=("hostname",))

FARTHEST = 200
"""Characters of header before the message id."""
_LONGEST = 16_384
_ID = expression(
    r"%%\d\d([A-Za-z][\w-]{0,60})/([0-7])/([A-Za-z][\w-]{0,100})(?:\([a-z]{1,4}\))?(?:\[\d{1,10}\])?: ?",
    re.ASCII,
)
_PAIR = expression(r"([A-Za-z][\w-]{1,40}+)=(?:\"([^\"]{0,1024})\"|([^,;)\s]{0,1024}))", re.ASCII)
_ACTIONS = {"permit": "permit", "deny": "deny"}


class HuaweiReader(ProductReader):
    """Reads what Huawei's devices log."""

    name = "huawei"
    title = "Huawei and H3C network devices (VRP, Comware)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True where a line has no program, or what syslog takes for one: the message id."""
        return bool(start) and (not program or program.startswith("%%"))

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        raw: str = event["raw"]
        at = raw.find("%%", 0, FARTHEST)
        match = _ID.match(raw, at) if at >= 0 else None
        if match is None:
            return None
        fields = envelope(event)
        fields.pop("program", None)
        message = raw[match.end() :]
        if "=" in message:
            fields.update(
                [(name, quoted or bare) for name, quoted, bare in _PAIR.findall(message[:_LONGEST])]
            )
            fields["raw"] = raw
        module, level, mnemonic = match.groups()
        fields["message_id"] = f"{module}/{level}/{mnemonic}"
        fields["module"] = module
        fields["level"] = level
        fields["mnemonic"] = mnemonic
        fields["message"] = message
        for word, action in _ACTIONS.items():
            if mnemonic.lower().endswith(word):
                fields["action"] = action
        return fields


READER = HuaweiReader()
