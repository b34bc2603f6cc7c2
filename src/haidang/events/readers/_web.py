r"""What the logs of web servers share: a request line taken apart, named as in the W3C extended format.

SigmaHQ's rules of ``category: webserver`` look for paths, for queries and for pieces of both in
``cs-uri-query``, some as they travel (``%252e%252e``), some in the clear (``../``). That field therefore
holds every form of the request target that a rule may mean:

- the target as it was sent, path and query;
- the query alone, where there is one;
- the target with its ``%XX`` decoded once, ``+`` in the query being a blank, where that differs;
- the same decoded once more, where that differs again: a payload that is encoded twice is not hidden so.

With a single form, the field is left out and ``cs-uri`` (the target as it was sent) stands for it; likewise
``cs-uri-stem`` (the path, as it was sent and decoded). The logsource map says so.

Both Apache and nginx write a quote, a backslash and what is not printable as ``\"``, ``\\`` or ``\xHH``.
Fields hold what the client sent; control characters, and bytes that are no UTF-8, stay as they were written.

Input is untrusted; each pattern runs in linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from haidang.events.patterns import expression

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.events.model import Fields

__all__ = [
    "PROGRAMS",
    "QUOTED",
    "add_quoted",
    "add_request",
    "add_tags",
    "add_target",
    "header_of",
    "target_forms",
    "unescaped",
]

PROGRAMS = frozenset(
    ["angie", "apache", "apache2", "caddy", "httpd", "lighttpd", "nginx", "openresty", "tengine", "traefik"]
)
"""What web servers call themselves in syslog, lower case."""

QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
"""A quoted text with its escapes, for patterns."""

_METHOD = expression(r"[A-Za-z][A-Za-z_-]{0,31}", re.ASCII)
_TAG = expression(r"\[(\w{1,32}) " + QUOTED + r"\]", re.ASCII)
_ESCAPES = expression(r'(?:\\x[0-9A-Fa-f]{2})+|\\["\\]')


def header_of(event: Fields) -> Fields:
    """Return what is kept of a line of syslog beside the record of a web server in it."""
    return {name: event[name] for name in ("hostname", "program", "pid", "raw") if name in event}


def add_request(fields: Fields, request: str) -> None:
    """Add what a request line (``GET /a?b HTTP/1.1``) says; one that is none is kept as ``request``."""
    method, _, target = request.partition(" ")
    if not target or not _METHOD.fullmatch(method):
        fields["request"] = request
        return
    fields["cs-method"] = method
    before, mark, version = target.rpartition(" ")
    if mark and version.startswith("HTTP/"):
        fields["cs-version"] = version
        target = before
    add_target(fields, target)


def add_target(fields: Fields, target: str) -> None:
    """Add the forms of a request target; see the module's docstring."""
    fields["cs-uri"] = target
    path, mark, query = target.partition("?")
    if "%" not in target and "+" not in query:
        if mark:
            fields["cs-uri-stem"] = path
        if query:
            fields["cs-uri-query"] = [target, query]
        return
    clear = unquote(path)
    if mark or clear != path:
        fields["cs-uri-stem"] = path if clear == path else [path, clear]
    forms = target_forms(target)
    if len(forms) > 1:
        fields["cs-uri-query"] = forms


def target_forms(target: str) -> list[str]:
    """Return the forms of a request target that rules may mean; see the module's docstring."""
    path, mark, query = target.partition("?")
    decoded = unquote(path) + mark + unquote(query.replace("+", " "))
    once_more = unquote(decoded)
    return list(dict.fromkeys((target, query, decoded, once_more) if query else (target, decoded, once_more)))


def unescaped(text: str) -> str:
    """Return what a web server has escaped as it was sent."""
    return _ESCAPES.sub(_unescape, text) if "\\" in text else text


def _unescape(match: re.Match[str]) -> str:
    written = match[0]
    if written[1] != "x":
        return written[1]
    try:
        text = bytes.fromhex(written.replace("\\x", "")).decode()
    except UnicodeDecodeError:
        return written
    return text if text.isprintable() else written


def add_quoted(fields: Fields, name: str, value: str | None) -> None:
    """Add a field of the log unless it is left out or ``-``."""
    if value and value != "-":
        fields[name] = unescaped(value)


def add_tags(fields: Fields, messages: Iterable[str]) -> None:
    """Add what ModSecurity says as ``[name "value"]``, as ``modsecurity_name``; of several values, a list."""
    found: dict[str, dict[str, None]] = {}
    for message in messages:
        for name, value in _TAG.findall(message):
            found.setdefault(name, {})[value] = None
    for name, values in found.items():
        fields[f"modsecurity_{name}"] = next(iter(values)) if len(values) == 1 else list(values)
