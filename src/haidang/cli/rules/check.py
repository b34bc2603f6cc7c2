"""``haidang rules check``: says all that is wrong with rules at once, and corrects what is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli.rules._options import chosen_format, format_option, tested_rules
from haidang.errors import ConfigurationError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from haidang.i18n import Translator
    from haidang.workshop.checking import Checked

__all__ = ["COMMAND", "FORMATS"]

FORMATS = ("table", "json", "sarif")
_SEVERITIES = ("note", "warning", "error")


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    tested_rules(parser.add_argument_group(translate("Rules")), translate)
    checks = parser.add_argument_group(translate("Checks"))
    checks.add_argument(
        "--fix",
        action="store_true",
        help=translate(
            "correct white space, tags, dates, missing ids, level and status; shows the difference"
        ),
    )
    checks.add_argument(
        "--diff", action="store_true", help=translate("show what --fix would change, and change nothing")
    )
    checks.add_argument(
        "--fail-on",
        metavar="SEVERITY",
        default="error",
        help=translate("end with exit code 1 from this severity: error, warning or note (default: error)"),
    )
    checks.add_argument(
        "--ignore",
        metavar="CODE",
        action="append",
        default=[],
        help=translate("leave out a check (repeatable)"),
    )
    checks.add_argument(
        "--plugins",
        action="store_true",
        help=translate("run validators of other installed packages too; some fetch their data"),
    )
    output = parser.add_argument_group(translate("Outputs"))
    format_option(output, translate("table for people, json for programs, sarif for code forges"), "table")


def run(args: argparse.Namespace, context: Context) -> int:
    """Write what is wrong; 1 where something is as severe as ``--fail-on``.

    Raises:
        ConfigurationError: An option, a rule path or a logsource map is wrong.
        OutputError: A corrected file cannot be written.
    """
    form = chosen_format(args.format, FORMATS, context, "haidang rules check")
    chosen_format(args.fail_on, _SEVERITIES, context, "haidang rules check")
    from haidang.workshop.checking import check
    from haidang.workshop.checks import checks

    unknown = [code for code in args.ignore if code not in checks()]
    if unknown and not args.plugins:
        raise ConfigurationError(context.translate("There is no check {name}.").format(name=unknown[0]))

    def checked() -> Checked:
        return check(
            args.paths,
            regression=args.regression,
            plugins=args.plugins,
            pipelines=args.pipeline,
            placeholders=args.placeholders,
            logsource_maps=args.logsource_map,
            ignore=args.ignore,
        )

    found = checked()
    if not found.rules:
        # A check in continuous integration that looks at the wrong folder must not pass.
        raise ConfigurationError(
            context.translate("{paths}: there is no rule").format(paths=", ".join(args.paths)),
            hint=context.translate("Give a rule file, a folder or a zip of rules."),
        )
    if (args.fix or args.diff) and _fixed(found, context, write=args.fix):
        found = checked()
    for code, failed in sorted(found.not_run.items()):
        said = context.translate.ngettext(
            "{name} could not judge {n} rule: {reason}",
            "{name} could not judge {n} rules: {reason}",
            failed.rules,
        )
        context.say(neutralise(said.format(name=code, n=failed.rules, reason=failed.reason)))
    context.answer(_written(found, form, context.translate))
    return int(found.at_least(args.fail_on))


def _fixed(found: Checked, context: Context, *, write: bool) -> bool:
    """Show what is corrected on standard error, and write it; return whether something was written."""
    from haidang.workshop.fixing import corrected, difference, write_back

    wrote = False
    for path in dict.fromkeys(issue.path for issue in found.issues if issue.fixable):
        before = found.files[path]
        after, _ = corrected(before)
        if after == before:
            continue
        for line in difference(path, before, after):
            context.say(neutralise(line))
        if write:
            write_back(path, after)
            wrote = True
    return wrote


def _written(found: Checked, form: str, translate: Translator) -> str:
    import json

    if form == "table":
        return "".join(f"{line}\n" for line in _table(found, translate))
    if form == "sarif":
        from haidang.workshop.sarif import as_sarif

        return json.dumps(as_sarif(found.issues), ensure_ascii=False, indent=1) + "\n"
    document = {
        "rules": found.rules,
        "issues": [
            {
                "code": issue.code,
                "severity": issue.severity,
                "message": issue.message.text(),
                "path": issue.path,
                "line": issue.line,
                "rule": {"id": issue.rule_id, "title": issue.rule},
                "fixable": issue.fixable,
            }
            for issue in found.issues
        ],
        "not_run": [
            {"code": code, "rules": failed.rules, "reason": failed.reason}
            for code, failed in sorted(found.not_run.items())
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _table(found: Checked, translate: Translator) -> Iterator[str]:
    from haidang.findings.details import detail

    words = {"error": translate("error"), "warning": translate("warning"), "note": translate("note")}
    for issue in found.issues:
        place = f"{issue.path}:{issue.line}" if issue.line else issue.path
        values = {
            key: translate(value)
            if key == "summary"
            else detail(value, translate)
            if key == "reason"
            else value
            for key, value in issue.message.values.items()
        }
        text = issue.message._replace(values=values).text(translate)
        yield neutralise(f"{place}: {words[issue.severity]}: {text} [{issue.code}]")
    counts = {word: sum(issue.severity == word for issue in found.issues) for word in words}
    yield translate("{rules} rules: {errors} errors, {warnings} warnings, {notes} notes.").format(
        rules=found.rules, errors=counts["error"], warnings=counts["warning"], notes=counts["note"]
    )
    fixable = sum(issue.fixable for issue in found.issues)
    if fixable:
        yield translate.ngettext(
            "{n} of these can be corrected with --fix.", "{n} of these can be corrected with --fix.", fixable
        ).format(n=fixable)


COMMAND = Command(
    name="rules check",
    summary=N_("Say what is wrong with rules, and correct what is safe to correct."),
    usage="[OPTION]… [PATH]…",
    configure=configure,
    run=run,
)
