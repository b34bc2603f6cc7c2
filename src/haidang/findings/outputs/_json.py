r"""JSON that other programs read: values of logs encoded whatever they hold, by one rule for all outputs.

Text that UTF-8 cannot carry (half of a surrogate pair) is written as its escape, ``\udcff``, as text.
Values come from logs and are untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from haidang.events.model import FileReport

__all__ = ["encode", "file_record", "unicode_only"]

_encode = msgspec.json.Encoder().encode


def encode(value: Any) -> bytes:
    """Return ``value`` as JSON."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(unicode_only(msgspec.to_builtins(value)))


def unicode_only(value: Any) -> Any:
    """Return ``value`` with the text that UTF-8 cannot carry written as escapes."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {unicode_only(key): unicode_only(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [unicode_only(item) for item in value]
    return value


def file_record(report: FileReport) -> dict[str, Any]:
    """Return what was read of a file and what was not, as JSON has it."""
    return {
        "path": report.path,
        "format": report.format or None,
        "bytes": report.size,
        "records": report.records,
        "skipped": report.skipped,
        "problems": [
            {"kind": problem.kind, "where": problem.where, "detail": problem.detail, "count": problem.count}
            for problem in report.problems.values()
        ],
    }
