"""``haidang rules tune``: from findings that people call false, proposes filters that keep every true one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.cli._arguments import counting
from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._rule_options import chosen_rules, rule_options
from haidang.errors import ConfigurationError, OutputError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator
    from haidang.sigma.ir import EventRule
    from haidang.workshop.tuning import Proposal
    from haidang.workshop.verdicts import Judged

__all__ = ["COMMAND"]

_MOST_SHOWN = 5


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    group = parser.add_argument_group(translate("Inputs"))
    group.add_argument(
        "findings",
        metavar="FINDINGS",
        nargs="*",
        help=translate("findings as NDJSON, which --verdicts judges; best scanned with --full-event"),
    )
    group.add_argument(
        "--verdicts",
        metavar="FILE",
        help=translate("CSV file with the columns id and verdict (true or false)"),
    )
    for name, text in (
        ("--true", translate("findings as NDJSON, all of which are true and must stay (repeatable)")),
        ("--false", translate("findings as NDJSON, all of which are false and should go (repeatable)")),
    ):
        group.add_argument(name, metavar="FILE", action="append", default=[], help=text)
    rule_options(parser.add_argument_group(translate("Rules")), translate)
    tuning = parser.add_argument_group(translate("Proposal"))
    tuning.add_argument(
        "--rule", metavar="RULE", help=translate("only for this rule: its id or title (default: all)")
    )
    tuning.add_argument(
        "--max-fields",
        metavar="N",
        type=counting(translate),
        default=3,
        help=translate("fields in one selection (default: 3)"),
    )
    tuning.add_argument(
        "--max-selections",
        metavar="N",
        type=counting(translate),
        default=3,
        help=translate("selections in one filter (default: 3)"),
    )
    tuning.add_argument(
        "--output", metavar="FILE", help=translate("write the filters to FILE, which must not exist")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Write a filter for each rule with false findings; 1 where none can be proposed.

    Raises:
        ConfigurationError: An option or a rule path is wrong.
        InputError: A file of findings or verdicts cannot be read.
        OutputError: The filters cannot be written.
    """
    translate = context.translate
    if bool(args.findings) is not bool(args.verdicts) or not (args.false or args.verdicts):
        raise ConfigurationError(
            translate("Give --false (and --true), or findings with --verdicts."),
            hint=translate("See {command} --help.").format(command="haidang rules tune"),
        )
    from haidang.limits import DEFAULT_LIMITS
    from haidang.workshop.verdicts import read_verdicts

    verdicts = read_verdicts(args.true, args.false, args.findings, args.verdicts, DEFAULT_LIMITS)
    for problem in verdicts.problems:
        context.say(neutralise(problem))
    ruleset = chosen_rules(args)
    rules = {rule.info.id: rule for rule in ruleset.event_rules() if rule.info.id}
    texts = []
    for rule_id in sorted({one.rule_id for one in verdicts.false}):
        false = [one for one in verdicts.false if one.rule_id == rule_id]
        true = [one for one in verdicts.true if one.rule_id == rule_id]
        if args.rule and args.rule.lower() not in {rule_id.lower(), false[0].rule_title.lower()}:
            continue
        text = _filter(args, context, rules.get(rule_id), true, false)
        if text:
            texts.append(text)
    if not texts:
        context.say(translate("No filter can be proposed."))
        return 1
    _write(args.output, "---\n".join(texts), context)
    return 0


def _filter(
    args: argparse.Namespace,
    context: Context,
    rule: EventRule | None,
    true: list[Judged],
    false: list[Judged],
) -> str:
    """Return the filter for one rule, "" where there is none, and say on standard error what it does."""
    from datetime import UTC, datetime

    from haidang.workshop.tuning import confirmed, propose

    translate = context.translate
    title = neutralise(false[0].rule_title)
    if rule is None:
        context.say(translate("{rule}: not among the rules, or a correlation; no filter").format(rule=title))
        return ""
    found = propose(true, false, most_selections=args.max_selections, most_fields=args.max_fields)
    if not found.selections:
        context.say(
            translate("{rule}: every false finding looks like a true one; no filter").format(rule=title)
        )
        return ""
    today = datetime.fromtimestamp(context.now() / 1e9, UTC).date().isoformat()
    text = found.as_yaml(rule.logsource, today)
    if not confirmed(text, true, found):
        context.say(translate("{rule}: the filter would not do what it should; no filter").format(rule=title))
        return ""
    _account(found, title, context)
    return text


def _account(found: Proposal, title: str, context: Context) -> None:
    translate = context.translate
    text = translate("{rule}: drops {dropped} of {false} false findings, keeps all of {true} true ones.")
    context.say(
        text.format(
            rule=title,
            dropped=len(found.dropped),
            false=len(found.dropped) + len(found.left),
            true=found.kept,
        )
    )
    if not found.kept:
        context.say("  " + translate("No finding is known to be true: look at the filter with care."))
    for one in found.dropped[:_MOST_SHOWN]:
        values = ", ".join(f"{key}={one.event[key]!r}" for key in _shown(found, one.event))
        context.say(neutralise(f"  - {one.id[:12]}  {values}")[:200])
    more = len(found.dropped) - _MOST_SHOWN
    if more > 0:
        context.say("  " + translate("… and {n} more").format(n=more))


def _shown(found: Proposal, event: dict[str, Any]) -> list[str]:
    """Return the fields by which a finding is known again: those of the filter, then what tells most."""
    from haidang.workshop.tuning import TELLING

    filtered = [trait.field for traits in found.selections for trait in traits]
    names = dict.fromkeys((*filtered, *TELLING, *event))
    return [name for name in names if name in event][:_MOST_SHOWN]


def _write(path: str | None, text: str, context: Context) -> None:
    if path is None:
        context.answer(text)
        return
    try:
        with Path(path).open("xb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None


COMMAND = Command(
    name="rules tune",
    summary=N_("Propose filters that drop false findings and keep every true one."),
    usage="[OPTION]… [FINDINGS…]",
    configure=configure,
    run=run,
)
