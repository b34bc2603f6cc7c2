"""The inventory as one HTML page: no script, no network, light and dark, for the screen and for paper.

Names come from certificates and files and are untrusted: everything is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from haidang.crypto.inventory.words import (
    KINDS,
    SEVERITIES,
    algorithm_rows,
    by_place,
    ends_text,
    protection_text,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from haidang.crypto.inventory.model import Concern, Inventory
    from haidang.crypto.settings import Horizons
    from haidang.i18n import Translator

__all__ = ["to_page"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --line: #d0d7de;
  --band: #f6f8fa; --error: #b3261e; --warning: #7a4d00; --note: #57606a; --bar: #0b6e75; --mark: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b3; --paper: #0d1117;
  --line: #30363d; --band: #161b22; --error: #ff8f86; --warning: #f0c060; --note: #9da7b3; --bar: #4fb8bf;
  --mark: #ff8f86; } }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 4rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
p { margin: .25rem 0; } .soft { color: var(--soft); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { background: var(--band); font-weight: 600; white-space: nowrap; }
td.file { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
td.date, td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
td.number { text-align: right; }
.error { color: var(--error); font-weight: 600; white-space: nowrap; }
.warning { color: var(--warning); font-weight: 600; white-space: nowrap; }
.note { color: var(--note); white-space: nowrap; }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none; }
.tiles li { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem 1rem; min-width: 7rem; }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.2; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; }
svg rect { fill: var(--bar); } svg line { stroke: var(--mark); stroke-dasharray: 4 3; }
svg text.mark { fill: var(--mark); }
summary { cursor: pointer; font-weight: 600; }
@media print { body { max-width: none; } details > * { display: block; } }
"""


def to_page(inventory: Inventory, horizons: Horizons, translate: Translator, *, now: dt.datetime) -> str:
    """Return the page."""
    _ = translate
    title = _("Keys, certificates and algorithms in use")
    concerns = [one for one, _places in by_place(inventory.concerns)]
    counted = [
        (sum(one.severity == severity for one in concerns), _(word), severity)
        for severity, word in SEVERITIES.items()
    ]
    tiles = "".join(f'<li><b class="{mark}">{n}</b>{escape(word)}</li>' for n, word, mark in counted)
    files = _.ngettext("{n} file looked at", "{n} files looked at", inventory.files).format(n=inventory.files)
    parts = [
        f'<!doctype html>\n<html lang="{translate.lang}">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(now.isoformat(timespec="minutes"))} · {escape(files)}</p>',
        f'<ul class="tiles">{tiles}</ul>',
        _ends(inventory, horizons, translate, now),
        _todo(inventory, translate),
        _algorithms(inventory, translate),
        _everything(inventory, translate),
        _unread(inventory, translate),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(filter(None, parts))


def _todo(inventory: Inventory, translate: Translator) -> str:
    _ = translate
    concerns = by_place(inventory.concerns)
    grave = [one for one in concerns if one[0].severity != "note"]
    light = [one for one in concerns if one[0].severity == "note"]

    def rows(concerns: Iterable[tuple[Concern, list[str]]]) -> list[str]:
        return [
            f'<td class="{one.severity}">{escape(_(SEVERITIES[one.severity]))}</td>'
            f'<td class="date">{one.due.isoformat() if one.due else ""}</td>'
            f"<td>{escape(one.message.said(translate))}</td>"
            f"<td>{escape(one.asset.name or _(KINDS[one.asset.kind]))}</td>"
            f'<td class="file">{"<br>".join(map(escape, places))}</td>'
            for one, places in concerns
        ]

    columns = (_("Urgency"), _("By"), _("What"), _("Whose"), _("File"))
    nothing = _("Nothing must be done now.")
    shown = _table(columns, rows(grave)) if grave else f"<p>{escape(nothing)}</p>"
    more = ""
    if light:
        said = _.ngettext(
            "{n} point that is only to be known", "{n} points that are only to be known", len(light)
        )
        summary = escape(said.format(n=len(light)))
        more = f"<details><summary>{summary}</summary>{_table(columns, rows(light))}</details>"
    heading = _("To do")
    return f"<h2>{escape(heading)}</h2>{shown}{more}"


def _algorithms(inventory: Inventory, translate: Translator) -> str:
    _ = translate
    rows = [
        f'<td>{escape(name)}</td><td class="number">{count}</td><td>{escape(strength)}</td>'
        f"<td>{escape(quantum)}</td><td>{escape(standard)}</td>"
        for name, count, strength, quantum, standard in algorithm_rows(inventory.assets, translate)
    ]
    columns = (_("Algorithm"), _("Times"), _("Strength"), _("Quantum computer"), _("Standard"))
    heading = _("Algorithms")
    return f"<h2>{escape(heading)}</h2>{_table(columns, rows)}" if rows else ""


def _everything(inventory: Inventory, translate: Translator) -> str:
    _ = translate
    rows = [
        f"<td>{escape(_(KINDS[one.kind]))}</td><td>{escape(one.name)}</td><td>{escape(one.algorithm)}</td>"
        f'<td class="date">{ends_text(one)}</td><td>{escape(protection_text(one, translate))}</td>'
        f'<td class="file">{escape(one.where)}</td>'
        for one in inventory.assets
    ]
    columns = (_("Kind"), _("Whose"), _("Algorithm"), _("Ends"), _("Locked with"), _("File"))
    heading = _("Everything")
    return f"<h2>{escape(heading)}</h2>{_table(columns, rows)}" if rows else ""


def _unread(inventory: Inventory, translate: Translator) -> str:
    if not inventory.unread:
        return ""
    items = "".join(
        f'<tr><td class="file">{escape(path)}</td><td>{escape(reason)}</td></tr>'
        for path, reason in inventory.unread
    )
    heading = escape(translate("Not read"))
    return f"<h2>{heading}</h2><table>{items}</table>"


def _table(columns: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _ends(inventory: Inventory, horizons: Horizons, translate: Translator, now: dt.datetime) -> str:
    """Return a picture of how many certificates end in which year, with the quantum horizon."""
    _ = translate
    years: dict[int, int] = {}
    ends = {
        (one.issuer, one.serial): one.ends.year
        for one in inventory.assets
        if one.kind == "certificate" and one.ends is not None
    }
    for year in ends.values():
        years[year] = years.get(year, 0) + 1
    if not years:
        return ""
    first = min(now.year, *years)
    last = max(horizons.quantum.year, *years)
    # Certificates that end never, or in the year 9999, must not make a picture that is miles wide.
    span = range(max(first, now.year - 10), min(last, now.year + 30) + 1)
    most = max(years.get(year, 0) for year in span) or 1
    width, height, step = 720, 150, 720 / len(span)
    bars, labels = [], []
    said = _("Certificates by the year in which they end")
    for index, year in enumerate(span):
        count = years.get(year, 0)
        left, tall = index * step, 100 * count / most
        if count:
            bars.append(
                f'<rect x="{left + step * 0.15:.1f}" y="{125 - tall:.1f}" width="{step * 0.7:.1f}" '
                f'height="{tall:.1f}"><title>{year}: {count}</title></rect>'
            )
            middle = left + step / 2
            bars.append(f'<text x="{middle:.1f}" y="{120 - tall:.1f}" text-anchor="middle">{count}</text>')
        if len(span) <= 16 or year % 5 == 0:
            labels.append(f'<text x="{left + step / 2:.1f}" y="143" text-anchor="middle">{year}</text>')
    at = (horizons.quantum.year - span[0]) * step
    horizon = escape(_("quantum horizon"))
    line = (
        f'<line x1="{at:.1f}" y1="12" x2="{at:.1f}" y2="127"/>'
        f'<text class="mark" x="{at - 4:.1f}" y="12" text-anchor="end">{horizon}</text>'
        if 0 <= at <= width
        else ""
    )
    return (
        f"<h2>{escape(said)}</h2>"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(said)}">'
        f"{''.join(bars)}{''.join(labels)}{line}</svg>"
    )
