"""What the page says where no script runs, as in the preview of a mail program: which rules found what.

The findings themselves are packed and need the script. This table is markup, so every text from logs, rules
or file names is escaped and made visible here.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from haidang.findings.account import files_line, rules_line
from haidang.findings.figures import number, span
from haidang.findings.hosts import machines
from haidang.findings.words import LEVEL_WORDS, rule_words
from haidang.i18n import translator
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from haidang.findings.model import ScanSummary
    from haidang.findings.tally import RuleTally, Tally
    from haidang.i18n import Translator

__all__ = ["plain_account"]

_ROWS = 500
"""Rules that are listed."""


def plain_account(tally: Tally, summary: ScanSummary, lang: str) -> bytes:
    """Return the part of the page that is shown without a script, in language ``lang``."""
    _ = translator(lang)
    rules = tally.rules()
    heads = (_("Level"), _("Rule"), _("Hits"), _("Hosts"), _("First and last (UTC)"))
    total = tally.total
    many = _.ngettext("{n} finding", "{n} findings", total).format(n=number(total, lang))
    found = many if total else _("Nothing was found.")
    rows = "".join(_row(one, summary, _) for one in rules[:_ROWS])
    left_out = len(rules) - _ROWS
    more = _("… and {n} more").format(n=number(left_out, lang))
    parts = [
        "<noscript><section class=without>",
        f"<h2>{html.escape(found)}</h2>",
        *(f"<p>{html.escape(line(summary, _))}</p>" for line in (files_line, rules_line)),
        "<table class=table><tr>"
        + "".join(f"<th scope=col>{html.escape(head)}</th>" for head in heads)
        + "</tr>",
        f"{rows}</table>",
        f"<p>{html.escape(more)}</p>" if left_out > 0 else "",
        "</section></noscript>\n",
    ]
    return "".join(parts).encode("utf-8", "backslashreplace")


def _row(found: RuleTally, summary: ScanSummary, _: Translator) -> str:
    level = found.rule.level
    hosts = number(len(machines(found.hosts)), _.lang) + ("+" if found.more_hosts else "")
    cells = (
        _(LEVEL_WORDS[level]) if level in LEVEL_WORDS else level,
        rule_words(found.rule, summary, _.lang).title,
        number(found.hits, _.lang),
        hosts,
        span(found.first, found.last) if found.first and found.last else "",
    )
    return (
        "<tr>" + "".join(f"<td><bdi>{html.escape(neutralise(cell))}</bdi></td>" for cell in cells) + "</tr>"
    )
