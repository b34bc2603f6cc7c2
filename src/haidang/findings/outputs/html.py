"""One self-contained HTML page: the findings, the time line, the evidence, and what was not read.

Rules:

- The page loads nothing: its policy (``default-src 'none'``) admits its own style and script by their hash.
- Findings are written as they come, in compressed blocks, so memory does not grow with their number; what
  belongs to a rule is written once.
- Whatever comes from logs, rules or file names is data in JSON: the page makes text nodes of it. Where no
  script runs, a table of the rules is shown instead (:mod:`haidang.findings.outputs._html_plain`).

Findings and the summary are untrusted: their texts were written by whoever wrote the logs.

Example::

    writer = OUTPUT.open(stream, lang="vi")
    writer.write(finding)
    writer.close(summary)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import IO, TYPE_CHECKING

from haidang.errors import OutputError
from haidang.findings.gathering import Trails
from haidang.findings.outputs._html_blocks import (
    BlockBuilder,
    milliseconds,
    packed,
    plain_json,
    script_json,
)
from haidang.findings.outputs._html_page import (
    closing,
    known_techniques,
    opening,
    page_head,
    page_trails,
    places_of_techniques,
    said_by_rules,
)
from haidang.findings.outputs._html_plain import plain_account
from haidang.findings.tally import Tally
from haidang.findings.trails import about
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.findings.model import Finding, ScanSummary
    from haidang.findings.trails import About

__all__ = ["OUTPUT", "HtmlOutput", "HtmlWriter"]


def _now() -> datetime:
    return datetime.now(UTC)


class HtmlWriter:
    """An open page; :meth:`close` makes it whole."""

    def __init__(
        self, stream: IO[bytes], *, lang: str, clock: Callable[[], datetime], limits: Limits
    ) -> None:
        """Write the head of the page, in language ``lang``, to ``stream``."""
        self._stream = stream
        self._lang = lang
        self._clock = clock
        self._blocks = BlockBuilder(limits)
        self._limits = limits
        self._trails = Trails(limits)
        self._tally = Tally(limits)
        self._emit(opening(lang))

    def write(self, finding: Finding) -> None:
        """Take one finding; a full block goes to the stream."""
        self._tally.add(finding)
        told, time = self._told(finding), milliseconds(finding.time)
        self._trails.gather(told)
        self._trails.want(finding.host, told.process, time)
        if self._blocks.add(finding, told):
            self._flush()

    def close(self, summary: ScanSummary) -> None:
        """Write the last block, the account of the run and the end of the page."""
        self._flush()
        head = page_head(summary, self._lang, self._clock())
        head["techniques"] = known_techniques(self._blocks.techniques)
        head["places"] = places_of_techniques(self._blocks.techniques)
        head["said"] = said_by_rules(chain(self._blocks.rules, self._blocks.joined), summary)
        account = script_json(plain_json(head))
        self._emit(b'<script type="application/json" id="head">' + account + b"</script>\n")
        trails = packed(page_trails(summary.trails or self._trails))
        self._emit(b'<script type="application/octet-stream" id="trails">' + trails + b"</script>\n")
        self._emit(plain_account(self._tally, summary, self._lang))
        self._emit(closing(self._lang))

    def _told(self, finding: Finding) -> About:
        """Return what the finding's event tells; a run that gathers trails knows more of the event."""
        if finding.about is not None:
            return finding.about
        event = {**finding.event, **(finding.group or {})}
        time, longest = milliseconds(finding.time), self._limits.trail_chars
        return about(finding.origin, event, host=finding.host, time=time, longest=longest)

    def _flush(self) -> None:
        block = self._blocks.take()
        if block:
            self._emit(b'<script type="application/octet-stream" class="block">' + block + b"</script>\n")

    def _emit(self, data: bytes) -> None:
        try:
            self._stream.write(data)
        except OSError as error:
            raise OutputError(f"the HTML page cannot be written: {error}") from error


@dataclass(frozen=True, slots=True)
class HtmlOutput:
    """The format ``html``."""

    name: str = "html"
    title: str = "one self-contained HTML page with a time line, filters and the evidence"
    suffixes: tuple[str, ...] = (".html", ".htm")
    clock: Callable[[], datetime] = _now
    """When the page is written; it is printed in the page."""
    limits: Limits = DEFAULT_LIMITS
    trails: bool = True
    """The run should gather process starts and moves for it."""

    def open(self, stream: IO[bytes], *, lang: str) -> HtmlWriter:
        """Begin a page on ``stream`` in ``lang`` ("vi" or "en")."""
        return HtmlWriter(stream, lang=lang, clock=self.clock, limits=self.limits)


OUTPUT = HtmlOutput()
