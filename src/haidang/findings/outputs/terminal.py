"""The summary for people: a table of the rules that were satisfied, then the account of the run.

Rules:

- Findings are counted as they come (:class:`haidang.findings.tally.Tally`) and not kept.
- The most severe rules come first. A long table is cut, and says what it leaves out.
- Colour only repeats what words say. It goes to terminals alone, and not where ``NO_COLOR`` is set.
- All text from logs and rules passes :func:`haidang.plaintext.neutralise`; none of it is read as markup.
"""

from __future__ import annotations

import os
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Any, cast

from haidang.findings.tally import Tally
from haidang.i18n import translator

if TYPE_CHECKING:
    from haidang.findings.model import Finding, ScanSummary
    from haidang.i18n import Translator

__all__ = ["OUTPUT", "SummaryOutput", "SummaryWriter", "print_account"]

_PIPED_WIDTH = 100
"""Columns where the stream is no terminal and COLUMNS says nothing."""


class SummaryWriter:
    """Counts the findings and prints the summary when the run is over."""

    list_refused = False
    """Whether every refused rule is listed, not the first few."""
    paged = False
    """Whether the same run writes a page, which lists all that is cut short here."""

    def __init__(self, stream: IO[bytes], translate: Translator) -> None:
        """Print to ``stream``."""
        self._stream = stream
        self._translate = translate
        self._tally = Tally()

    def write(self, finding: Finding) -> None:
        """Count one finding."""
        self._tally.add(finding)

    def close(self, summary: ScanSummary) -> None:
        """Print the summary."""
        _print(
            self._stream,
            summary,
            self._translate,
            self._tally,
            list_refused=self.list_refused,
            paged=self.paged,
        )


class SummaryOutput:
    """``--format summary``, what a scan prints when no other output is asked for."""

    name = "summary"
    title = "Summary for people, on a terminal"
    suffixes: tuple[str, ...] = (".txt",)

    def open(self, stream: IO[bytes], *, lang: str) -> SummaryWriter:
        """Begin an output on ``stream`` in the language ``lang``."""
        return SummaryWriter(stream, translator(lang))


OUTPUT = SummaryOutput()


def print_account(
    stream: IO[bytes],
    summary: ScanSummary,
    translate: Translator,
    *,
    list_refused: bool = False,
    paged: bool = False,
) -> None:
    """Print what was read and what was not, without what was found."""
    _print(stream, summary, translate, None, list_refused=list_refused, paged=paged)


def _print(
    stream: IO[bytes],
    summary: ScanSummary,
    translate: Translator,
    tally: Tally | None,
    *,
    list_refused: bool,
    paged: bool,
) -> None:
    from rich.console import Console

    from haidang.findings.outputs._summary_layout import account_grid, print_findings

    text = TextIOWrapper(cast("Any", stream), encoding="utf-8", errors="backslashreplace", newline="")
    width = None if text.isatty() or os.environ.get("COLUMNS", "").isdecimal() else _PIPED_WIDTH
    console = Console(file=text, width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as printed:
        if tally is not None:
            print_findings(console, tally, summary, translate, paged=paged)
        grid = account_grid(
            summary, translate, tally, list_refused=list_refused, paged=paged, width=console.width
        )
        console.print(grid)
    # Tables are padded to their width, which is of no use to a reader or a pipe.
    text.write("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()))
    text.flush()
    text.detach()
