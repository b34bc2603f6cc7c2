"""``haidang search PATTERN PATH…``: the events of any format in which a text or an expression occurs.

The work is done by :mod:`haidang.inquiry.searching`; here are its options, and how its answer is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._arguments import counting
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
    wants_colour,
)
from haidang.cli._unmet import say_unmet
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import IO

    from haidang.i18n import Translator
    from haidang.inquiry import Pattern, Question
    from haidang.inquiry.searching import Found

__all__ = ["COMMAND"]

EPILOG = N_(
    """Examples:
  haidang search mimikatz logs/ -i
  haidang search --regex 'enc(oded)?\\s' logs/ --field CommandLine -i"""
)
FORMATS = ("lines", "ndjson", "csv", "count")


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.epilog = _(EPILOG)
    parser.set_defaults(command="search")
    pattern = parser.add_argument_group(_("Pattern"))
    pattern.add_argument("pattern", metavar="PATTERN", help=_("the text to look for"))
    pattern.add_argument(
        "--field",
        metavar="FIELD",
        action="append",
        default=[],
        help=_("only in this field of an event, e.g. CommandLine (repeatable)"),
    )
    pattern.add_argument("--regex", action="store_true", help=_("PATTERN is a regular expression (RE2)"))
    pattern.add_argument("-i", "--ignore-case", action="store_true", help=_("without regard to case"))
    add_inputs(parser, translate)
    add_scope(parser, translate)
    outputs = add_answer(
        parser, FORMATS, _("lines, ndjson or csv (whole events), or count (default: lines)"), translate
    )
    outputs.add_argument("--limit", metavar="N", type=counting(_), help=_("stop after N events"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Search and write; return the exit code.

    Raises:
        HaidangError: An option, the expression or the output is wrong.
    """
    from haidang.inquiry import Pattern, search

    form = answer_format(args, FORMATS)
    question = ask(args, context)
    pattern = Pattern(args.pattern, tuple(args.field), regex=args.regex, ignore_case=args.ignore_case)
    # Lines that scroll by on the same terminal would tear the progress line.
    on_terminal = shown_width(context, args.output) is not None
    done = show_progress(question, context) if not on_terminal else lambda: None
    found = search(question, pattern)
    try:
        with answer_stream(args.output, context) as stream:
            count = _write(stream, found, form, pattern, args, context)
    finally:
        done()
    if not count:
        _say_why(context, question, pattern)
    return end(question.reports, context)


def _write(
    stream: IO[bytes],
    found: Iterator[Found],
    form: str,
    pattern: Pattern,
    args: argparse.Namespace,
    context: Context,
) -> int:
    """Write what was found in the form that is asked for; return how many events there were."""
    from haidang.inquiry.search_outputs import write_count, write_csv, write_lines, write_ndjson

    if form == "ndjson":
        return write_ndjson(stream, found, most=args.limit)
    if form == "csv":
        return write_csv(stream, found, most=args.limit)
    if form == "count":
        return write_count(stream, found, most=args.limit)
    return write_lines(
        stream,
        found,
        most=args.limit,
        width=shown_width(context, args.output),
        find=pattern.find,
        colour=wants_colour(context, args.output),
    )


def _say_why(context: Context, question: Question, pattern: Pattern) -> None:
    """Say that nothing was found, and which name may be the reason."""
    from haidang.inquiry.searching import absent_fields

    translate = context.translate
    context.say(translate("No event fits."))
    # Where events fitted but for their host, their fields are there.
    if question.other_hosts:
        for host in question.unmet_hosts():
            say_unmet(context, translate("Nothing fits of the host {name}."), host, question.other_hosts)
        return
    absent, names = absent_fields(question, pattern.fields)
    for field in absent:
        say_unmet(context, translate("No event has a field {name}."), field, names, examples=0)


COMMAND = Command(
    name="search",
    summary=N_("Find events by a text or a regular expression."),
    usage="[OPTION]… PATTERN PATH…",
    configure=configure,
    run=run,
)
