"""What ``journalctl -o verbose`` prints of the systemd journal: lines to entries.

    Wed 2026-11-11 21:58:57.417123 +07 [s=0c…;i=1;b=0c…;m=1;t=649f57d7…;x=1]
        _HOSTNAME=hv-web01
        MESSAGE=the first line
                and another

Rules of this module:

- A line with a cursor in brackets begins an entry; its ``t=`` is the time, whichever zone the line has.
- A field is indented by four blanks. A value of several lines goes on below, indented as far as it began.
- A field of which only the size is printed (``[12B blob data]``) has that text.
- What ``journalctl`` says itself (``-- Boot … --``, and the explanations of ``-x``) is passed over, as are
  blank lines. Any other line is noted and skipped; so is what is more than ``limits.line_bytes`` or
  ``limits.columns`` of an entry.

Input is untrusted; memory is bounded by one entry.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from haidang.events.patterns import expression
from haidang.events.readers._lines import BOM, broken, decode_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.events.model import FileReport
    from haidang.limits import Limits

__all__ = ["VerboseEntries", "is_verbose"]

_HEADER = expression(
    r"(?:[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \S{1,40}|\(no timestamp\)) "
    r"\[(s=[^\]\s]{1,300})\]\s*\Z",
    re.ASCII,
)
_TIME = expression(r";t=([0-9a-f]{1,16})(?:;|\Z)")
_FIELD = expression(r"    ([A-Z0-9_]{1,64})=(.*)\Z", re.DOTALL)
_SAID = ("-- ", "\u2591\u2591 ")
"""What lines begin with that ``journalctl`` says itself."""
_INDENT = 4
_HEAD_LINES = 20


def is_verbose(lines: list[str]) -> bool:
    """Return whether the first lines of a file are such an entry."""
    headed = False
    for line in lines[:_HEAD_LINES]:
        text = line.removeprefix(BOM).rstrip("\r")
        if headed:
            return _FIELD.match(text) is not None
        headed = _HEADER.match(text) is not None
        if not headed and not text.startswith("-- "):
            return False
    return False


class VerboseEntries:
    """Puts lines together; ``feed`` it batches of them, then take the ``last`` entry."""

    def __init__(self, report: FileReport, limits: Limits) -> None:
        """Begin before the first entry."""
        self._report = report
        self._limits = limits
        self._number = 0
        self._entry: dict[str, Any] = {}
        self._size = 0
        self._field = ""
        self._value: list[str] = []

    def feed(self, first: int, lines: list[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each entry that ends among these lines, with the number of its first line."""
        for number, line in enumerate(decode_all(lines, first, self._report), first):
            text = line.removeprefix(BOM).rstrip("\r")
            if (header := _HEADER.match(text)) is not None:
                yield from self.last()
                self._begin(number, header[1])
            elif self._entry and (field := _FIELD.match(text)) is not None:
                self._keep()
                if self._fits(number, len(text)):
                    self._field, self._value = field[1], [field[2]]
            elif self._field and text.startswith(" " * (begins := _INDENT + len(self._field) + 1)):
                if self._fits(number, len(text)):
                    self._value.append(text[begins:])
            elif text.startswith(_SAID):
                self._keep()
            elif text.strip("\x00 \t"):
                broken(self._report, number, "no field of the journal")

    def last(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the entry that was begun, if there is one."""
        self._keep()
        if self._entry:
            yield self._number, self._entry
        self._entry, self._size = {}, 0

    def _begin(self, number: int, cursor: str) -> None:
        self._number = number
        self._entry = {"__CURSOR": cursor}
        if (time := _TIME.search(cursor)) is not None:
            self._entry["__REALTIME_TIMESTAMP"] = str(int(time[1], 16))

    def _fits(self, number: int, size: int) -> bool:
        """Return whether an entry may have this much more; note where it may not."""
        self._size += size + 1
        if self._size <= self._limits.line_bytes and len(self._entry) < self._limits.columns:
            return True
        detail = f"an entry of more than {self._limits.line_bytes} bytes or {self._limits.columns} fields"
        self._report.note("oversized-line", f"line {number}", detail)
        return False

    def _keep(self) -> None:
        """Put the value that was read into the entry; a field that occurs several times has a list."""
        name, value = self._field, "\n".join(self._value)
        self._field, self._value = "", []
        if not name:
            return
        known = self._entry.get(name)
        if known is None:
            self._entry[name] = value
        elif isinstance(known, list):
            known.append(value)
        else:
            self._entry[name] = [known, value]
