"""How correlations compare values: as Sigma does, ignoring case and the difference of 4624 and "4624".

Values come from logs and are untrusted: nothing here raises for them.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, TypeAlias

__all__ = ["Number", "fold", "number"]

Number: TypeAlias = int | Fraction
"""Exact, so that a sum that slides over a window for days has no rounding error to collect."""

_LARGEST = 10**300
"""Numbers beyond it are no numbers here; a sum of a million of them still is a float."""
_DIGITS = 400
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def fold(value: Any) -> Any:
    """Return a hashable that is equal for values that Sigma holds to be equal; None stays None."""
    if type(value) is str:
        return value.lower()
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return tuple(fold(item) for item in value)
    if isinstance(value, dict):
        return tuple((key, fold(value[key])) for key in sorted(value))
    return _spelling(value)


def _spelling(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and abs(value) > _LARGEST:
        return hex(value)
    return str(value).lower()


def number(value: Any) -> Number | None:
    """Return the exact number that the value is or spells in decimal, None where there is none."""
    if isinstance(value, str):
        return _spelled(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -_LARGEST < value < _LARGEST:
        return None
    if isinstance(value, int):
        return value
    return int(value) if value.is_integer() else Fraction(value)


def _spelled(text: str) -> Number | None:
    if len(text) > _DIGITS:
        return None
    if _INTEGER.fullmatch(text):
        return number(int(text))
    return number(float(text)) if _DECIMAL.fullmatch(text) else None
