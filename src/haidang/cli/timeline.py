"""``haidang timeline PATH…``: what happened on a host, in order, over all its logs.

The work is done by :mod:`haidang.inquiry.timelines`; here are its options, and how its answer is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._inquiry import (
    add_answer,
    add_inputs,
    add_scope,
    answer_format,
    answer_stream,
    ask,
    end,
    show_progress,
    shown_width,
    until_first,
    wants_colour,
)
from haidang.cli._unmet import say_unmet
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator
    from haidang.inquiry import Question
    from haidang.inquiry.timelines import Timeline
    from haidang.scanning import ScanOptions

__all__ = ["COMMAND"]

EPILOG = N_(
    """Examples:
  haidang timeline logs/ --host VP-PC-017 --since 2026-11-12
  haidang timeline logs/ --user mai.tt --format csv --output timeline.csv"""
)
FORMATS = ("table", "ndjson", "csv")


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.epilog = _(EPILOG)
    parser.set_defaults(command="timeline")
    add_inputs(parser, translate)
    scope = add_scope(parser, translate)
    scope.add_argument(
        "--user",
        metavar="USER",
        action="append",
        default=[],
        help=_("only what this user did, sessions included; with or without the domain (repeatable)"),
    )
    rules = parser.add_argument_group(_("Findings"))
    rules.add_argument(
        "--rules",
        metavar="PATH",
        action="append",
        default=[],
        help=_("Sigma rules for the findings (repeatable; default: the built-in ones)"),
    )
    rules.add_argument("--no-findings", action="store_true", help=_("leave findings out: events only"))
    add_answer(parser, FORMATS, _("table, ndjson or csv (default: table)"), translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the time line; return the exit code.

    Raises:
        HaidangError: An option, the rules or the output are wrong.
    """
    from haidang.inquiry import timeline
    from haidang.inquiry.timeline_outputs import write_csv, write_lines, write_ndjson

    form = answer_format(args, FORMATS)
    question = ask(args, context)
    story = timeline(question, users=tuple(args.user), scan=_scan(args, question))
    entries = until_first(story, show_progress(question, context))
    with answer_stream(args.output, context) as stream:
        if form == "ndjson":
            count = write_ndjson(stream, entries)
        elif form == "csv":
            count = write_csv(stream, entries)
        else:
            count = write_lines(
                stream,
                entries,
                context.translate,
                width=shown_width(context, args.output),
                colour=wants_colour(context, args.output),
            )
    _remark(context, count, question, story)
    return end(question.reports, context)


def _scan(args: argparse.Namespace, question: Question) -> ScanOptions | None:
    """Return how findings are looked for. Standard input can be read only once, so it has none."""
    from haidang.cli._scan_options import available_cores
    from haidang.scanning import ScanOptions

    if args.no_findings or "-" in args.paths:
        return None
    return ScanOptions(
        question.paths,
        rules=tuple(args.rules),
        builtin=not args.rules,
        input_format=question.input_format,
        password=question.password,
        since=question.since,
        until=question.until,
        processes=available_cores(),
    )


def _remark(context: Context, count: int, question: Question, story: Timeline) -> None:
    from haidang.findings.account import rules_line

    translate, untimed = context.translate, story.untimed
    if story.summary is not None and story.summary.refused:
        context.say(rules_line(story.summary, translate))
    if not count:
        context.say(translate("Nothing notable was found."))
    for host in question.unmet_hosts():
        say_unmet(context, translate("Nothing fits of the host {name}."), host, question.other_hosts)
    # Of a host that is not there, nobody has done anything.
    for user in [] if question.unmet_hosts() and not count else story.unmet_users():
        say_unmet(context, translate("Nothing fits of the user {name}."), user, story.other_users)
    if untimed:
        message = translate.ngettext(
            "{n} notable event has no time and is left out.",
            "{n} notable events have no time and are left out.",
            untimed,
        )
        context.say(message.format(n=untimed))


COMMAND = Command(
    name="timeline",
    summary=N_("Show what happened on a host, in order."),
    usage="[OPTION]… PATH…",
    configure=configure,
    run=run,
)
