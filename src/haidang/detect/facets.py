r"""How the values of a facet are spelled for STIX patterns: for one value of a field, what it stands for.

A pattern says ``file:name = 'a.exe'`` where a log says ``C:\x\a.exe``, and ``HKEY_LOCAL_MACHINE\…`` where
Sysmon says ``HKLM\…``. Facets without an entry keep their values as they are. Values are untrusted; nothing
here raises.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from haidang.detect.semantics import text
from haidang.intel.observables import EXTRACT
from haidang.intel.observed import FACETS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["spellings"]

_HIVES = (
    ("hklm\\", "HKEY_LOCAL_MACHINE\\"),
    ("hkcu\\", "HKEY_CURRENT_USER\\"),
    ("hku\\", "HKEY_USERS\\"),
    ("hkcr\\", "HKEY_CLASSES_ROOT\\"),
    ("\\registry\\machine\\", "HKEY_LOCAL_MACHINE\\"),
    ("\\registry\\user\\", "HKEY_USERS\\"),
)
_SHORT = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_USERS": "HKU",
    "HKEY_CLASSES_ROOT": "HKCR",
}
_USER = re.compile(r"HKEY_USERS\\S-1-(?:5-21|12-1)-[0-9-]{5,100}(?=\\|\Z)", re.IGNORECASE)
"""The part of a person (5-21: of a domain or machine; 12-1: of Entra ID)."""
_REMEMBERED = 8192
"""Values of one facet whose spellings are remembered."""
_SLASHES = re.compile(r"[\\/]")


def _looked_up(extract: str, letter: str) -> Callable[[object], list[str]]:
    """Return what gives the spellings of a kind in a value; of a name only the name itself."""

    def of(value: object) -> list[str]:
        found = [key[2:] for key in EXTRACT[extract](text(value)) if key[0] == letter]
        return found[:1] if letter == "d" else found

    return of


def _hosts(value: object) -> list[str]:
    return [key[2:] for key in EXTRACT["host"](text(value)) if key[0] == "i"] or _looked_up("host", "d")(
        value
    )


def _urls(value: object) -> list[str]:
    """Return a URL as it is written, and as URLs are compared."""
    return [text(value), *_looked_up("url", "u")(value)]


def _paths(value: object) -> list[str]:
    """Return a path as it is written, and its last part."""
    written = text(value)
    last = _SLASHES.split(written)[-1]
    return [written] if last == written else [written, last]


def _folders(value: object) -> list[str]:
    """Return the folder that a path leads into, with and without the mark at its end."""
    written = text(value)
    last = _SLASHES.split(written)[-1]
    above = written[: len(written) - len(last)]
    return _directories(above) if above else []


def _directories(value: object) -> list[str]:
    written = text(value)
    return [written, written[:-1]] if len(written) > 1 and written[-1] in "\\/" else [written]


def _registry(value: object) -> list[str]:
    """Return a registry path and the key above it, for logs join key and value, and the last part.

    Each with its hive written out and short, as patterns have both; a user's own part of ``HKEY_USERS`` is
    that user's ``HKEY_CURRENT_USER``, too, which logs never say.
    """
    written = text(value)
    for short, long in _HIVES:
        if written[: len(short)].lower() == short:
            written = long + written[len(short) :]
            break
    paths = [written]
    if user := _USER.match(written):
        paths.append("HKEY_CURRENT_USER" + written[user.end() :])
    for path in tuple(paths):
        hive, mark, rest = path.partition("\\")
        if hive.upper() in _SHORT:
            paths.append(_SHORT[hive.upper()] + mark + rest)
    above = [path.rpartition("\\")[0] for path in paths]
    return [*paths, *filter(None, above), written.rpartition("\\")[2]] if above[0] else paths


_SPELLINGS: dict[str, Callable[[object], list[str]]] = {
    **dict.fromkeys(("ip", "src_ip", "dst_ip", "domain"), _hosts),
    "url": _urls,
    "hash": _looked_up("hash", "h"),
    **{facet: _looked_up("email", "e") for facet in ("email", "mail_from", "mail_to")},
    **dict.fromkeys(("file", "process", "parent_process"), _paths),
    "folder": _folders,
    "directory": _directories,
    "registry": _registry,
}
if not set(_SPELLINGS) <= set(FACETS):  # pragma: no cover - a slip of ours
    raise AssertionError(set(_SPELLINGS) - set(FACETS))


def spellings(facet: str) -> Callable[[object], list[str]] | None:
    """Return what spells the values of a facet, None where they stay as they are."""
    spell = _SPELLINGS.get(facet)
    return None if spell is None else lru_cache(maxsize=_REMEMBERED)(spell)
