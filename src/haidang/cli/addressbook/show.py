"""``haidang addressbook show``: who is in the address book, all or those who have certain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, home_of, present
from haidang.cli.addressbook._wording import no_book, say_head, table
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.addressbook import Entry
    from haidang.i18n import Translator

__all__ = ["COMMAND", "configure", "run"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument(
        "words", metavar="WORD", nargs="*", help=_("name, unit, body or mail address; accents do not matter")
    )
    add_home(parser, translate)
    group = parser.add_argument_group(_("Outputs"))
    group.add_argument("--json", action="store_true", help=_("write JSON"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Show them; 1 where nobody is found.

    Raises:
        KeyAccessError: There is no address book.
        AuthorityError: It is not what was taken.
    """
    from haidang.crypto.addressbook import open_checked

    home = home_of(args, context)
    checked = open_checked(home)
    if checked is None or checked.book is None:
        raise no_book(home.path)
    book, proof = checked.book, checked.proof
    now = present(context)
    found = book.search(" ".join(args.words))
    if args.json:
        document = {
            "name": book.name,
            "number": book.number,
            "issued": book.issued.isoformat(),
            "proven": proof.proven_time.isoformat() if proof and proof.proven_time else None,
            "time_authority": proof.time_authority.to_json() if proof and proof.time_authority else None,
            "age_days": book.age(now).days,
            "entries": [_as_json(one) for one in found],
        }
        context.answer_json(document)
    else:
        say_head(book, now, context, proof)
        context.answer(table(found, now, context))
    return 0 if found else 1


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "unit": entry.unit,
        "organisation": entry.organisation,
        "mails": list(entry.mails),
        "recipients": [key.recipient for key in entry.sealing],
        "certificates": list(entry.certificates),
        "valid_until": entry.valid_until.isoformat(),
        "vouched_by": entry.vouched_by,
    }


COMMAND = Command(
    name="addressbook show",
    summary=N_("Show who is in the address book."),
    usage="[WORD]… [OPTION]…",
    configure=configure,
    run=run,
)
