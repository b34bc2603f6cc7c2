"""Plain lists: one indicator a line, its kind told by its shape; ``#`` and ``;`` begin a comment.

Hosts files (``0.0.0.0 evil.example``) are lists too: the name counts, not the address that it is sent to. So
are the blocklists of dnsmasq (``address=/evil.example/0.0.0.0``) and of browsers (``||evil.example^``).
A heading as tables have it, numbers and bullets before an entry, and the file name after a hash (as
``sha256sum`` writes it) are passed over. Defanged spellings (``hxxp``, ``[.]``) are read. Input is not
trusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.intel.feeds._columns import columns_of
from haidang.intel.feeds._entries import add, cut
from haidang.intel.model import Reading
from haidang.intel.observables import indicator_of

if TYPE_CHECKING:
    from haidang.limits import Limits

__all__ = ["FEED"]

_COMMENT = re.compile(r"(?:^|\s)[#;].*")
_HOSTS = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(\S+)")
_BLOCKED = re.compile(r"(?:address|server|local)=/([^/\s]+)/\S*|\|\|([^/^\s]+)\^\S*")
_BULLET = re.compile(r"(?:[-*+•–]|\d{1,4}[.)])\s+")
_DIGEST = re.compile(r"([0-9A-Fa-f]{32,128})\s+\*?\S.*")
_LOOKED_AT = 50
_ENOUGH = 0.6


class _PlainList:
    name = "list"
    title = "Plain list: one address, network, domain, URL, hash or mail address a line"

    def recognises(self, data: bytes) -> int:
        lines = [_COMMENT.sub("", line).strip() for line in _lines(data[:65536])]
        lines = [line for line in lines if line and not columns_of([line])][:_LOOKED_AT]
        known = sum(_entry(line) is not None for line in lines)
        return 50 if lines and known >= _ENOUGH * len(lines) else 0

    def read(self, data: bytes, limits: Limits) -> Reading:
        reading = Reading()
        for number, line in enumerate(_lines(data), start=1):
            text = _COMMENT.sub("", line).strip()
            if not text or (not reading.indicators and columns_of([text])):
                continue
            found = _entry(text)
            if found is None:
                reading.refuse(f"line {number}: {cut(text)}", "no address, name, URL, hash or mail address")
            else:
                add(reading, limits, *found, spelled=True)
        return reading


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines()


def _entry(text: str) -> tuple[str, str] | None:
    if hosts := _HOSTS.match(text):
        return indicator_of(hosts[1])
    if blocked := _BLOCKED.fullmatch(text):
        return indicator_of(blocked[1] or blocked[2])
    text = _BULLET.sub("", text, count=1)
    digest = _DIGEST.fullmatch(text)
    return indicator_of(digest[1] if digest else text)


FEED = _PlainList()
