"""Where a rule looks: whether anything that is read gets there, and whether its fields are there."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from haidang.detect.coverage import NO_FIELD, NO_FORMAT, NO_MAP, NO_RULE, NO_SOURCE, NO_VALUE, cover
from haidang.i18n import N_
from haidang.scanning.coverage import formats_by_origin
from haidang.workshop.checks import WARNING, Check
from haidang.workshop.checks._places import field_places
from haidang.workshop.known_fields import KnownFields, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.sigma.ir import LogSource
    from haidang.workshop.checks import Issue, Pack, Subject

__all__ = ["CHECKS", "run"]

NO_ROUTE = Check("no-route", WARNING, N_("nothing that is read leads to the rule"))
UNKNOWN_FIELD = Check("unknown-field", WARNING, N_("the log source does not have this field"))
MISSPELT = Check("logsource-spelling", WARNING, N_("the log source is not known, and like one that is"))
CHECKS = (NO_ROUTE, UNKNOWN_FIELD, MISSPELT)

_REASONS = {
    NO_MAP: N_("the rule cannot fire: its product is not known; add a logsource map for it"),
    NO_SOURCE: N_("the rule cannot fire: this log source of the product is not known"),
    NO_FORMAT: N_("the rule cannot fire: no format that is read gives events of its log source"),
    NO_FIELD: N_("the rule cannot fire: the events of its log source never have {fields}"),
    NO_VALUE: N_("the rule cannot fire: its log source never has the value that it looks for"),
    NO_RULE: N_("the correlation cannot fire: a rule that it refers to cannot"),
}


_UNKNOWN = frozenset({NO_MAP, NO_SOURCE})
_MEANT = N_("the rule cannot fire: its log source is not known; is {meant} meant?")


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each rule without a route, and for each field that is not there."""
    joined = pack.written.joined
    if joined is None:
        return
    formats = formats_by_origin(pack.maps)
    for covered in cover(joined.rules, joined.correlations, pack.maps, formats):
        subject = pack.by_key.get(covered.info.key)
        if subject is not None and not covered.routes:
            place = ("correlation",) if covered.info.correlation else ("logsource",)
            meant = _meant(covered.logsource, pack) if covered.reason in _UNKNOWN else ""
            template = _MEANT if meant else _REASONS[covered.reason]
            yield subject.issue(NO_ROUTE, place, template, fields=", ".join(covered.fields), meant=meant)
    known = KnownFields(pack.maps)
    names = {part: _names(pack, part) for part in ("category", "service")}
    for subject in pack.subjects:
        yield from _fields(subject, known)
        yield from _spelling(subject, names)


def _meant(logsource: LogSource, pack: Pack) -> str:
    """Return the log source of a map that a misspelt one is like, "" where none is."""
    known = {_said(entry.logsource) for one in pack.maps for entry in one.entries}
    return next(iter(difflib.get_close_matches(_said(logsource), known, n=1, cutoff=0.85)), "")


def _said(logsource: LogSource) -> str:
    return " ".join(part for part in logsource if part)


def _names(pack: Pack, part: str) -> frozenset[str]:
    found = {getattr(entry.logsource, part) for one in pack.maps for entry in one.entries}
    return frozenset(name for name in found if name)


def _spelling(subject: Subject, names: dict[str, frozenset[str]]) -> Iterator[Issue]:
    """Yield an issue for a misspelt category or service without a product.

    Such a rule has a route all the same: events of which nothing is known are looked at by it.
    """
    if subject.rule is None or subject.rule.logsource.product:
        return
    for part, known in names.items():
        name = getattr(subject.rule.logsource, part)
        meant = difflib.get_close_matches(name, known, n=1, cutoff=0.85) if name not in known else []
        if name and meant:
            template = N_("no log source has the {part} {name}; is {meant} meant?")
            yield subject.issue(MISSPELT, ("logsource", part), template, part=part, name=name, meant=meant[0])


def _fields(subject: Subject, known: KnownFields) -> Iterator[Issue]:
    if subject.rule is None or subject.outline is None:
        return
    logsource = subject.rule.logsource
    for selection in subject.outline.selections.values():
        names = dict.fromkeys(item.field for item in selection.items() if item.field)
        for name in known.unknown(logsource, names):
            meant = nearest(name, known.of(logsource))
            template = (
                N_("events of {source} have no field {name}; is {meant} meant?")
                if meant
                else N_("events of {source} have no field {name}")
            )
            places = field_places(subject, selection.name, name)
            place = next((place for place, _ in places), ("detection", selection.name))
            yield subject.issue(
                UNKNOWN_FIELD, place, template, source=_said(logsource), name=name, meant=meant
            )
