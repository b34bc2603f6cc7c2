r"""The rendered message of a Sysmon event to its fields, for shippers that send nothing else.

    Process Create:
    RuleName: -
    UtcTime: 2026-11-11 00:00:01.120
    Image: C:\Windows\System32\whoami.exe

Rules of this module:

- Each line is ``Name: value``; a line that is not continues the value before it (a command line may hold line
  ends). What stands before the first field is the title.
- A name that comes twice has both values, in a list: who writes line ends into a command line can add a
  second ``Image:``, but cannot hide the first.
- Input is untrusted; it takes linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["add_rendered", "is_sysmon", "sysmon_fields"]

_FIELD = expression(r"([A-Z][A-Za-z0-9]{1,30}):(?: |\Z)", re.ASCII)
_FIRST = ("RuleName: ", "UtcTime: ")
_MOST = 100
"""Fields of one message; Sysmon's largest event has 25."""


def is_sysmon(channel: object) -> bool:
    """Return whether that is the channel of Sysmon."""
    return type(channel) is str and "sysmon/" in channel.lower()


def add_rendered(fields: Fields) -> Fields:
    """Add to a Sysmon event that has no data of its own what its message says."""
    if "UtcTime" not in fields and is_sysmon(fields.get("Channel")):
        message = fields.get("Message") or fields.get("message")
        if type(message) is str:
            for name, value in sysmon_fields(message).items():
                fields.setdefault(name, value)
    return fields


def sysmon_fields(message: str) -> Fields:
    """Return the fields of a rendered message; none where it is no message of Sysmon."""
    lines = message.split("\n")
    if not any(line.lstrip().startswith(_FIRST) for line in lines[:3]):
        return {}
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        text = line.rstrip("\r")
        match = _FIELD.match(text.lstrip())
        # The title ends in a colon too, but holds blanks or nothing follows it.
        if match and (found or text.lstrip().startswith(_FIRST)) and len(found) < _MOST:
            found.append((match[1], [text.lstrip()[match.end() :]]))
        elif found:
            found[-1][1].append(text)
    fields: Fields = {}
    for name, parts in found:
        value = "\n".join(parts).rstrip()
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields
