r"""CEF, the Common Event Format of ArcSight, alone or behind a header of syslog.

    CEF:0|Trend Micro|Deep Security Agent|20.0|4000000|Eicar_test_file|6|cn1=1 cn1Label=Host ID filePath=/t …

Rules of this module (ArcSight Common Event Format, versions 0 and 1):

- The header has seven parts between bars; ``\|`` and ``\\`` are a bar and a backslash. The extension is
  pairs of ``key=value``; a value goes up to the next key, and may hold blanks; ``\=``, ``\\``, ``\n`` and
  ``\r`` are escapes.
- Where ``cs1Label`` names ``cs1`` (and so for the other custom fields), the value stands under that name as
  well.
- What follows in the line after the extension belongs to its last value.
- Input is untrusted.

Fields (origin ``cef``): the keys of the extension as written (``src``, ``dpt``, ``act``, ``request``,
``fname`` …), all
text; the names that labels give; and:

    cefVersion deviceVendor deviceProduct deviceVersion signatureId name severity
                 of the header
    request_host request_uri request_path request_query request_extension
                 parts of the URL in ``request``
    timestamp hostname priority …
                 of the header of syslog, unless the extension has a key of that name
    raw          the whole line
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.patterns import expression
from haidang.events.readers import syslog
from haidang.events.readers._product import ProductReader, envelope
from haidang.events.readers._urls import url_parts

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["ORIGIN", "READER", "CefReader"]

ORIGIN = Origin(
    "cef",
    time_fields=("rt", "deviceReceiptTime", "end", "start", "time", "timestamp"),
    host_fields=("dvchost", "deviceHostName", "dvc", "deviceAddress", "hostname"),
)

_PART = r"([^|\\]*+(?:\\.[^|\\]*+)*+)"
_HEADER = expression(
    r"CEF: ?(\d{1,2}(?:\.\d{1,2})?)\|" + r"\|".join([_PART] * 5) + r"\|" + _PART + r"(?:\||\Z)", re.DOTALL
)
# A key follows a blank, which is put before the first; an equals sign inside a value is escaped.
_KEY = expression(r"\s([A-Za-z0-9_][\w.,\[\]-]{0,127}+)=", re.ASCII)
_ESCAPE = expression(r"\\(.)", re.DOTALL)
_MEANT = {"n": "\n", "r": "\r"}
_NAMES = ("cefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "signatureId", "name", "severity")


class CefReader(ProductReader):
    """Reads CEF."""

    name = "cef"
    title = "Common Event Format (CEF)"
    origins = (ORIGIN, syslog.ORIGIN)

    def carries(self, program: str, start: str) -> bool:
        """Return True for what begins with a C; some senders make ``CEF`` the program."""
        return start == "C" or program == "cef"

    def parse_message(self, event: Fields) -> Fields | None:
        """Return the record of a line."""
        message: str = event["message"]
        if event.get("program") == "cef":
            message = "CEF:" + message
        match = _HEADER.match(message) if message.startswith("CEF:") else None
        if match is None:
            return None
        fields = envelope(event)
        for name, value in zip(_NAMES, match.groups(), strict=True):
            fields[name] = _unescaped(value) if "\\" in value else value
        extension = _pairs(message[match.end() :])
        if extension:
            fields.update(extension)
            fields["raw"] = event["raw"]
            _add_labelled(fields, extension)
            if url := extension.get("request"):
                fields.update(url_parts(url, "request_"))
        return fields


def _pairs(extension: str) -> dict[str, str]:
    """Return the keys and values of an extension."""
    # Cutting at the keys gives what precedes the first, then key and value in turn.
    parts = _KEY.split(" " + extension)
    values = [value.rstrip() for value in parts[2::2]]
    pairs = dict(zip(parts[1::2], values, strict=True))
    if "\\" in extension:
        return {key: _unescaped(value) if "\\" in value else value for key, value in pairs.items()}
    return pairs


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda match: _MEANT.get(match[1], match[1]), value)


def _add_labelled(fields: Fields, extension: dict[str, str]) -> None:
    """Put the values of custom fields under the names that their labels give, unless something has them."""
    for key, label in extension.items():
        if key.endswith("Label") and label:
            value = extension.get(key[:-5])
            if value is not None and label not in fields:
                fields[label] = value


READER = CefReader()
