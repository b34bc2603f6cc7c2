"""The parts of a URL that rules ask for, out of what proxies log: whole URLs, host and port, host and path.

Input is untrusted: what is no URL has no parts, and nothing raises.
"""

from __future__ import annotations

import re
from functools import lru_cache

from haidang.events.patterns import expression

__all__ = ["url_parts"]

LONGEST = 8192
"""Characters of a URL that are taken apart."""

_URL = expression(
    r"(?:[A-Za-z][\w+.-]{0,30}://)?(?:[^/?#@\s]{0,1024}@)?(\[[^\]\s]{1,64}\]|[^/?#:\s]{1,1024})(?::(\d{1,5}))?"
    r"(/[^?#]*)?(?:\?([^#]*))?(?:#|\Z)",
    re.ASCII | re.DOTALL,
)
_EXTENSION = expression(r"\.([A-Za-z0-9]{1,10})\Z", re.ASCII)


@lru_cache(maxsize=4096)
def url_parts(url: str, prefix: str = "") -> tuple[tuple[str, str], ...]:
    """Return those of ``host``, ``port``, ``uri``, ``path``, ``query`` and ``extension`` that are there.

    ``uri`` is the path with its query. The host is in lower case and without brackets, the extension in lower
    case and without its dot; the name of each is ``prefix`` and the word above.
    """
    match = _URL.match(url[:LONGEST])
    if match is None:
        return ()
    host, port, path, query = match.groups()
    extension = _EXTENSION.search(path) if path else None
    parts = {
        "host": host.lower().strip("[]"),
        "port": port,
        "uri": path and (path if query is None else f"{path}?{query}"),
        "path": path,
        "query": query,
        "extension": extension and extension[1].lower(),
    }
    return tuple((prefix + name, value) for name, value in parts.items() if value)
