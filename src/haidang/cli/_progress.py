"""The progress line on a terminal: how far, how fast, how much longer.

It is one line that is rewritten in place, at most ten times a second, and gone when the run is over.
Nothing is written where standard error is not a terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from haidang.findings.figures import duration, number, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.i18n import Translator

__all__ = ["Progress", "progress_line"]

_INTERVAL = 0.1
_BAR = 24
_CLEAR = "\r\x1b[K"


class Progress:
    """Shows how far a scan is; give it the numbers as often as you like."""

    def __init__(
        self, stream: TextIO, translate: Translator, *, clock: Callable[[], float], columns: Callable[[], int]
    ) -> None:
        """Write to the terminal ``stream``, ``columns()`` wide, by the time of ``clock`` in seconds."""
        self._stream = stream
        self._translate = translate
        self._clock = clock
        self._columns = columns
        self._begin = clock()
        self._next = self._begin
        self._write(translate("Loading the rules …"))

    def update(self, done: int, total: int, events: int, findings: int) -> None:
        """Take the state of the run: bytes done and in all (0: unknown), events, findings."""
        now = self._clock()
        if now < self._next:
            return
        if not events and not done:
            self._begin = now
        self._next = now + _INTERVAL
        self._write(
            progress_line(done, total, events, findings, now - self._begin, translate=self._translate)
        )

    def clear(self) -> None:
        """Take the line away."""
        self._stream.write(_CLEAR)
        self._stream.flush()

    def _write(self, line: str) -> None:
        # A line that wraps could not be rewritten in place.
        self._stream.write(_CLEAR + line[: max(self._columns() - 1, 0)])
        self._stream.flush()


def progress_line(
    done: int, total: int, events: int, findings: int, seconds: float, *, translate: Translator
) -> str:
    """Return the line: bar, share, bytes, rate, findings and time left, the most useful first."""
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
    parts.append(translate.ngettext("{n} finding", "{n} findings", findings).format(n=number(findings, lang)))
    parts.append(f"{size(done, lang)} / {size(total, lang)}" if total else size(done, lang))
    return "  ".join(parts)


def _bar(share: float) -> str:
    full = int(share * _BAR)
    return "━" * full + "─" * (_BAR - full)
