"""The quick way for an ``<Event>`` in XML that is as nearly all are: a System part and named data, no more.

Rules of this module:

- What is not exactly as the patterns say (other elements or another order of them, comments, numbered
  characters, control characters, repeated names, …) is left to :mod:`haidang.events.readers._event_xml`,
  which parses it.
- What is read here gives the very same fields; a property test holds both ways together.

Input is untrusted; each pattern runs in linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression
from haidang.events.shapes import RESERVED

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["plain_event"]

_CONTROL = bytes([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20)])
# @ stands for the quote that an event uses throughout; text between elements means nothing (XML has no other
# word for it than white space here), but an element that the pattern does not name does.
_VALUE = "@([^@<&\t\n]*+)@"
_WORDS = r"([^<&\s]++(?: [^<&\s]++)*+)"
_CLOSED = r"(?: ?/>|>\s*+</{}>)\s*+"
_SYSTEM = "".join((
    rf"<Event(?: xmlns=@[^@<&\t\n]*+@)?>\s*+<System>\s*+<Provider Name={_VALUE}(?: Guid={_VALUE})?",
    rf"(?: EventSourceName={_VALUE})?{_CLOSED.format('Provider')}",
    r"<EventID(?: Qualifiers=@\d*+@)?>(\d++)</EventID>\s*+<Version>(\d++)</Version>\s*+",
    r"<Level>(\d++)</Level>\s*+<Task>(\d++)</Task>\s*+<Opcode>(\d++)</Opcode>\s*+",
    rf"<Keywords>(\w++)</Keywords>\s*+<TimeCreated SystemTime={_VALUE}{_CLOSED.format('TimeCreated')}",
    r"<EventRecordID>(\d++)</EventRecordID>\s*+",
    rf"<Correlation(?: ActivityID={_VALUE})?{_CLOSED.format('Correlation')}",
    rf"<Execution ProcessID={_VALUE} ThreadID={_VALUE}{_CLOSED.format('Execution')}",
    rf"<Channel>{_WORDS}</Channel>\s*+<Computer>{_WORDS}</Computer>\s*+",
    rf"<Security(?: UserID={_VALUE}| UserId=@\d*+@)?{_CLOSED.format('Security')}</System>\s*+<EventData>",
))  # fmt: skip
_NAMES = (
    "Provider_Name", "Provider_Guid", "Provider_EventSourceName", "EventID", "Version", "Level", "Task",
    "Opcode", "Keywords", "TimeCreated", "EventRecordID", "Correlation_ActivityID", "Execution_ProcessID",
    "Execution_ThreadID", "Channel", "Computer", "Security_UserID",
)  # fmt: skip
_DATA = r"<Data Name=@([^@<>&\t\n]++)@(?: ?(/)>|>([^<]*+)</Data>)"
_PATTERNS = {
    quote: (re.compile(_SYSTEM.replace("@", quote), re.ASCII), re.compile(_DATA.replace("@", quote)))
    for quote in "'\""
}
_END = expression(r"</EventData>\s*+</Event>\Z", re.ASCII)
_ESCAPES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_ESCAPED = expression("&(?:lt|gt|quot|apos|amp);")


def plain_event(data: bytes) -> Fields | None:
    """Return the flat fields of an element, None where it must be parsed."""
    if len(data.translate(None, _CONTROL)) != len(data) or b"]]>" in data or b"\xef\xbf" in data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        # As a parser of XML is told to do it (XML 1.0, 2.11).
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    begin, named = _PATTERNS["'" if "Name='" in text[:400] else '"']
    system = begin.match(text)
    if system is None or (end := _END.search(text, system.end())) is None:
        return None
    found: list[tuple[str, str, str]] = named.findall(text, system.end(), end.start())
    # Whatever the pattern passed over has a bracket too.
    brackets = text.count("<", system.end(), end.start())
    if brackets != 2 * len(found) - sum(1 for _, closed, _ in found if closed):
        return None
    given = {name: value for name, _, value in found}
    if len(given) != len(found) or ("&" in text and not _unescape(given)):
        return None
    fields: Fields = {
        name: value for name, value in zip(_NAMES, system.groups(), strict=True) if value is not None
    }
    # The system part says what it is, whatever the event's own data call themselves.
    if not RESERVED.isdisjoint(given):
        given = {name: value for name, value in given.items() if name not in RESERVED}
    given.pop("#attributes", None)
    fields.update(given)
    return fields


def _unescape(given: dict[str, str]) -> bool:
    """Undo the entities in values; False where there are others than the five of XML."""
    for name, value in given.items():
        if "&" in value:
            if "&" in _ESCAPED.sub("", value):
                return False
            given[name] = _ESCAPED.sub(lambda match: _ESCAPES[match[0]], value)
    return True
