"""Pairs of key and value as firewalls write them: ``key=value key="value of words"``, with blanks between.

Input is untrusted; the pattern runs in linear time.
"""

from __future__ import annotations

import re

from haidang.events.patterns import expression

__all__ = ["pairs_of"]

_PAIR = expression(r'([\w.-]{1,128}+)=(?:"([^"\\]*+(?:\\.[^"\\]*+)*+)"?|([^\s"]*+))', re.ASCII | re.DOTALL)


def pairs_of(text: str) -> dict[str, str]:
    """Return the pairs of a text; of a key that is repeated the last, without those that have no value."""
    found = {key: quoted or bare for key, quoted, bare in _PAIR.findall(text) if quoted or bare}
    if "\\" in text:
        found = {key: value.replace('\\"', '"') for key, value in found.items()}
    return found
