"""CSV (RFC 4180, UTF-8): a row for each finding, for spreadsheets.

Rules:

- A cell that a spreadsheet would take for a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or
  a line break) gets an apostrophe before it: log data is chosen by attackers.
- ``matched``, ``event`` and ``group`` are ``field=value; …``; a keyword that matched has no field name.
- The columns are only ever added to, at the end.
- There is no room for the account of the run; the command line says it on standard error.
"""

from __future__ import annotations

import csv
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Any, cast

from haidang.findings.values import as_text
from haidang.findings.words import techniques

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.findings.model import Finding, ScanSummary

__all__ = ["COLUMNS", "OUTPUT", "CsvOutput", "CsvWriter", "harmless"]

COLUMNS = (
    "time",
    "level",
    "rule",
    "host",
    "matched",
    "techniques",
    "tags",
    "status",
    "rule_id",
    "origin",
    "path",
    "record",
    "event",
    "group",
    "count",
    "id",
)

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class CsvWriter:
    """Writes a row for each finding."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write the header to ``stream``."""
        # Text that is not Unicode is written with its escape rather than losing the row.
        self._text = TextIOWrapper(
            cast("Any", stream), encoding="utf-8", errors="backslashreplace", newline=""
        )
        self._row = csv.writer(self._text).writerow
        self._row(COLUMNS)

    def write(self, finding: Finding) -> None:
        """Write one finding."""
        rule = finding.rule
        cells = (
            finding.time or "",
            rule.level,
            rule.title,
            finding.host,
            _pairs((match.field, match.value) for match in finding.matched),
            " ".join(techniques(rule.tags)),
            " ".join(rule.tags),
            rule.status,
            rule.id,
            finding.origin,
            finding.source.path,
            str(finding.source.record),
            _pairs(finding.event.items()),
            _pairs((finding.group or {}).items()),
            str(finding.count),
            finding.id,
        )
        self._row([harmless(cell) for cell in cells])

    def close(self, summary: ScanSummary) -> None:  # noqa: ARG002 -- see the module's rules
        """Hand the stream back to the caller, complete."""
        self._text.flush()
        self._text.detach()


class CsvOutput:
    """``--format csv``."""

    name = "csv"
    title = "CSV, a row for each finding: for spreadsheets"
    suffixes: tuple[str, ...] = (".csv",)

    def open(self, stream: IO[bytes], *, lang: str) -> CsvWriter:  # noqa: ARG002 -- data speaks English
        """Begin an output on ``stream``."""
        return CsvWriter(stream)


OUTPUT = CsvOutput()


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _pairs(items: Iterable[tuple[str, Any]]) -> str:
    return "; ".join(f"{field}={as_text(value)}" if field else as_text(value) for field, value in items)
