"""``haidang stats PATH…``: what a folder of logs holds, and what is missing in it.

The work is done by :mod:`haidang.inquiry.statistics`; here are its options, and how its answer is written.
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
)
from haidang.cli._unmet import say_unmet
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]

FORMATS = ("table", "json")


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.set_defaults(command="stats")
    add_inputs(parser, translate)
    add_scope(parser, translate)
    add_answer(parser, FORMATS, _("table or json (default: table)"), translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Count and write; return the exit code.

    Raises:
        HaidangError: An option or the output is wrong.
    """
    from haidang.inquiry import statistics
    from haidang.inquiry.statistics_outputs import write_json, write_tables

    form = answer_format(args, FORMATS)
    question = ask(args, context)
    done = show_progress(question, context)
    try:
        found = statistics(question)
    finally:
        done()
    with answer_stream(args.output, context) as stream:
        if form == "json":
            write_json(stream, found)
        else:
            write_tables(stream, found, context.translate, width=shown_width(context, args.output))
    for host in question.unmet_hosts():
        say_unmet(context, context.translate("Nothing fits of the host {name}."), host, question.other_hosts)
    return end(question.reports, context, told=form == "table")


COMMAND = Command(
    name="stats",
    summary=N_("Say what logs hold: sources, hosts, spans, gaps, event ids."),
    usage="[OPTION]… PATH…",
    configure=configure,
    run=run,
)
