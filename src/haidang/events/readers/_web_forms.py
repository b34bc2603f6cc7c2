r"""Access logs of load balancers and proxies that are none of the common forms.

    https 2026-11-11T14:58:02.186641Z app/web/50dc6c 203.0.113.9:2817 10.20.0.8:80 0.0 0.0 0.0 404 404 0 57
        "GET https://www.example:443/x HTTP/1.1" "curl/8.5" …      AWS: application and classic load balancers
    [11/Nov/2026:21:58:02 +0700] - 404 404 - GET https www.example "/x" [Client 203.0.113.9] [Length 192]
        [Gzip -] [Sent-to 10.20.0.8] "curl/8.5" "-"                 Nginx Proxy Manager

Fields are those of :mod:`haidang.events.readers.web_access`. Input is untrusted; each pattern runs in linear
time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.events.patterns import expression
from haidang.events.readers._web import QUOTED, add_quoted, add_request, add_target, unescaped

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["parse_other_form"]

_AWS = expression(
    r"(?:(?:https?|h2|wss?|grpcs?) )?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z) \S{1,256} "
    r"([0-9A-Fa-f.:\[\]]{2,47}):(\d{1,5}) (?:\S{1,64}) (?:-?\d{1,9}(?:\.\d{1,9})? ){3}"
    r"(\d{3}|-) (?:\d{3}|-|0) \d{1,18} (\d{1,18}) " + QUOTED + " " + QUOTED + r"(?: (.*))?\Z",
    re.ASCII | re.DOTALL,
)
_MANAGER = expression(
    r"\[(\d{1,2}/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] (?:(?:\S{1,16} )?(?:\d{3}|-) )?(\d{3}|-) - "
    r"([A-Za-z_-]{1,32}) (https?|-) (\S{1,256}) "
    + QUOTED
    + r" \[Client ([^\]\s]{1,64})\] \[Length (\d{1,18}|-)\](?: \[[A-Z][\w-]{1,16} [^\]]{0,256}\]){0,4} "
    + QUOTED
    + " "
    + QUOTED
    + r"\Z",
    re.ASCII | re.DOTALL,
)
_ABSOLUTE = expression(r"(https?|wss?)://([^/\s?#]{0,256}?)(?::(\d{1,5}))?(?=[/?#\s]|\Z)", re.ASCII)


def parse_other_form(text: str) -> Fields | None:
    """Return the fields of one line, or None where it is of none of these forms."""
    if text.startswith("["):
        match = _MANAGER.match(text)
        return None if match is None else _of_manager(match)
    match = _AWS.match(text) if text[:1] in {"h", "w", "g", "2"} else None
    return None if match is None else _of_aws(match)


def _of_aws(match: re.Match[str]) -> Fields:
    time, client, port, status, size, request, agent, extra = match.groups()
    fields: Fields = {"time": time, "c-ip": client.strip("[]"), "c-port": int(port)}
    method, _, target = unescaped(request).partition(" ")
    absolute = _ABSOLUTE.match(target)
    if absolute is not None:
        _, fields["cs-host"], own = absolute.groups()
        if own:
            fields["s-port"] = int(own)
        target = target[absolute.end() :]
        target = target if target.startswith("/") else f"/{target}"
    add_request(fields, f"{method} {target}")
    if status != "-":
        fields["sc-status"] = int(status)
    fields["sc-bytes"] = int(size)
    add_quoted(fields, "cs-user-agent", agent)
    if extra and not extra.isspace():
        fields["extra"] = extra.strip()
    return fields


def _of_manager(match: re.Match[str]) -> Fields:
    time, status, method, _, host, target, client, size, agent, referrer = match.groups()
    fields: Fields = {"time": time, "c-ip": client, "cs-method": method, "cs-host": host}
    add_target(fields, unescaped(target))
    if status != "-":
        fields["sc-status"] = int(status)
    if size != "-":
        fields["sc-bytes"] = int(size)
    add_quoted(fields, "cs-user-agent", agent)
    add_quoted(fields, "cs-referer", referrer)
    return fields
