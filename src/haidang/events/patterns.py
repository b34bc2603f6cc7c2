"""Regular expressions that are compiled when they are first used.

There are some two hundred of them in the readers, and a run uses those of one or two formats: compiling all
of them would take half of the time in which a run starts. Used like what ``re.compile`` returns.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

__all__ = ["expression"]

_METHODS = [
    "findall",
    "finditer",
    "flags",
    "fullmatch",
    "groupindex",
    "groups",
    "match",
    "pattern",
    "search",
    "split",
    "sub",
]


class _Lazy:
    """Stands for an expression; has its methods from the first use on."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self._pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        # Only what is not there yet comes here: from then on, a method is found like any other.
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self._pattern, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def expression(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return an expression; a mistake in it shows when it is first used."""
    return cast("re.Pattern[AnyStr]", _Lazy(pattern, flags))
