"""The explanation of a correlation for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.events.times import format_time
from haidang.findings.words import rule_title
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.i18n import Translator
    from haidang.workshop.correlated import Correlated, GroupSaid, HitSaid, LeftOut, RuleSaid

__all__ = ["CorrelationText"]

_MOST_GROUPS = 5
_MOST_PATHS = 3
_MOST_HITS = 10
_MOST_OF_A_RULE = 3
_LEFT_OUT = {
    "no-time": N_("hits that do not count: {number}; they have no time (the first: {place})"),
    "no-group-field": N_(
        "hits that do not count: {number}; {fields}, by which it groups, is missing (the first: {place})"
    ),
    "no-value": N_(
        "hits that do not count: {number}; {fields}, which it measures, is missing (the first: {place})"
    ),
}


class CorrelationText:
    """Lines for the terminal; ``mark`` and ``bold`` colour them."""

    def __init__(
        self, translate: Translator, mark: Callable[[object], str], bold: Callable[[str], str]
    ) -> None:
        """Speak by way of ``translate``."""
        self._translate = translate
        self._mark = mark
        self._bold = bold

    def lines(self, one: Correlated) -> Iterator[str]:
        """Yield the lines of an explanation."""
        _ = self._translate
        info = one.rule.info
        rule, events, asked = _("Rule"), _("Events"), _("Asked for")
        title = self._bold(neutralise(rule_title(info, _.lang)))
        yield f"{rule}: {title}  {neutralise(f'{info.path}:{info.line}')}"
        paths = ", ".join(one.paths[:_MOST_PATHS]) + (", …" if len(one.paths) > _MOST_PATHS else "")
        yield f"{events}: {one.events}  ({neutralise(paths)})"
        if one.cut:
            yield _("There are more hits than can be looked at; what follows is of the first of them.")
        yield f"{asked}: {neutralise(_asked(one, _))}"
        yield ""
        for said in one.rules:
            yield from self._rule(said)
        for left in one.left_out:
            yield f"{self._mark(None)} {neutralise(self._left_out(left))}"
        for group in one.groups[:_MOST_GROUPS]:
            yield from self._group(one, group)
        more = len(one.groups) - _MOST_GROUPS
        if more > 0:
            yield ""
            yield _("… and {n} more groups").format(n=more)
        yield ""
        fires = one.fires
        told = _("the correlation does not fire on these events")
        if fires:
            told = _.ngettext(
                "the correlation fires on these events: {n} finding",
                "the correlation fires on these events: {n} findings",
                fires,
            ).format(n=fires)
        verdict = _("Verdict")
        yield f"{self._mark(fires)} {verdict}: {self._bold(told)}"

    def _rule(self, said: RuleSaid) -> Iterator[str]:
        _ = self._translate
        template = (
            N_("moments at which it holds: {number}; groups that it looks at: {looked}")
            if said.info.correlation
            else N_("events of its log source: {looked}; of these it holds in {number}")
        )
        words = _(template).format(number=len(said.hits), looked=said.looked)
        title = neutralise(rule_title(said.info, _.lang))
        yield f"{self._mark(said.hits)} {self._bold(title)}: {words}"
        if not said.hits:
            name = said.info.id or said.info.name or said.info.title
            hint = _("see why not: haidang rules explain {rule} EVENT").format(rule=name)
            yield f"    {neutralise(hint)}"

    def _left_out(self, left: LeftOut) -> str:
        values = {"number": left.count, "fields": ", ".join(left.fields), "place": _place(left.first)}
        return self._translate(_LEFT_OUT[left.reason]).format(**values)

    def _group(self, one: Correlated, group: GroupSaid) -> Iterator[str]:
        _ = self._translate
        word, window, found = _("Group"), _("Window"), _("Found")
        yield ""
        mark = self._mark(group.fires)
        values = ", ".join(f"{name} = {value!r}" for name, value in group.values.items())
        told = neutralise(values or _("all events together"))
        hits = _.ngettext("{n} hit", "{n} hits", group.hits).format(n=group.hits)
        findings = _.ngettext("{n} finding", "{n} findings", group.fires).format(n=group.fires)
        yield f"{mark} {word}: {self._bold(told)}  ({hits}, {findings})"
        times = [hit.time or 0 for hit in group.window]
        span = f"{format_time(times[0])} – {format_time(times[-1])}"
        note = _("where it first holds") if group.fires else _("the nearest to it")
        yield f"    {window}: {span}  ({note})"
        number = "" if group.number is None else f"{group.number:g}"
        if number:
            yield f"    {self._mark(not group.missing)} {found}: {number}"
        for message in group.missing:
            yield f"    {self._mark(None)} {neutralise(message.text(_))}"
        yield from self._hits(one, group.window)

    def _hits(self, one: Correlated, hits: Sequence[HitSaid]) -> Iterator[str]:
        _ = self._translate
        shown = _shown(hits)
        for hit in shown:
            title = rule_title(hit.rule, _.lang)
            values = ", ".join(
                f"{name} = {value!r}"
                for name, value in zip(one.correlation.value_fields, hit.measured, strict=True)
            )
            parts = (format_time(hit.time or 0), _place(hit), title, values)
            yield f"        {neutralise('  '.join(part for part in parts if part))}"
        more = len(hits) - len(shown)
        if more > 0:
            yield "        " + _("… and {n} more").format(n=more)


def _shown(hits: Sequence[HitSaid]) -> list[HitSaid]:
    """Return all hits of a window, or the first of each rule and the last one where there are many."""
    if len(hits) <= _MOST_HITS:
        return list(hits)
    seen: dict[str, int] = {}
    shown: list[HitSaid] = []
    for hit in hits[:-1]:
        seen[hit.rule.key] = seen.get(hit.rule.key, 0) + 1
        if seen[hit.rule.key] <= _MOST_OF_A_RULE and len(shown) < _MOST_HITS - 1:
            shown.append(hit)
    return [*shown, hits[-1]]


def _place(hit: HitSaid) -> str:
    return f"{hit.path}#{hit.record}" if hit.path else ""


def _asked(one: Correlated, translate: Translator) -> str:
    """Return what the correlation asks for: type, condition, timespan, group-by, in the words of the rule."""
    section: dict[str, Any] = one.rule.document["correlation"]
    rule = one.correlation
    operators = " and ".join(f"{name} {bound:g}" for name, bound in rule.operators)
    condition = section["condition"] if isinstance(section.get("condition"), str) else operators
    fields = f"({', '.join(rule.value_fields)})" if rule.value_fields else ""
    percent = f" {rule.percentile:g}" if rule.type == "value_percentile" else ""
    said = f"{rule.type}{percent}{fields} {condition}".strip()
    within = translate("within {span}").format(span=section["timespan"])
    if not rule.group_by:
        return f"{said}, {within}"
    return f"{said}, {within}, " + translate("by {fields}").format(fields=", ".join(rule.group_by))
