"""How an address book is shown: its age, and a table of who is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli.pki._options import PROFILES
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from haidang.cli._command import Context
    from haidang.crypto.addressbook import AddressBook, Entry
    from haidang.crypto.verdicts import SignatureVerdict

__all__ = ["OLD_AFTER_DAYS", "age_said", "no_book", "say_head", "table"]

OLD_AFTER_DAYS = 90
"""A book that is older is shown with a caution."""


_HEAD = (
    N_("Name"),
    N_("Unit"),
    N_("Body"),
    N_("Purpose"),
    N_("Valid until"),
    N_("Can be sealed to"),
    N_("Vouched for by"),
)


def say_head(
    book: AddressBook, now: dt.datetime, context: Context, proof: SignatureVerdict | None = None
) -> None:
    """Say whose book it is, how old, and, where there is a ``proof`` of its time, what it proves."""
    _ = context.translate
    text = _("Address book of {name}, number {number}, of {date} ({age}): {n} entries.")
    context.say(
        text.format(
            name=neutralise(book.name),
            number=book.number,
            date=book.issued.date(),
            age=age_said(book, now, context),
            n=len(book.entries),
        )
    )
    if proof is not None and proof.proven_time is not None:
        text = _("It was signed by {moment} at the latest, as {authority} proves.")
        authority = proof.time_authority.name if proof.time_authority else "?"
        context.say(text.format(moment=proof.proven_time.astimezone(), authority=neutralise(authority)))
    if book.age(now).days > OLD_AFTER_DAYS:
        context.say(_("It is old: ask for a newer one before you seal anything of weight."))


def age_said(book: AddressBook, now: dt.datetime, context: Context) -> str:
    """Return how old a book is, in words."""
    days = max(book.age(now).days, 0)
    if not days:
        return context.translate("from today")
    return context.translate.ngettext("{n} day old", "{n} days old", days).format(n=days)


def table(entries: Sequence[Entry], now: dt.datetime, context: Context) -> str:
    """Return the entries as a table."""
    _ = context.translate
    if not entries:
        return _("Nobody is found.") + "\n"
    head = (
        _("Name"),
        _("Unit"),
        _("Body"),
        _("Purpose"),
        _("Valid until"),
        _("Can be sealed to"),
        _("Vouched for by"),
    )
    ended = _("ended")
    rows = [
        (
            neutralise(one.name),
            neutralise(one.unit),
            neutralise(one.organisation),
            _(PROFILES.get(one.kind, one.kind)),
            one.valid_until.date().isoformat() + ("" if one.valid_until > now else f" ({ended})"),
            _("yes") if any(key.valid_until > now for key in one.sealing) else _("no"),
            neutralise(one.vouched_by),
        )
        for one in entries
    ]
    wide = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, wide, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join(lines) + "\n"


_NO_BOOK = (N_("There is no address book in {home}."), N_("Take one: haidang addressbook import FILE."))


def no_book(home: object) -> Exception:
    """Return the error of a home without an address book."""
    from haidang.errors import KeyAccessError

    return KeyAccessError(_NO_BOOK[0], hint=_NO_BOOK[1], home=home)
