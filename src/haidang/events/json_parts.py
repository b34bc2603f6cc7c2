r"""Parts of JSON told by their bytes: strings, objects in a row, and objects that only wrap events.

A wrapper is ``{"Records": [...]}``, ``{"hits": {"hits": [...]}}``, an object that begins with an array by a
usual name (``{"events": [...], "next": ...}``), one that begins as the answers of some interfaces do and then
holds the array (``{"kind": "EventList", …, "items": [...]}``), and any object with a single key that holds an
array of objects.

All input is untrusted. Nothing here backtracks.
"""

from __future__ import annotations

import re

from haidang.events.patterns import expression

__all__ = ["CALM", "STRING", "cut_all", "single_array", "wraps"]

STRING = rb'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
"""A whole string; JSON forbids line ends in it."""
CALM = expression(rb'[^"{}\[\]]*+(?:' + STRING + rb'[^"{}\[\]]*+)*+')
"""All up to the next bracket, and to a string that is not closed."""

_KEY = expression(rb'"([^"\\]{1,64})"\s{0,16}:\s{0,16}\Z')
_FIRST = expression(rb'\{\s*"')
_ODATA = expression(rb'\{\s*"@odata\.')
_DUO = expression(rb'\{\s*"response"\s*:\s*\{')
_PARENT = expression(rb'"hits"\s{0,16}:\s{0,16}\{')
_USUAL = frozenset(b"records events Events logs items results data value entries entities response".split())
_ANSWERS = {
    b"items": re.compile(rb'\{\s*"(?:kind|apiVersion)"'),
    b"data": re.compile(rb'\{\s*"(?:status|pagination)"'),
    b"response": re.compile(rb'\{\s*"stat"'),
    b"entities": re.compile(rb'\{\s*"(?:pagingInfo|paging)"'),
    b"value": _ODATA,
    b"results": re.compile(rb'\{\s*"preview"'),
    b"Results": re.compile(rb'\{\s*"(?:Stats|Schema)"'),
}
"""Name of the array to how an object begins that holds it further on."""
_SINGLE = expression(rb"\{\s*" + STRING + rb"\s*:\s*(?=\[\s*\{)")
_LOOK_BEHIND = 4096
"""Bytes of an object that are looked at for what it wraps."""


def wraps(buffer: bytes, begin: int, at: int, depth: int) -> bool:
    """Return whether the array at ``at`` holds the events of the object at ``begin``, ``depth`` levels in."""
    if at - begin > _LOOK_BEHIND:
        return False
    key = _KEY.search(buffer, max(begin, at - 128), at)
    if key is None:
        return False
    if depth == 1:
        first = _FIRST.match(buffer, begin)
        begins = first is not None and first.end() == key.start() + 1
        answer = _ANSWERS.get(key[1])
        known = key[1] == b"Records" or (answer is not None and answer.match(buffer, begin) is not None)
        return known or (begins and key[1] in _USUAL)
    if key[1] == b"authlogs":
        # Duo's second interface: {"stat": "OK", "response": {"authlogs": [...], "metadata": {...}}}.
        return _ANSWERS[b"response"].match(buffer, begin) is not None or _DUO.match(buffer, begin) is not None
    parent = buffer.rfind(b'"hits"', begin, key.start())
    return key[1] == b"hits" and parent >= 0 and _PARENT.match(buffer, parent) is not None


def single_array(document: bytes) -> bytes | None:
    """Return the array of objects that is all an object has, None for any other object."""
    single = _SINGLE.match(document)
    if single is None:
        return None
    at, depth = single.end(), 0
    while True:
        depth += 1 if document[at] in b"[{" else -1
        at += 1
        if not depth:
            break
        calm = CALM.match(document, at)
        at = calm.end() if calm else at
    return document[single.end() : at] if document[at:].strip() == b"}" else None


def cut_all(objects: bytes) -> list[bytes]:
    """Return the objects of what may be the inside of an array, none if it is not.

    An array that parses ends where its objects do, so a wrong cut shows.
    """
    import msgspec

    try:
        raw = msgspec.json.decode(b"[%b]" % objects, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return []
    documents = list(map(bytes, raw))
    return documents if all(document.startswith(b"{") for document in documents) else []
