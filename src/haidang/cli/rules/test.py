"""``haidang rules test``: runs the examples that stand beside rules, and SigmaHQ's regression data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli.rules._options import chosen_format, format_option, tested_rules
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from haidang.i18n import Translator
    from haidang.workshop.testing import Outcome, TestRun

__all__ = ["COMMAND", "FORMATS"]

FORMATS = ("table", "json", "junit")


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    tested_rules(parser.add_argument_group(translate("Rules")), translate)
    output = parser.add_argument_group(translate("Outputs"))
    format_option(
        output, translate("table for people, json for programs, junit for continuous integration"), "table"
    )
    output.add_argument(
        "--verbose", action="store_true", help=translate("name every example, not only failures")
    )
    output.add_argument(
        "--list-untested", action="store_true", help=translate("name the rules that have no example")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Run the examples and say what came of them; 1 where one fails.

    Raises:
        ConfigurationError: An option, a rule path or a logsource map is wrong.
    """
    form = chosen_format(args.format, FORMATS, context, "haidang rules test")
    from haidang.workshop.testing import run_tests

    found = run_tests(
        args.paths,
        regression=args.regression,
        pipelines=args.pipeline,
        placeholders=args.placeholders,
        logsource_maps=args.logsource_map,
        cache=args.cache,
    )
    if form == "junit":
        from haidang.workshop.junit import as_junit

        text = as_junit(found)
    elif form == "json":
        text = _json(found)
    else:
        lines = _table(found, context.translate, verbose=args.verbose, untested=args.list_untested)
        text = "".join(f"{line}\n" for line in lines)
    context.answer(text)
    return int(found.failed)


def _json(found: TestRun) -> str:
    import json

    document = {
        "passed": found.count("passed"),
        "failed": found.count("failed"),
        "skipped": found.count("skipped"),
        "examples": [
            {
                "rule": {"id": one.rule_id, "title": one.rule},
                "path": one.path,
                "line": one.line,
                "name": one.name,
                "status": one.status,
                "message": None if one.message is None else one.message.text(),
            }
            for one in found.outcomes
        ],
        "untested": [{"id": info.id, "title": info.title, "path": info.path} for info in found.untested],
        "refused": [
            {"rule": error.rule, "path": error.path, "line": error.line, "reason": error.reason}
            for error in found.refused
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _table(found: TestRun, translate: Translator, *, verbose: bool, untested: bool) -> Iterator[str]:
    from haidang.findings.details import detail

    words = {"passed": translate("passed"), "failed": translate("FAILED"), "skipped": translate("skipped")}
    for one in found.outcomes:
        if verbose or one.status == "failed":
            yield _line(one, words[one.status], translate)
    for error in found.refused:
        parts = (_place(error.path, error.line), error.rule, detail(error.reason, translate))
        yield f"{words['failed']}  {neutralise(': '.join(filter(None, parts)))}"
    yield translate("{passed} examples passed, {failed} failed, {skipped} skipped.").format(
        passed=found.count("passed"), failed=found.count("failed"), skipped=found.count("skipped")
    )
    if found.refused:
        n = len(found.refused)
        yield translate.ngettext("{n} rule was refused", "{n} rules were refused", n).format(n=n) + "."
    if found.untested:
        n = len(found.untested)
        yield translate.ngettext("{n} rule has no example.", "{n} rules have no example.", n).format(n=n)
        if untested:
            yield from (f"  {neutralise(info.title)}  {neutralise(info.path)}" for info in found.untested)


def _place(path: str, line: int) -> str:
    """Return where something is, as editors understand it."""
    return f"{path}:{line}" if line else path


def _line(one: Outcome, word: str, translate: Translator) -> str:
    parts = [_place(one.path, one.line), one.rule, one.name]
    if one.message is not None:
        parts.append(one.message.text(translate))
    return f"{word}  {neutralise(': '.join(filter(None, parts)))}"


COMMAND = Command(
    name="rules test",
    summary=N_("Run the examples that stand beside rules."),
    usage="[OPTION]… [PATH]…",
    configure=configure,
    run=run,
)
