"""What the readers of text logs share: lines to text, what was found to batches, an account of each fault.

Input is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.events.model import FileReport

__all__ = ["BOM", "COOKIE", "apart", "broken", "decode", "decode_all"]

_Found = TypeVar("_Found")
BOM = "\ufeff"
COOKIE = "@cee:"
"""What marks a message of syslog as JSON."""


def decode(line: bytes, number: int, report: FileReport) -> str:
    """Return the text of ``line``; bytes that are not UTF-8 are replaced, and noted."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        report.note("invalid-utf8", f"line {number}", "not UTF-8; read with replacement characters")
        return line.decode("utf-8", "replace")


def decode_all(lines: list[bytes], first: int, report: FileReport) -> list[str]:
    """Return the texts of consecutive lines: decoded at once, one by one where that cannot be."""
    try:
        texts = b"\n".join(lines).decode().split("\n")
    except UnicodeDecodeError:
        texts = []
    # A line that a frame or a lone end has torn holds an end itself.
    if len(texts) == len(lines):
        return texts
    return [decode(line, number, report) for number, line in enumerate(lines, first)]


def apart(found: Sequence[tuple[int, _Found]]) -> tuple[list[_Found], list[int]]:
    """Return what was found, and the records in which it was, as batches have them."""
    return [one for _, one in found], [record for record, _ in found]


def broken(report: FileReport, number: int, detail: str, *, skipped: int = 1) -> None:
    """Note a line (or row, or record) that was skipped, or with ``skipped=0`` kept as mere text."""
    report.note("broken-line", f"line {number}", detail, skipped=skipped)
