"""How what logs hold is told: tables for people, one JSON object for machines.

People see the sources and hosts with most events, the longest gaps and the commonest ids, and are told what
is left out; the JSON has everything that was counted. Names come from logs and are untrusted: on a terminal
they pass :func:`haidang.plaintext.neutralise`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from haidang.events.times import format_time
from haidang.findings.figures import duration, number, size, span
from haidang.findings.model import ScanSummary
from haidang.findings.outputs._json import encode, file_record
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from haidang.i18n import Translator
    from haidang.inquiry.statistics import Gap, Group, Statistics

__all__ = ["write_json", "write_tables"]

_ROWS = 40
"""Rows of one table for people."""
_GAPS = 15
_SPEAKING = frozenset({"windows", "syslog"})
"""Origins whose sources have names of their own; of others, such as ``DROP``, nobody could tell whose."""
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Table:
    heading: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    right: frozenset[int]
    """Columns of numbers."""
    left_out: int


def write_json(stream: IO[bytes], statistics: Statistics) -> None:
    """Write all that was counted as one JSON object and a line end."""
    groups = _ordered(statistics)
    written = {
        "events": statistics.events,
        "formats": statistics.formats(),
        "sources": [_group(group) for group in groups],
        "ids": [
            {"origin": origin, "source": source, "id": identifier, "events": events}
            for (origin, source, identifier), events in _ids(statistics)
        ],
        "files": [file_record(report) for report in statistics.reports],
    }
    stream.write(encode(written) + b"\n")


def write_tables(
    stream: IO[bytes], statistics: Statistics, translate: Translator, *, width: int | None
) -> None:
    """Write tables for people; ``width`` cuts lines (None: whole lines)."""
    tables = [
        _formats(statistics, translate),
        _sources(statistics, translate),
        _hosts(statistics, translate),
        _gaps(statistics, translate),
        _events(statistics, translate),
    ]
    lines = [line for table in tables if table.rows for line in (*_layout(table, translate), "")]
    lines += _unread(statistics, translate)
    for line in lines:
        shown = line if width is None or len(line) <= width else line[: max(width - 1, 1)] + "…"
        stream.write((shown.rstrip() + "\n").encode("utf-8", "backslashreplace"))


def _ordered(statistics: Statistics) -> list[Group]:
    return sorted(statistics.groups.values(), key=lambda g: (-g.events, g.origin, g.source, g.host))


def _ids(statistics: Statistics) -> list[tuple[tuple[str, str, str], int]]:
    return sorted(statistics.ids.items(), key=lambda item: (-item[1], item[0]))


def _group(group: Group) -> dict[str, Any]:
    return {
        "origin": group.origin,
        "source": group.source,
        "host": group.host,
        "events": group.events,
        "untimed": group.untimed,
        "first": None if group.first is None else format_time(group.first),
        "last": None if group.last is None else format_time(group.last),
        "gaps": [
            {
                "start": format_time(gap.start),
                "end": format_time(gap.end),
                "seconds": (gap.end - gap.start) // _SECOND,
            }
            for gap in group.gaps
        ],
    }


def _formats(statistics: Statistics, translate: Translator) -> _Table:
    lang = translate.lang
    rows: dict[str, list[int]] = {}
    for report in statistics.reports:
        counts = rows.setdefault(report.format or translate("not recognised"), [0, 0, 0])
        counts[0] += 1
        counts[1] += report.records
        counts[2] += report.size
    return _Table(
        translate("Formats"),
        (translate("Format"), translate("Files"), translate("Events"), translate("Size")),
        [(name, number(n, lang), number(e, lang), size(s, lang)) for name, (n, e, s) in sorted(rows.items())],
        frozenset({1, 2, 3}),
        0,
    )


def _sources(statistics: Statistics, translate: Translator) -> _Table:
    merged = _merged(statistics, lambda group: _source(group.origin, group.source))
    return _of_merged(merged, translate("Sources"), translate("Source"), translate("Hosts"), translate)


def _source(origin: str, source: str) -> str:
    """Return a source by the name that people know it by: a channel or a program speaks for itself."""
    if not source or not origin:
        return source or origin or "-"
    return source if origin in _SPEAKING else f"{origin}: {source}"


def _hosts(statistics: Statistics, translate: Translator) -> _Table:
    merged = _merged(statistics, lambda group: group.host or "-")
    return _of_merged(merged, translate("Hosts"), translate("Host"), translate("Sources"), translate)


def _of_merged(
    merged: list[tuple[str, int, int, int | None, int | None]],
    title: str,
    what: str,
    others: str,
    translate: Translator,
) -> _Table:
    rows = [
        (name, number(events, translate.lang), number(beside, translate.lang), _span(first, last))
        for name, events, beside, first, last in merged[:_ROWS]
    ]
    columns = (what, translate("Events"), others, translate("First and last (UTC)"))
    return _Table(title, columns, rows, frozenset({1, 2}), max(len(merged) - _ROWS, 0))


def _merged(
    statistics: Statistics, name_of: Callable[[Group], str]
) -> list[tuple[str, int, int, int | None, int | None]]:
    """Return groups of one name added up: name, events, groups, first and last; most events first."""
    found: dict[str, list[Group]] = {}
    for group in statistics.groups.values():
        found.setdefault(name_of(group), []).append(group)
    merged = [
        (
            name,
            sum(group.events for group in groups),
            len(groups),
            min((group.first for group in groups if group.first is not None), default=None),
            max((group.last for group in groups if group.last is not None), default=None),
        )
        for name, groups in found.items()
    ]
    return sorted(merged, key=lambda each: (-each[1], each[0]))


def _gaps(statistics: Statistics, translate: Translator) -> _Table:
    found: list[tuple[Gap, Group]] = [(gap, group) for group in _ordered(statistics) for gap in group.gaps]
    found.sort(key=lambda each: (each[0].start - each[0].end, each[0].start))
    rows = [
        (
            _source(group.origin, group.source),
            group.host or "-",
            duration((gap.end - gap.start) / _SECOND, translate.lang),
            span(format_time(gap.start), format_time(gap.end)),
        )
        for gap, group in found[:_GAPS]
    ]
    columns = (translate("Source"), translate("Host"), translate("Silent for"), translate("Between (UTC)"))
    heading = translate("Gaps: no events for unusually long")
    return _Table(heading, columns, rows, frozenset({2}), max(len(found) - _GAPS, 0))


def _events(statistics: Statistics, translate: Translator) -> _Table:
    ids = _ids(statistics)
    rows = [
        (_source(origin, source), identifier, number(events, translate.lang))
        for (origin, source, identifier), events in ids[:_ROWS]
    ]
    columns = (translate("Source"), translate("Event id"), translate("Events"))
    return _Table(translate("Events by id"), columns, rows, frozenset({2}), max(len(ids) - _ROWS, 0))


def _span(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "-"
    return span(format_time(first), format_time(last))


def _layout(table: _Table, translate: Translator) -> list[str]:
    cells = [table.columns, *(tuple(map(neutralise, row)) for row in table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.columns))]
    lines = [table.heading]
    for row in cells:
        padded = (
            cell.rjust(width) if column in table.right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  " + "  ".join(padded))
    if table.left_out:
        left_out = translate.ngettext(
            "{n} more row is not shown.", "{n} more rows are not shown.", table.left_out
        )
        lines.append("  " + left_out.format(n=number(table.left_out, translate.lang)))
    return lines


def _unread(statistics: Statistics, translate: Translator) -> list[str]:
    """Return what was not read, in the words of a scan's account."""
    from haidang.findings.account import files_line, problem_entries

    summary = ScanSummary(files=statistics.reports)
    entries: Sequence[Any] = problem_entries(summary, translate)
    lines = [translate("Files") + ": " + files_line(summary, translate)]
    for entry in entries:
        lines += [f"  {entry.name}", *(f"    {reason}" for reason in entry.reasons)]
    return lines
