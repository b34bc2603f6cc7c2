"""Check Point's logs as its Log Exporter sends them in the format ``syslog``.

    <134>1 2026-11-11T14:58:57Z hv-cplog CheckPoint 22103 - [action:"Drop"; src:"203.0.113.9"; dst:"…"; …]

Rules of this module:

- Read are records in brackets that begin with an action, whatever header they have; also older ones, whose
  time has a blank in it, which is no header of syslog.
- A backslash escapes; a key that is repeated (layers of a policy) has a list.
- Its formats CEF, LEEF and JSON are those of the readers of these.
- Input is untrusted; each pattern runs in linear time.

Fields (origin ``checkpoint``): the keys as written (``src``, ``s_port``, ``service``, ``rule_name`` …), all
text, and:

    timestamp hostname program pid …   of the header, if there is one
    raw          the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "CheckpointReader"]

ORIGIN = Origin("checkpoint", time_fields=("time", "timestamp"), host_fields=("origin", "hostname"))

_HEADER = expression(
    r"1 (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (\S{1,256}) (CheckPoint) (\d{1,10}) - (?=\[action:)", re.ASCII
)
_PAIR = expression(r'([\w. /-]{1,128}+):"([^"\\]*+(?:\\.[^"\\]*+)*+)"?(?:; ?)?', re.ASCII | re.DOTALL)
_ESCAPE = expression(r'\\(["\\\]])')


class CheckpointReader(ProductReader):
    """Reads what Check Point's Log Exporter sends."""

    name = "checkpoint"
    title = "Check Point (Log Exporter, syslog)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for a bracket of Check Point or of no program, and for a header that is none."""
        return (start == "[" and program in {"", "checkpoint"}) or (start == "1" and not program)

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        header = _HEADER.match(message)
        body = message[header.end() :] if header else message
        if not body.startswith('[action:"'):
            return None
        fields = envelope(event)
        if header:
            names = ("timestamp", "hostname", "program", "pid")
            fields.update(zip(names, header.groups(), strict=True))
            fields["program"] = fields["program"].lower()
        fields |= _pairs(body)
        fields["raw"] = event["raw"]
        return fields


def _pairs(body: str) -> dict[str, Any]:
    """Return the pairs of a record; a key that is repeated has a list."""
    found: dict[str, Any] = {}
    for key, written in _PAIR.findall(body, 1):
        value = _ESCAPE.sub(r"\1", written) if "\\" in written else written
        name = key.strip()
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


READER = CheckpointReader()
