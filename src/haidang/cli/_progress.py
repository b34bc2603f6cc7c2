"""The progress line on a terminal: how far, how fast, how much longer.

It is one line that is rewritten in place, at most ten times a second, and gone when the run is over.
Nothing is written where standard error is not a terminal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

from haidang.findings.figures import duration, number, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.i18n import Translator

__all__ = ["Progress", "progress_line"]

_INTERVAL = 0.1
_BAR = 24
_CLEAR = "\r\x1b[K"
_FULL = re.compile("━+")


class Progress:
    """Shows how far a scan is; give it the numbers as often as you like."""

    def __init__(
        self,
        stream: TextIO,
        translate: Translator,
        *,
        clock: Callable[[], float],
        columns: Callable[[], int],
        colour: bool,
        opening: str = "",
    ) -> None:
        """Write to the terminal ``stream``, ``columns()`` wide, by the time of ``clock`` in seconds.

        ``opening`` is what stands there until something is read; by default that the rules are loaded.
        """
        self._stream = stream
        self._translate = translate
        self._clock = clock
        self._columns = columns
        self._colour = colour
        self._begin = clock()
        self._next = self._begin
        self._write(opening or translate("Loading the rules …"))

    def update(self, done: int, total: int, events: int, findings: int | None = None) -> None:
        """Take the state of the run: bytes done and in all (0: unknown), events, findings (if sought)."""
        now = self._clock()
        if now < self._next:
            return
        if not events and not done:
            self._begin = now
        self._next = now + _INTERVAL
        # A line that fills the last column wraps on some terminals, and could not be rewritten.
        line = progress_line(
            (done, total, events, findings),
            now - self._begin,
            columns=self._columns() - 1,
            translate=self._translate,
        )
        self._write(_FULL.sub("\x1b[36m\\g<0>\x1b[0m", line) if self._colour else line)

    def clear(self) -> None:
        """Take the line away."""
        self._write("")

    def _write(self, line: str) -> None:
        self._stream.write(_CLEAR + line)
        self._stream.flush()


def progress_line(
    state: tuple[int, int, int, int | None], seconds: float, *, columns: int, translate: Translator
) -> str:
    """Return the line: bar, share, time left, rate, findings, bytes; the last that do not fit are left out.

    Args:
        state: Bytes done and in all (0: unknown), events, findings.
        seconds: How long it has been reading.
        columns: Room for the line.
        translate: The reader's language.
    """
    done, total, events, findings = state
    lang = translate.lang
    parts: list[str] = []
    if total:
        share = min(done / total, 1.0)
        parts.append(f"{_bar(share)} {share:4.0%}")
    if done and total and seconds:
        left = duration(max(total - done, 0) * seconds / done, lang)
        parts.append(translate("{time} left").format(time=left))
    rate = number(events / seconds if seconds else 0, lang)
    parts.append(translate("{n} events/s").format(n=rate))
    if findings is not None:
        found = translate.ngettext("{n} finding", "{n} findings", findings)
        parts.append(found.format(n=number(findings, lang)))
    parts.append(f"{size(done, lang)} / {size(total, lang)}" if total else size(done, lang))
    while parts and len("  ".join(parts)) > columns:
        parts.pop()
    return "  ".join(parts)


def _bar(share: float) -> str:
    full = int(share * _BAR)
    return "━" * full + "─" * (_BAR - full)
