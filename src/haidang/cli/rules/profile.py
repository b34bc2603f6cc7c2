"""``haidang rules profile``: which rules cost what on given logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._arguments import counting
from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._rule_options import chosen_rules, rule_options, selected, selection_options
from haidang.cli.rules._options import chosen_format, format_option, log_options
from haidang.errors import ConfigurationError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from haidang.i18n import Translator
    from haidang.workshop.profiling import Profile

__all__ = ["COMMAND", "FORMATS"]

FORMATS = ("table", "json")
_WIDEST_TITLE = 50


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    paths = translate("file, folder or archive with logs; - is standard input")
    log_options(parser.add_argument_group(translate("Inputs")), translate, paths)
    rule_options(parser.add_argument_group(translate("Rules")), translate)
    selection_options(parser.add_argument_group(translate("Filters")), translate)
    output = parser.add_argument_group(translate("Outputs"))
    format_option(output, translate("table for people, json for programs"), "table")
    output.add_argument(
        "--top",
        metavar="N",
        type=counting(translate),
        default=20,
        help=translate("show the N dearest rules (default: 20)"),
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the costs; 3 where some of the logs could not be read.

    Raises:
        ConfigurationError: An option, a rule path or a logsource map is wrong.
        InputError: A log does not exist.
    """
    form = chosen_format(args.format, FORMATS, context, "haidang rules profile")
    if not args.paths:
        raise ConfigurationError(
            context.translate("There is nothing to read: name a file, a folder or - (standard input)."),
            hint=context.translate("See {command} --help.").format(command="haidang rules profile"),
        )
    from haidang.workshop.profiling import profile

    ruleset = chosen_rules(args, selection=selected(args))
    found = profile(ruleset, args.paths, most_events=args.events, input_format=args.input_format)
    if form == "json":
        text = _json(found)
    else:
        text = "".join(f"{line}\n" for line in _table(found, context.translate, args.top))
    context.answer(text)
    return 0 if all(report.complete for report in found.reports) else 3


def _json(found: Profile) -> str:
    import json

    document = {
        "events": found.events,
        "rules": found.rules,
        "costs": [
            {
                "rule": {"id": cost.info.id, "title": cost.info.title, "path": cost.info.path},
                "events": cost.events,
                "looked_at": cost.looked_at,
                "held": cost.held,
                "signatures": cost.signatures,
                "condition_ns": cost.condition_ns,
                "decider_runs": cost.decider_runs,
                "decider_ns": cost.decider_ns,
                "slow_expressions": list(cost.slow_expressions),
                "anchors": [{"anchor": anchor, "events": n} for anchor, n in cost.anchors.most_common(5)],
            }
            for cost in found.costs
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _table(found: Profile, translate: Translator, top: int) -> Iterator[str]:
    from haidang.findings.words import rule_title

    head = (
        translate("Rule"),
        translate("Time"),
        translate("Conditions"),
        translate("Patterns"),
        translate("Pattern runs"),
        translate("Looked at"),
        translate("Held"),
        translate("Commonest anchor"),
    )
    rows = [head]
    for cost in found.costs[:top]:
        title = neutralise(rule_title(cost.info, translate.lang))
        share = 100 * cost.looked_at / cost.events if cost.events else 0
        anchor = cost.anchors.most_common(1)
        rows.append(
            (
                title if len(title) <= _WIDEST_TITLE else title[: _WIDEST_TITLE - 1] + "…",
                _time(cost.total_ns),
                _time(cost.condition_ns),
                _time(cost.decider_ns),
                str(cost.decider_runs),
                f"{cost.looked_at} ({share:.1f} %)",
                str(cost.held),
                neutralise(anchor[0][0]) if anchor else "–",
            )
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(head) - 1)]
    for row in rows:
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{cell:>{width}}" for cell, width in zip(row[1:-1], widths[1:], strict=True)]
        yield "  ".join([*cells, row[-1]]).rstrip()
    yield translate("{events} events; {rules} rules, {costs} of which look at such events.").format(
        events=found.events, rules=found.rules, costs=len(found.costs)
    )
    slow = [cost for cost in found.costs if cost.slow_expressions]
    if slow:
        yield translate("Regular expressions that RE2 cannot run, and that run slower:")
        for cost in slow[:top]:
            yield from (
                f"  {neutralise(rule_title(cost.info, translate.lang))}: {neutralise(one)}"
                for one in cost.slow_expressions
            )


def _time(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.2f} ms" if nanoseconds >= 10_000 else f"{nanoseconds / 1e3:.1f} µs"


COMMAND = Command(
    name="rules profile",
    summary=N_("Measure which rules cost what on given logs."),
    usage="[OPTION]… PATH…",
    configure=configure,
    run=run,
)
