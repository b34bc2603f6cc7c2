"""``haidang search PATTERN PATH…``: the events of any format in which a text or an expression occurs.

The work is done by :mod:`haidang.inquiry.searching`; here are its options, and how its answer is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._inquiry import (
    add_answer,
    add_inputs,
    add_scope,
    answer_stream,
    ask,
    end,
    show_progress,
    shown_width,
)
from haidang.cli._scan_options import counting
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]

EPILOG = N_(
    """Examples:
  haidang search mimikatz logs/ -i
  haidang search --regex 'enc(oded)?\\s' logs/ --field CommandLine -i"""
)
FORMATS = ("lines", "ndjson", "count")


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
        parser, FORMATS, _("lines, ndjson (whole events) or count (default: lines)"), translate
    )
    outputs.add_argument("--limit", metavar="N", type=counting(_), help=_("stop after N events"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Search and write; return the exit code.

    Raises:
        HaidangError: An option, the expression or the output is wrong.
    """
    from haidang.inquiry import Pattern, search
    from haidang.inquiry.search_outputs import write_count, write_lines, write_ndjson

    question = ask(args, context)
    pattern = Pattern(args.pattern, tuple(args.field), regex=args.regex, ignore_case=args.ignore_case)
    width = shown_width(context, args.output)
    # Lines that scroll by on the same terminal would tear the progress line.
    done = show_progress(question, context) if width is None else lambda: None
    found = search(question, pattern)
    try:
        with answer_stream(args.output, context) as stream:
            if args.format == "ndjson":
                write_ndjson(stream, found, most=args.limit)
            elif args.format == "count":
                write_count(stream, found, most=args.limit)
            else:
                write_lines(stream, found, most=args.limit, width=width)
    finally:
        done()
    return end(question.reports, context)


COMMAND = Command(
    name="search",
    summary=N_("Find events by a text or a regular expression."),
    usage="[OPTION]… PATTERN PATH…",
    configure=configure,
    run=run,
)
