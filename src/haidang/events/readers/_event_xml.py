"""One ``<Event>`` in XML, as Windows and Sysmon for Linux render it, to the fields that EVTX gives.

Rules of this module:

- Only the element itself comes here, never what stands before it: there can be no document type, so no
  entity of the file's own, and nothing outside is ever looked at.
- Characters that XML forbids (Windows renders some, as they are or as references) are replaced, and so are
  bytes that are no UTF-8; the rest of the event is read.
- Values are text. What repeats under one name is a list; an attribute-only element is an object.

Input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError, fromstring

from haidang.events import shapes
from haidang.events.patterns import expression
from haidang.events.readers._plain_event import plain_event

if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from haidang.events.model import Fields

__all__ = ["EventXmlError", "parse_event"]

_DEEPEST = 32
"""Levels of elements below ``<Event>``; the deepest that a provider writes are four."""
_FORBIDDEN = expression("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = expression(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}));")
_STRAY = expression(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,8}|#x[0-9A-Fa-f]{1,8});)")


class EventXmlError(ValueError):
    """An element that is no event, or no XML."""


def parse_event(data: bytes, on_replaced: Callable[[], None] | None = None) -> Fields:
    """Return the flat fields of one ``<Event>`` element; raise EventXmlError where it is none.

    ``on_replaced`` is called where bytes were replaced because they are no UTF-8.
    """
    return plain_event(data) or _parsed(data, on_replaced)


def _parsed(data: bytes, on_replaced: Callable[[], None] | None) -> Fields:
    """Do it by a parser of XML, whatever is in it."""
    try:
        root = fromstring(data)  # noqa: S314 - see the first rule above
    except (ParseError, ValueError, LookupError) as error:
        root = _repaired(data, error)
        if on_replaced is not None and not _is_utf8(data):
            on_replaced()
    event: Fields = {}
    for section in root:
        name = _local(section.tag)
        if name == "System":
            event[name] = _system(section)
        elif name == "EventData":
            event[name] = _event_data(section)
        else:
            event[name] = _content(section, 0)
    if "System" not in event:
        message = "an event without its System part"
        raise EventXmlError(message)
    return shapes.flatten("event", {"Event": event})


def _repaired(data: bytes, error: Exception) -> Element:
    """Return the element with what XML forbids replaced."""
    text = _FORBIDDEN.sub("\ufffd", data.decode("utf-8", "replace"))
    text = _REFERENCE.sub(_allowed, _STRAY.sub("&amp;", text))
    try:
        return fromstring(text)  # noqa: S314 - see the first rule of this module
    except (ParseError, ValueError, LookupError):
        raise EventXmlError(f"no well-formed XML: {error}") from None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _allowed(reference: re.Match[str]) -> str:
    """Return a reference as it is, where XML allows the character."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    if code in {9, 10, 13} or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000:
        return reference[0]
    return "\ufffd"


def _local(tag: str) -> str:
    """Return a name without its namespace."""
    return tag.rpartition("}")[2]


def _system(section: Element) -> Fields:
    system: Fields = {}
    for element in section:
        name = _local(element.tag)
        if element.attrib and name != "EventID":
            system[name] = {"#attributes": dict(element.attrib)}
        else:
            # An element without text is one without attributes, such as an empty Correlation.
            system[name] = (element.text or "").strip() or None
    return system


def _event_data(section: Element) -> Fields:
    data: Fields = {}
    for element in section:
        name = element.attrib.get("Name") or _local(element.tag)
        if len(element):
            _add(data, name, _content(element, 0))
        else:
            _add(data, name, element.text or "")
    return data


def _content(element: Element, depth: int) -> Any:
    """Return the text of an element, or what is in it by name."""
    if depth > _DEEPEST:
        message = f"elements nested deeper than {_DEEPEST} levels"
        raise EventXmlError(message)
    if not len(element):
        return element.text or ""
    data: Fields = {}
    for inner in element:
        _add(data, inner.attrib.get("Name") or _local(inner.tag), _content(inner, depth + 1))
    return data


def _add(data: Fields, name: str, value: Any) -> None:
    if name not in data:
        data[name] = value
    elif isinstance(data[name], list):
        data[name].append(value)
    else:
        data[name] = [data[name], value]
