"""One module per output format; a module whose name does not begin with an underscore is an output.

An output module defines ``OUTPUT``, an object that follows :class:`OutputFormat`. There is no list to
edit: add the module and its test, and ``--format NAME`` knows it.
"""

from __future__ import annotations

from functools import cache
from typing import IO, TYPE_CHECKING, Protocol

from haidang.registry import registered

if TYPE_CHECKING:
    from haidang.findings.model import Finding, ScanSummary

__all__ = ["OutputFormat", "Writer", "outputs"]


class Writer(Protocol):
    """An open output: gets each finding once, in order, then the account of the run."""

    def write(self, finding: Finding) -> None:
        """Take one finding."""
        ...

    def close(self, summary: ScanSummary) -> None:
        """Write what comes last; the caller closes the stream."""
        ...


class OutputFormat(Protocol):
    """A format that ``--format`` can name."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    """File name endings that choose this format for ``--output``, e.g. (".html", ".htm")."""

    def open(self, stream: IO[bytes], *, lang: str) -> Writer:
        """Begin an output on a binary stream; ``lang`` is "vi" or "en"."""
        ...


@cache
def outputs() -> dict[str, OutputFormat]:
    """Return every output format by name, found by walking this package."""
    return {module.OUTPUT.name: module.OUTPUT for module in registered(__name__, __path__)}
