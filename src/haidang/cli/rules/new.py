"""``haidang rules new``: drafts a rule, and its examples beside it, from events that it should fire on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.cli._arguments import counting
from haidang.cli._command import Command, CommandParser, Context
from haidang.errors import ConfigurationError, OutputError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.events.model import FileReport
    from haidang.i18n import Translator
    from haidang.workshop.drafting import Draft

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    group = parser.add_argument_group(translate("Inputs"))
    group.add_argument(
        "events",
        metavar="EVENTS",
        nargs="*",
        help=translate("logs that hold the example events and nothing else, or LOG#RECORD"),
    )
    group.add_argument(
        "--background",
        metavar="PATH",
        action="append",
        default=[],
        help=translate("logs of ordinary days, on which the rule should be quiet (repeatable)"),
    )
    group.add_argument(
        "--input-format",
        metavar="FORMAT",
        help=translate("read every file as FORMAT (see haidang formats)"),
    )
    group.add_argument(
        "--examples",
        metavar="N",
        type=counting(translate),
        default=100,
        help=translate("take at most N example events (default: 100)"),
    )
    group.add_argument(
        "--logsource-map",
        metavar="FILE",
        action="append",
        default=[],
        help=translate("your own logsource map (repeatable)"),
    )
    output = parser.add_argument_group(translate("Outputs"))
    output.add_argument("--title", metavar="TITLE", default="TODO", help=translate("the title of the rule"))
    output.add_argument(
        "--output",
        metavar="FILE",
        help=translate("write the rule to FILE (.yml) and its examples beside it; neither may exist"),
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the draft.

    Raises:
        ConfigurationError: An option is wrong.
        InputError: There is no such log, or no event in it.
        OutputError: A file cannot be written.
    """
    translate = context.translate
    if not args.events:
        raise ConfigurationError(
            translate("There is nothing to read: name a file, a folder or - (standard input)."),
            hint=translate("See {command} --help.").format(command="haidang rules new"),
        )
    if args.output and not args.output.endswith((".yml", ".yaml")):
        raise ConfigurationError(translate("{path} must end in .yml").format(path=repr(args.output)))
    found, reports = _draft(args)
    from datetime import UTC, datetime

    today = datetime.fromtimestamp(context.now() / 1e9, UTC).date().isoformat()
    rule, examples = found.rule_yaml(args.title, today), found.test_yaml()
    if args.output:
        path = Path(args.output)
        beside = path.with_name(f"{path.stem}.test{path.suffix}")
        _write({path: rule, beside: examples})
        context.say(translate("Wrote {rule} and {test}.").format(rule=path, test=beside))
    else:
        context.answer(rule)
    _account(found, reports, context)
    return 0


def _draft(args: argparse.Namespace) -> tuple[Draft, list[FileReport]]:
    from itertools import islice

    from haidang.detect.origins import Recogniser
    from haidang.sigma.logsource import load_maps
    from haidang.workshop.drafting import draft
    from haidang.workshop.reading import event_at, read_events

    maps = load_maps(args.logsource_map)
    recognise = Recogniser((m.origin, names) for m in maps for names in m.recognise).origin
    reports: list[FileReport] = []
    options: dict[str, Any] = {"input_format": args.input_format}
    single = [place for place in args.events if not Path(place).exists() and "#" in place]
    logs = [place for place in args.events if place not in single]
    events = [event_at(place, recognise, **options) for place in single]
    if logs:
        events += islice(read_events(logs, recognise, reports=reports, **options), args.examples)
    background = (
        read_events(args.background, recognise, reports=reports, **options) if args.background else ()
    )
    return draft(events, background, maps), reports


def _account(found: Draft, reports: list[FileReport], context: Context) -> None:
    translate = context.translate
    if found.background:
        text = translate("Of {count} ordinary events of the same log source, the draft fires on {hit}.")
        context.say(text.format(count=found.background, hit=found.hit))
    else:
        context.say(translate("No ordinary event was looked at: give --background to tell what is unusual."))
    for report in reports:
        for problem in report.problems.values():
            context.say(neutralise(f"{report.path}: {problem.kind} ({problem.where}): {problem.detail}"))


def _write(texts: dict[Path, str]) -> None:
    for path in texts:
        if path.exists():
            raise OutputError(f"{path}: exists already", hint="Name another file.")
    for path, text in texts.items():
        try:
            with path.open("xb") as file:
                file.write(text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None


COMMAND = Command(
    name="rules new",
    summary=N_("Draft a rule and its examples from events."),
    usage="[OPTION]… EVENTS…",
    configure=configure,
    run=run,
)
