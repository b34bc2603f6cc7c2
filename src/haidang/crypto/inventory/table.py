"""The inventory on a terminal: what is to be done first, then which algorithms are in use, then everything.

Names come from certificates and files and are untrusted: they pass :func:`haidang.plaintext.neutralise`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.crypto.inventory.words import (
    KINDS,
    SEVERITIES,
    algorithm_rows,
    by_place,
    ends_text,
    protection_text,
)
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from haidang.crypto.inventory.model import Concern, Inventory
    from haidang.i18n import Translator

__all__ = ["print_inventory"]

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
_ROWS = 200


def print_inventory(inventory: Inventory, console: Console, translate: Translator, *, every: bool) -> None:
    """Print an inventory.

    Args:
        inventory: what was found and judged.
        console: where to.
        translate: the reader's language.
        every: whether assets without a concern, and concerns that are only to be known, are listed too.
    """
    _ = translate
    counts = ", ".join(
        f"{sum(one.kind == kind for one in inventory.assets)} × {_(word)}"
        for kind, word in KINDS.items()
        if any(one.kind == kind for one in inventory.assets)
    )
    files = _.ngettext("{n} file looked at", "{n} files looked at", inventory.files).format(n=inventory.files)
    nothing = _("no keys, certificates or signatures")
    console.print(f"{files}: {counts or nothing}", highlight=False)
    shown = [one for one in inventory.concerns if every or one.severity != "note"]
    _print_todo(by_place(shown), console, translate)
    hidden = len(by_place(inventory.concerns)) - len(by_place(shown))
    if hidden:
        said = _.ngettext(
            "{n} more point is only to be known; --all shows it.",
            "{n} more points are only to be known; --all shows them.",
            hidden,
        )
        console.print(said.format(n=hidden), highlight=False)
    columns = (_("Algorithm"), _("Times"), _("Strength"), _("Quantum computer"), _("Standard"))
    _table(console, _("Algorithms"), columns, algorithm_rows(inventory.assets, translate), translate)
    if every:
        everything = [
            (
                _(KINDS[one.kind]),
                neutralise(one.name),
                neutralise(one.algorithm),
                ends_text(one),
                protection_text(one, translate),
                neutralise(one.where),
            )
            for one in inventory.assets
        ]
        columns_all = (_("Kind"), _("Whose"), _("Algorithm"), _("Ends"), _("Locked with"), _("File"))
        _table(console, _("Everything"), columns_all, everything, translate)
    for path, reason in inventory.unread:
        console.print(
            _("Not read: {path} ({reason})").format(path=neutralise(path), reason=neutralise(reason)),
            highlight=False,
            markup=False,
        )


def _print_todo(
    concerns: Sequence[tuple[Concern, list[str]]], console: Console, translate: Translator
) -> None:
    """Print what is to be done: a line for what it is, and one for whose and where."""
    from rich.text import Text

    _ = translate
    if not concerns:
        console.print(_("Nothing must be done now."), highlight=False)
        return
    console.print()
    console.print(Text(_("To do"), style="bold"))
    width = max(len(_(word)) for word in SEVERITIES.values())
    for one, places in concerns[:_ROWS]:
        line = Text(f"{_(SEVERITIES[one.severity]):<{width}}", style=_STYLES[one.severity])
        line.append(f"  {one.due.isoformat() if one.due else '':<10}  ", style="default not bold")
        line.append(neutralise(one.message.said(translate)), style="default not bold")
        console.print(line, soft_wrap=True, crop=False)
        whose = neutralise(one.asset.name) or _(KINDS[one.asset.kind])
        where = Text(f"{'':<{width + 14}}{whose}: {neutralise(places[0])}", style="dim")
        if len(places) > 1:
            more = _.ngettext(" and {n} more file", " and {n} more files", len(places) - 1)
            where.append(more.format(n=len(places) - 1))
        console.print(where, soft_wrap=True, crop=False)
    if len(concerns) > _ROWS:
        _print_rest(console, len(concerns) - _ROWS, translate)


def _print_rest(console: Console, count: int, translate: Translator) -> None:
    console.print(translate("… and {n} more; the HTML page and the CBOM have all.").format(n=count))


def _table(
    console: Console,
    heading: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    translate: Translator,
) -> None:
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        return
    table = Table(title=heading, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows[:_ROWS]:
        table.add_row(*(escape(cell) if isinstance(cell, str) else cell for cell in row))
    console.print()
    console.print(table)
    if len(rows) > _ROWS:
        _print_rest(console, len(rows) - _ROWS, translate)
