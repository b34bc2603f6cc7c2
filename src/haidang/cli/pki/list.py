"""``haidang pki list``: every certificate that an authority issued, with what became of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import present
from haidang.cli.pki._options import PROFILES, add_authority, authority_of
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.pki.authority import Authority
    from haidang.i18n import Translator

__all__ = ["COMMAND"]

_STATES = {
    "valid": N_("in force"),
    "ends": N_("ends soon"),
    "ended": N_("ended"),
    "revoked": N_("revoked"),
    "renewed": N_("renewed"),
}
_SOON = dt.timedelta(days=60)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_authority(parser, translate)
    group = parser.add_argument_group(_("Outputs"))
    group.add_argument("--json", action="store_true", help=_("write JSON"))


def run(args: argparse.Namespace, context: Context) -> int:
    """List them.

    Raises:
        AuthorityError: There is no authority, or it is damaged.
    """
    with authority_of(args) as authority:
        rows = _rows(authority, present(context))
    if args.json:
        context.answer_json(rows)
    else:
        context.answer(_table(rows, context))
    return 0


def _rows(authority: Authority, now: dt.datetime) -> list[dict[str, Any]]:
    certificates = authority.records.certificates()
    revoked = {one.serial: one for one in authority.records.revocations()}
    renewed = {one.replaces for one in certificates}
    rows = []
    for one in certificates:
        ends = dt.datetime.fromisoformat(one.ends)
        state = "ends" if ends - _SOON <= now else "valid"
        state = "renewed" if one.serial in renewed else state
        state = "ended" if ends <= now else state
        state = "revoked" if one.serial in revoked else state
        rows.append(
            {
                "name": one.name,
                "profile": one.profile,
                "chain": one.chain,
                "serial": one.serial,
                "not_before": one.issued,
                "not_after": one.ends,
                "state": state,
                "reason": revoked[one.serial].reason if one.serial in revoked else "",
            }
        )
    return rows


def _state_of(row: dict[str, Any], context: Context) -> str:
    """Return in words what became of a certificate."""
    words = _STATES[row["state"]]
    return context.translate(words) + (f" ({row['reason']})" if row["reason"] else "")


def _table(rows: list[dict[str, Any]], context: Context) -> str:
    _ = context.translate
    if not rows:
        return _("No certificate was issued yet.") + "\n"
    head = (_("Name"), _("Purpose"), _("Valid until"), _("State"), _("Serial number"))
    cells = [
        (
            neutralise(row["name"]),
            _(PROFILES.get(row["profile"], row["profile"])),
            row["not_after"][:10],
            _state_of(row, context),
            row["serial"],
        )
        for row in rows
    ]
    wide = [max(len(line[i]) for line in (head, *cells)) for i in range(len(head))]
    lines = [
        "  ".join(f"{cell:<{w}}" for cell, w in zip(line, wide, strict=True)).rstrip()
        for line in (head, *cells)
    ]
    return "\n".join(lines) + "\n"


COMMAND = Command(
    name="pki list",
    summary=N_("List the certificates that an authority issued."),
    usage="AUTHORITY [--json]",
    configure=configure,
    run=run,
)
