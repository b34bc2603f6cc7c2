"""The coverage of rules as a table, for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from haidang.detect.coverage import CORRELATION, NO_FIELD, NO_FORMAT, NO_MAP, NO_RULE, NO_SOURCE, NO_VALUE
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.detect.coverage import Covered
    from haidang.i18n import Translator
    from haidang.scanning.coverage import Coverage, LogsourceCoverage
    from haidang.sigma.ir import LogSource
    from haidang.workshop.sighting import Sighting

__all__ = ["table"]

_REASONS = {
    NO_MAP: N_("the product is not known; add a logsource map for it"),
    NO_SOURCE: N_("the product is known, but not this log source of it"),
    NO_FORMAT: N_("no format that is read gives such events"),
    NO_FIELD: N_("the logs never have the fields that are looked at"),
    NO_VALUE: N_("the logs never have the value that is looked for"),
    NO_RULE: N_("a rule that the correlation refers to cannot fire"),
}

_FEW = 8
"""Families of logs: a format that gives more of them carries others, and is named once for all. Also the most
formats that are named beside a family."""


def table(found: Coverage, seen: Sighting | None, translate: Translator, *, list_missing: bool) -> str:
    """Return the text: the sum, the log sources, what was seen of these in logs, and what has no route."""
    share = 100 * len(found.routed) / found.total if found.total else 0.0
    lines = [
        translate("{routed} of {total} rules can fire on the logs that are read ({share:.1f} %).").format(
            routed=len(found.routed), total=found.total, share=share
        ),
        "",
        *_logsources(found, seen, translate),
        "",
        translate("Any of them may also be read inside: {formats}.").format(
            formats=", ".join(sorted(_carriers(found)))
        ),
        *(() if seen is None else _summed(found, seen, translate)),
        *_missing(found, translate, each=list_missing),
    ]
    return "\n".join(lines) + "\n"


def _logsources(found: Coverage, seen: Sighting | None, translate: Translator) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [(translate("Log source"), translate("Rules"), translate("Can fire"))]
    rows += [
        (_name(one.logsource, translate), str(one.rules), str(one.routed))
        for one in found.by_logsource()
        if one.routed
    ]
    if seen is not None:
        counts = [translate("Seen"), *(_events(one, seen) for one in found.by_logsource() if one.routed)]
        rows = [(*row, count) for row, count in zip(rows, counts, strict=True)]
    carriers = _carriers(found)
    routes = [
        translate("Read as (formats)"),
        *(_routes(one, carriers) for one in found.by_logsource() if one.routed),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for (name, *figures), route in zip(rows, routes, strict=True):
        cells = [f"{name:<{widths[0]}}"]
        cells += [f"{figure:>{width}}" for figure, width in zip(figures, widths[1:], strict=True)]
        yield "  ".join([*cells, route]).rstrip()


def _events(one: LogsourceCoverage, seen: Sighting) -> str:
    # A correlation has no events of its own.
    return "–" if one.logsource == CORRELATION else str(seen.seen[one.logsource])


def _summed(found: Coverage, seen: Sighting, translate: Translator) -> Iterator[str]:
    """Yield what of the rules the logs can feed, and what of the logs no rule looks at."""
    fed = sum(one.routed for one in found.by_logsource() if seen.seen[one.logsource])
    yield ""
    yield translate("{events} events; rules on log sources that are seen in them: {fed}.").format(
        events=seen.events, fed=fed
    )
    for origin, count in seen.unneeded.most_common():
        yield "  " + translate("{origin}: {n} events at which no rule looks").format(
            origin=neutralise(origin), n=count
        )


def _carriers(found: Coverage) -> frozenset[str]:
    """Return the formats in which logs of many families may be."""
    counts = Counter(name for names in found.formats.values() for name in names)
    return frozenset(name for name, count in counts.items() if count > _FEW)


def _routes(one: LogsourceCoverage, carriers: frozenset[str]) -> str:
    """Return the families of logs, each with its formats where they have other names."""
    said = []
    for origin, formats in one.routes.items():
        own = [name for name in formats if name == origin or name not in carriers]
        told = own not in ([], [origin]) and len(own) <= _FEW
        said.append(f"{origin} ({', '.join(own)})" if told else origin)
    return "; ".join(filter(None, said))


def _missing(found: Coverage, translate: Translator, *, each: bool) -> Iterator[str]:
    groups: dict[tuple[LogSource, str], list[Covered]] = {}
    for one in found.missing:
        groups.setdefault((one.logsource, one.reason), []).append(one)
    if not groups and not found.refused:
        return
    yield ""
    yield translate("Rules that cannot fire:")
    for (logsource, reason), rules in sorted(groups.items()):
        absent = sorted({name for one in rules for name in one.fields})
        why = translate(_REASONS[reason]) + (f" ({', '.join(map(neutralise, absent))})" if absent else "")
        yield f"  {_name(logsource, translate)}: {len(rules)} – {why}"
        if each:
            yield from (f"    {neutralise(one.info.title)}  {neutralise(one.info.path)}" for one in rules)
    if found.refused:
        count = len(found.refused)
        yield "  " + translate.ngettext("{n} rule was refused", "{n} rules were refused", count).format(
            n=count
        )
        if each:
            yield from (f"    {neutralise(error.message)}" for error in found.refused)


def _name(logsource: LogSource, translate: Translator) -> str:
    if logsource == CORRELATION:
        return translate("correlations")
    return " ".join(neutralise(part) for part in logsource if part) or translate("any")
