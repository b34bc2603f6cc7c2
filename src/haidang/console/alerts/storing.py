"""Values of logs in a form that every database takes: they may hold anything, and PostgreSQL refuses some.

- A NUL is written as its picture (U+2400), half of a surrogate pair as its escape.
- A number that JSON does not know (NaN, infinities) is written as text.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from haidang.findings.model import Finding

__all__ = ["storable", "storable_finding", "storable_text"]


def storable_text(text: str) -> str:
    """Return a text that can be kept."""
    if "\0" in text:
        text = text.replace("\0", "\N{SYMBOL FOR NULL}")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def storable(value: Any) -> Any:
    """Return a value of JSON that can be kept."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def storable_finding(finding: Finding) -> dict[str, Any]:
    """Return a finding as the contract of the findings' NDJSON has it (``kind`` first)."""
    told = msgspec.to_builtins(finding, enc_hook=str)
    rule = told["rule"]
    kept: dict[str, Any] = {
        "kind": "finding",
        "id": told["id"],
        "time": told["time"],
        "rule": {key: rule[key] for key in ("id", "title", "level", "status", "tags", "author")},
        "host": told["host"],
        "origin": told["origin"],
        "source": told["source"],
        "matched": told["matched"],
        "event": told["event"],
    }
    if finding.origin == "correlation" or finding.members:
        kept.update(group=told["group"], count=told["count"], members=told["members"])
    return {key: storable(value) for key, value in kept.items()}
