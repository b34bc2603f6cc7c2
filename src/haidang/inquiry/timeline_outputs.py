"""How a time line is written: lines for people, NDJSON and CSV for machines.

Rules:

- Each entry is written as it comes; nothing is held back to fit columns.
- Lines: time (UTC), host without its domain, what happened, who (and from where their session came), and
  the text. On a terminal, what does not fit is folded below, a text to four lines; elsewhere an entry is one
  whole line. A finding shows its level.
- NDJSON: one object a line, ``kind`` first; CSV: the same, flat, with formulas made harmless.

Texts come from logs and are untrusted: on a terminal they pass :func:`haidang.plaintext.neutralise`.
"""

from __future__ import annotations

import csv
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Any, cast

from haidang.findings.outputs._json import encode
from haidang.findings.outputs.csv import harmless
from haidang.findings.words import LEVEL_WORDS
from haidang.inquiry.folding import folded
from haidang.inquiry.timelines import FINDING
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.i18n import Translator
    from haidang.inquiry.timelines import Entry

__all__ = ["COLUMNS", "write_csv", "write_lines", "write_ndjson"]

COLUMNS = (
    "time",
    "host",
    "kind",
    "title",
    "level",
    "user",
    "text",
    "session",
    "session_user",
    "session_source",
    "session_opened",
    "origin",
    "path",
    "record",
    "finding",
)
_COLOURS = {"critical": "1;37;41", "high": "1;31", "medium": "33", "low": "36"}
_HOST_WIDTH = 15
_TITLE_WIDTH = 28
_USER_WIDTH = 24
_BELOW = " " * 21
"""Before what is folded: it stands below the host."""
_WIDE = 60
"""Columns from which a long title is folded below its own beginning."""
_MOST_LINES = 4
"""Lines that the text of one entry may take."""


def write_lines(
    stream: IO[bytes], entries: Iterable[Entry], translate: Translator, *, width: int | None, colour: bool
) -> int:
    """Write entries for people, folded to ``width`` (None: one line each). Return how many there were."""
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007 -- returned
        lines = _lines(entry, translate, width, colour=colour)
        stream.write(("\n".join(lines) + "\n").encode("utf-8", "backslashreplace"))
    return count


def write_ndjson(stream: IO[bytes], entries: Iterable[Entry]) -> int:
    """Write entries as NDJSON; return how many there were."""
    count = 0
    for count, entry in enumerate(entries, 1):  # noqa: B007 -- returned
        stream.write(encode(_object(entry)) + b"\n")
    return count


def write_csv(stream: IO[bytes], entries: Iterable[Entry]) -> int:
    """Write entries as CSV (RFC 4180, UTF-8); return how many there were."""
    text = TextIOWrapper(cast("Any", stream), encoding="utf-8", errors="backslashreplace", newline="")
    count = 0
    try:
        row = csv.writer(text).writerow
        row(COLUMNS)
        for count, entry in enumerate(entries, 1):  # noqa: B007 -- returned
            row([harmless(cell) for cell in _cells(entry)])
        text.flush()
    finally:
        text.detach()
    return count


def _lines(entry: Entry, translate: Translator, width: int | None, *, colour: bool) -> list[str]:
    title = entry.title(translate.lang)
    if entry.kind == FINDING:
        level = translate(LEVEL_WORDS[entry.level]) if entry.level in LEVEL_WORDS else entry.level
        title = f"! {level}: {title}"
    who = entry.user
    session = entry.session
    if session is not None and session.source:
        who = f"{who or session.user} ← {session.source}"
    moment = f"{entry.time[:10]} {entry.time[11:19]}"
    host = entry.host.partition(".")[0] if not entry.host[:1].isdigit() else entry.host
    host, title, who = neutralise(host), neutralise(title), neutralise(who)
    text = neutralise(" ".join(entry.text.split()))
    begin = f"{moment}  {host.ljust(_HOST_WIDTH)}"
    line = f"{begin}  {title.ljust(_TITLE_WIDTH)}  {who.ljust(_USER_WIDTH)}  {text}".rstrip()
    lines = [line] if width is None or len(line) <= width else _folded(begin, title, who, text, width)
    code = _COLOURS.get(entry.level) if colour else None
    return [f"\x1b[{code}m{line}\x1b[0m" for line in lines] if code else lines


def _folded(begin: str, title: str, who: str, text: str, width: int) -> list[str]:
    """Return an entry in several lines: what happened to whom, and below it what the event says."""
    head = f"{begin}  {title.ljust(_TITLE_WIDTH)}  {who}".rstrip()
    if len(head) > width:
        head, text = f"{begin}  {title}", f"{who}  {text}".strip()
    lines = folded(head, width, below=" " * (len(begin) + 2) if width >= _WIDE else _BELOW)
    if text:
        lines += [_BELOW + line for line in folded(text, width - len(_BELOW), most=_MOST_LINES)]
    return lines


def _object(entry: Entry) -> dict[str, Any]:
    written: dict[str, Any] = {
        "kind": entry.kind,
        "time": entry.time,
        "host": entry.host,
        "title": entry.title("en"),
        "user": entry.user,
        "text": entry.text,
        "origin": entry.origin,
        "source": {"path": entry.path, "record": entry.record},
        "session": entry.session,
    }
    if entry.kind == FINDING:
        written |= {"level": entry.level, "finding": entry.finding}
    return written


def _cells(entry: Entry) -> tuple[str, ...]:
    session = entry.session
    return (
        entry.time,
        entry.host,
        entry.kind,
        entry.title("en"),
        entry.level,
        entry.user,
        entry.text,
        session.id if session else "",
        session.user if session else "",
        session.source if session else "",
        session.opened if session else "",
        entry.origin,
        entry.path,
        str(entry.record),
        entry.finding,
    )
