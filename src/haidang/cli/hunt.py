"""``haidang hunt``: rules, a query or a name, over the archive of ``haidang serve``.

The work is done by :mod:`haidang.ingest.hunting`; here are its options, and how its answers are written.
"""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._destinations import STDOUT, Destination, OpenDestination, pair
from haidang.cli._inquiry import answer_stream
from haidang.cli._moments import moment_ns
from haidang.cli._rule_options import chosen_rules, rule_options, selected, selection_options
from haidang.cli._scan_options import output_options
from haidang.errors import ConfigurationError
from haidang.findings.model import ScanSummary
from haidang.findings.outputs.terminal import OUTPUT as SUMMARY
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator
    from haidang.ingest.hunting import Answer, Hunt

__all__ = ["COMMAND"]

EPILOG = N_(
    """Examples:
  haidang hunt --rules new-rule.yml --since 30d
  haidang hunt --sql "SELECT host, count(*) FROM events GROUP BY host"
  haidang hunt --entity dc01.example.vn --since 7d

The view "events" has the columns time, received, source, day, batch, record,
format, origin, host, raw and fields; fields['Image'] is one field. Times are UTC."""
)
_ANSWERS = ("ndjson", "csv")


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.epilog = _(EPILOG)
    archive = parser.add_argument_group(_("Archive"))
    archive.add_argument(
        "--archive",
        metavar="FOLDER",
        help=_("the archive (default: that of haidang serve on this machine)"),
    )
    archive.add_argument(
        "--source",
        metavar="ID",
        action="append",
        default=[],
        help=_("only this source: its number in the console (repeatable)"),
    )
    archive.add_argument(
        "--since",
        metavar="TIME",
        help=_("only what was received from TIME on: RFC 3339, a date, or 7d, 12h, 30m ago"),
    )
    archive.add_argument("--until", metavar="TIME", help=_("only what was received up to TIME"))
    question = parser.add_argument_group(_("Question"))
    question.add_argument("--sql", metavar="QUERY", help=_('one SELECT over the view "events"'))
    question.add_argument(
        "--entity", metavar="NAME", help=_("the newest records that name a host, a user or an address")
    )
    rule_options(parser.add_argument_group(_("Rules")), translate)
    selection_options(parser.add_argument_group(_("Filters")), translate)
    output_options(parser.add_argument_group(_("Outputs")), translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Look back and write; return the exit code.

    Raises:
        HaidangError: An option, the rules, the query or an output is wrong.
    """
    from haidang.ingest.hunting import Hunt

    _ = context.translate
    if args.sql is not None and args.entity is not None:
        raise ConfigurationError(_("--sql and --entity are two questions: ask one."))
    hunt = Hunt(_folder(args, context), sources=args.source or None)
    now = context.now()
    span: dict[str, Any] = {
        "since": _moment(moment_ns(args.since, now=now, end=False)) if args.since else None,
        "until": _moment(moment_ns(args.until, now=now, end=True)) if args.until else None,
    }
    if args.sql is None and args.entity is None:
        return _find(args, context, hunt, span)
    answer = hunt.ask(args.sql, **span) if args.sql is not None else _records(hunt, args.entity, span)
    format_, path = _answer_place(args, context)
    with answer_stream(path, context) as stream:
        stream.write(_csv(answer) if format_ == "csv" else _ndjson(answer))
    if not answer.complete:
        context.say(_("There are more rows than {count}; ask for fewer.").format(count=len(answer.rows)))
    return 0


def _folder(args: argparse.Namespace, context: Context) -> Path:
    from haidang.console.environment import Environment

    folder = Path(args.archive) if args.archive else Environment(context.environ).place() / "archive"
    if not folder.is_dir():
        raise ConfigurationError(
            context.translate("There is no archive at {path}.").format(path=folder),
            hint=context.translate("Name its folder with --archive."),
        )
    return folder


def _find(args: argparse.Namespace, context: Context, hunt: Hunt, span: dict[str, Any]) -> int:
    """Look with rules."""
    ruleset = chosen_rules(args, selection=selected(args))
    destinations = pair(args.outputs)
    if all(destination.path != STDOUT for destination in destinations):
        destinations = (*destinations, Destination(SUMMARY, STDOUT))
    opened: list[OpenDestination] = []
    summary = ScanSummary()
    begin, cpu = time.monotonic(), time.process_time()
    try:
        lang = context.translate.lang
        opened.extend(OpenDestination(destination, context.stdout, lang=lang) for destination in destinations)
        for finding in hunt.findings(ruleset, summary=summary, **span):
            for output in opened:
                output.write(finding)
        summary.elapsed, summary.cpu = time.monotonic() - begin, time.process_time() - cpu
        for output in opened:
            output.finish(summary)
    except BaseException:
        for output in opened:
            output.abandon()
        raise
    return 0 if all(report.complete for report in summary.files) else 3


def _records(hunt: Hunt, entity: str, span: dict[str, Any]) -> Answer:
    from haidang.ingest.hunting import Answer, Archived

    found = hunt.records_of(entity, **span)
    return Answer(list(Archived._fields), [tuple(one) for one in found], complete=True)


def _answer_place(args: argparse.Namespace, context: Context) -> tuple[str, str]:
    """Return the format and the path of an answer in rows."""
    _ = context.translate
    told: dict[str, str] = dict(args.outputs)
    path = told.get("output", STDOUT)
    by_suffix = "csv" if path.lower().endswith(".csv") else "ndjson"
    format_ = told.get("format", by_suffix)
    if format_ not in _ANSWERS or len(args.outputs) > len(told):
        raise ConfigurationError(
            _("A query is answered in one of: {formats}.").format(formats=", ".join(_ANSWERS)),
            hint=_("Other formats, and several at once, are for rules."),
        )
    return format_, path


def _ndjson(answer: Answer) -> bytes:
    from haidang.findings.outputs._json import encode

    rows = (dict(zip(answer.columns, row, strict=True)) for row in answer.rows)
    return b"".join(encode(row) + b"\n" for row in rows)


def _csv(answer: Answer) -> bytes:
    from haidang.findings.outputs.csv import harmless

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(harmless, answer.columns))
    writer.writerows(
        [harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in answer.rows
    )
    return text.getvalue().encode("utf-8", "backslashreplace")


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


COMMAND = Command(
    name="hunt",
    summary=N_("Look back into the archive: with rules, SQL or a name."),
    usage="[OPTION]…",
    configure=configure,
    run=run,
)
