"""``haidang rules explain``: why a rule fires on an event, or a correlation on a log, or does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._rule_options import rule_options
from haidang.cli.rules._options import chosen_format, format_option
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from haidang.i18n import Translator
    from haidang.workshop.correlated import Correlated
    from haidang.workshop.explaining import Branch, Explained, ItemSaid

__all__ = ["COMMAND", "FORMATS"]

FORMATS = ("text", "json")
_MOST_VALUES = 5
_GREEN, _RED, _BOLD, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    group = parser.add_argument_group(translate("Arguments"))
    group.add_argument("rule", metavar="RULE", help=translate("a rule: its file, id, name or title"))
    group.add_argument(
        "event",
        metavar="EVENT",
        help=translate(
            "the event: a log (its first event; of correlations all), LOG#RECORD, or - for standard input"
        ),
    )
    group.add_argument(
        "--input-format",
        metavar="FORMAT",
        help=translate("read every file as FORMAT (see haidang formats)"),
    )
    rule_options(parser.add_argument_group(translate("Rules")), translate)
    output = parser.add_argument_group(translate("Outputs"))
    format_option(output, translate("text for people, json for programs"), "text")


def run(args: argparse.Namespace, context: Context) -> int:
    """Write the explanation.

    Raises:
        ConfigurationError: An option is wrong, or there is no such rule.
        InputError: There is no such event.
        RuleError: The correlation cannot be supported.
    """
    form = chosen_format(args.format, FORMATS, context, "haidang rules explain")
    from haidang.detect.origins import Recogniser
    from haidang.sigma.ir import CorrelationRule
    from haidang.sigma.loading import BUILTIN_RULES
    from haidang.sigma.logsource import load_maps
    from haidang.workshop.choosing import choose_rule
    from haidang.workshop.explaining import explain
    from haidang.workshop.reading import event_at

    paths = [*args.rules, *([str(BUILTIN_RULES)] if args.builtin else [])]
    maps = load_maps(args.logsource_map)
    one, rule, written = choose_rule(
        args.rule, paths, pipelines=args.pipeline, placeholders=args.placeholders
    )
    recognise = Recogniser((m.origin, names) for m in maps for names in m.recognise).origin
    text = _Text(context.translate, colour=context.stdout.isatty() and not context.environ.get("NO_COLOR"))
    if isinstance(rule, CorrelationRule):
        from haidang.cli.rules._correlation_json import correlation_document
        from haidang.workshop.correlating import explain_correlation
        from haidang.workshop.reading import events_of

        events = events_of(args.event, recognise, input_format=args.input_format)
        lang = "en" if form == "json" else context.translate.lang
        correlated = explain_correlation(one, rule, written, events, maps, lang=lang)
        lines, document = text.of_correlation(correlated), correlation_document(correlated)
    else:
        found = event_at(args.event, recognise, input_format=args.input_format)
        explained = explain(one, rule, written, found, maps)
        lines, document = text.lines(explained), _document(explained)
    if form == "json":
        import json

        context.answer(json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n")
    else:
        context.answer("".join(f"{line}\n" for line in lines))
    return 0


class _Text:
    """An explanation for people."""

    def __init__(self, translate: Translator, *, colour: bool) -> None:
        self._translate = translate
        self._colour = colour

    def lines(self, one: Explained) -> Iterator[str]:
        from haidang.findings.words import rule_title

        _ = self._translate
        info = one.rule.info
        rule, event, looked = _("Rule"), _("Event"), _("Looked at")
        condition, verdict = _("Condition"), _("Verdict")
        title = self._bold(neutralise(rule_title(info, _.lang)))
        yield f"{rule}: {title}  {neutralise(f'{info.path}:{info.line}')}"
        yield f"{event}: {neutralise(f'{one.event.path}#{one.event.record}')}  ({one.event.origin})"
        yield f"{self._mark(holds=one.way.reached)} {looked}: {neutralise(one.way.message.text(_))}"
        for selection in one.selections:
            yield ""
            word = _("holds") if selection.holds else _("does not hold")
            yield f"{self._mark(holds=selection.holds)} {self._bold(neutralise(selection.name))}: {word}"
            indent = "    "
            if not selection.every and len(selection.items) > 1:
                either = _("one of these")
                yield f"{indent}{self._mark(holds=selection.holds)} {either}"
                indent += "    "
            for item in selection.items:
                yield from self._item(item, indent)
        for words, branch in one.conditions:
            yield ""
            yield f"{condition}: {neutralise(words)}"
            yield from self._branch(branch, "    ")
        yield ""
        if one.filtered:
            yield _("A filter of the ruleset leaves this event out.")
        said = _("the rule fires on this event") if one.fires else _("the rule does not fire on this event")
        yield f"{self._mark(holds=one.fires)} {verdict}: {self._bold(said)}"

    def of_correlation(self, one: Correlated) -> Iterator[str]:
        from haidang.cli.rules._correlation_text import CorrelationText

        return CorrelationText(
            self._translate, lambda holds: self._mark(holds=bool(holds)), self._bold
        ).lines(one)

    def _item(self, item: ItemSaid, indent: str) -> Iterator[str]:
        _ = self._translate
        mark = self._mark(holds=item.holds)
        if len(item.parts) == 1:
            yield from self._item(item.parts[0], indent)
            return
        if item.parts:
            words = _("all of these") if item.every else _("one of these")
            yield f"{indent}{mark} {words}"
            for part in item.parts:
                yield from self._item(part, indent + "    ")
            return
        several = len(item.held) + len(item.failed) > 1
        test = "" if several else f" {item.test}"
        name = item.field or _("keyword")
        yield f"{indent}{mark} {neutralise(name + test)}"
        if item.field:
            value = _("nothing") if item.value is None else _as_in_rules(item.value)
            named = "" if item.sources == (item.field,) else f" ({', '.join(item.sources)})"
            where = _("in the event")
            yield neutralise(f"{indent}    {where}{named}: {value}")
        if several:
            yield from self._values(item, indent + "    ")

    def _values(self, item: ItemSaid, indent: str) -> Iterator[str]:
        """Yield the values that decide: those that hold of an "or", those that do not of an "and"."""
        _ = self._translate
        if item.every:
            shown, mark = item.failed or item.held, self._mark(holds=not item.failed)
        else:
            shown, mark = item.held or item.failed, self._mark(holds=bool(item.held))
        for words in shown[:_MOST_VALUES]:
            yield f"{indent}{mark} {neutralise(words)}"
        more = len(shown) - _MOST_VALUES
        if more > 0:
            yield indent + _("… and {n} more").format(n=more)

    def _branch(self, branch: Branch, indent: str) -> Iterator[str]:
        yield f"{indent}{self._mark(holds=branch.holds)} {neutralise(branch.word)}"
        for part in branch.parts:
            yield from self._branch(part, indent + "    ")

    def _mark(self, *, holds: bool) -> str:
        mark = "✓" if holds else "✗"
        return f"{_GREEN if holds else _RED}{mark}{_PLAIN}" if self._colour else mark

    def _bold(self, text: str) -> str:
        return f"{_BOLD}{text}{_PLAIN}" if self._colour else text


def _as_in_rules(value: Any) -> str:
    """Return a value as the tests beside it are written: texts in quotes, their backslashes as they are."""
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, list):
        return f"[{', '.join(map(_as_in_rules, value))}]"
    return repr(value)


def _document(one: Explained) -> dict[str, Any]:
    info = one.rule.info
    return {
        "rule": {"id": info.id, "title": info.title, "path": info.path, "line": info.line},
        "event": {"path": one.event.path, "record": one.event.record, "origin": one.event.origin},
        "logsource": one.logsource._asdict(),
        "reached": one.way.reached,
        "way": one.way.message.text(),
        "selections": [
            {
                "name": selection.name,
                "holds": selection.holds,
                "all": selection.every,
                "items": [_item_document(item) for item in selection.items],
            }
            for selection in one.selections
        ],
        "conditions": [{"text": text, "tree": _branch_document(branch)} for text, branch in one.conditions],
        "filtered": one.filtered,
        "fires": one.fires,
    }


def _item_document(item: ItemSaid) -> dict[str, Any]:
    if item.parts:
        return {
            "all": item.every,
            "holds": item.holds,
            "items": [_item_document(part) for part in item.parts],
        }
    return {
        "field": item.field,
        "sources": list(item.sources),
        "value": item.value,
        "test": item.test,
        "all": item.every,
        "holds": item.holds,
        "held": list(item.held),
        "failed": list(item.failed),
    }


def _branch_document(branch: Branch) -> dict[str, Any]:
    document: dict[str, Any] = {"word": branch.word, "holds": branch.holds}
    return (
        {**document, "parts": [_branch_document(part) for part in branch.parts]} if branch.parts else document
    )


COMMAND = Command(
    name="rules explain",
    summary=N_("Say why a rule fires on an event, or a correlation on a log, or does not."),
    usage="[OPTION]… RULE EVENT",
    configure=configure,
    run=run,
)
