"""Values of events as one line of data."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["as_text"]


def as_text(value: Any) -> str:
    """Return a text as it is, anything else as JSON; untrusted halves of surrogate pairs are spelled out."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return repr(value)
