"""Whom something is sealed to, and where their keys are found.

An address book is anything that has :class:`RecipientBook`'s method. Without one, a recipients file of the
``age`` program does (``age -R``): keys one a line, and above them, as a comment, whose they are::

    # Trần Văn Bình | Phòng Tổ chức | 2027-06-30
    age1…
    # Phòng Văn thư
    age1…
    age1…

The unit and the last day of validity may be left out. Keys below one comment are of the same person or unit.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from haidang.crypto.certificates import certificate_facts, read_certificates
from haidang.crypto.files import read_bounded
from haidang.crypto.sealing.keys import age_recipient, public_part
from haidang.errors import InputError, KeyAccessError, SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from haidang.crypto.home import Identity

__all__ = [
    "MOST_RECIPIENTS",
    "Recipient",
    "RecipientBook",
    "RecipientsFile",
    "check_count",
    "find_recipients",
    "of_files",
    "of_identity",
]

MOST_RECIPIENTS = 500
"""Keys that one file is sealed to."""

_LARGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class Recipient:
    """One key of one person or unit."""

    name: str
    key: str
    """The public key, ``age1…``."""
    unit: str = ""
    certificate: str = ""
    """SHA-256 of the certificate of the person or unit, in hexadecimal; "" where it is not known."""
    valid_until: dt.datetime | None = None


class RecipientBook(Protocol):
    """Where the keys of people and units are found."""

    def recipients(self, name: str) -> Sequence[Recipient]:
        """Return every sealing key of the person or unit called ``name``; none where nobody is."""

    def names(self) -> Iterable[str]:
        """Return who is in it."""


class RecipientsFile:
    """A recipients file as the ``age`` program reads it, with names in its comments."""

    def __init__(self, path: Path) -> None:
        """Read ``path``.

        Raises:
            InputError: It cannot be read, or a line is neither a comment nor a key.
        """
        self._known: dict[str, list[Recipient]] = {}
        try:
            lines = read_bounded(path, _LARGEST).decode().splitlines()
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8: {error}", hint="Name a recipients file.") from error
        who = Recipient("", "")
        for number, line in enumerate(map(str.strip, lines), 1):
            if line.startswith("#"):
                who = _described(line.lstrip("# "), who)
            elif line:
                self._add(who, line, path, number)

    def recipients(self, name: str) -> Sequence[Recipient]:
        """Return every key below the comment with ``name``; the name "" returns those without one."""
        return self._known.get(name, ())

    def names(self) -> Iterable[str]:
        """Return who is in it."""
        return [name for name in self._known if name]

    def everybody(self) -> Sequence[Recipient]:
        """Return all keys in the file."""
        return [one for several in self._known.values() for one in several]

    def _add(self, who: Recipient, key: str, path: Path, number: int) -> None:
        try:
            age_recipient(key)
        except KeyAccessError as error:
            raise InputError(
                f"{path}:{number}: this is no age recipient", hint="It begins with age1; or is it an SSH key?"
            ) from error
        found = Recipient(who.name, key, who.unit, "", who.valid_until)
        self._known.setdefault(who.name, []).append(found)


def find_recipients(
    names: Iterable[str], books: Sequence[RecipientBook], *, now: dt.datetime
) -> list[Recipient]:
    """Return the keys of all ``names``, each key once, in their order.

    Args:
        names: people and units.
        books: where to look, in this order; the first that knows a name answers.
        now: the moment at which keys must be valid.

    Raises:
        SealError: Somebody is not known or has no valid key, or there are too many.
    """
    found: dict[str, Recipient] = {}
    for name in names:
        several = next((keys for book in books if (keys := book.recipients(name))), ())
        if not several:
            raise _unknown(name, books)
        valid = [one for one in several if one.valid_until is None or one.valid_until >= now]
        if not valid:
            raise _run_out(name)
        found |= {one.key: one for one in valid if one.key not in found}
    check_count(found)
    return list(found.values())


def of_files(files: Iterable[RecipientsFile], *, now: dt.datetime) -> list[Recipient]:
    """Return everybody in recipients files.

    Raises:
        SealError: A key has run out: the file must be renewed, nobody is left out in silence.
    """
    found = [one for file in files for one in file.everybody()]
    for one in found:
        if one.valid_until is not None and one.valid_until < now:
            raise _run_out(one.name)
    return found


def of_identity(identity: Identity) -> Recipient:
    """Return an identity of one's own as a recipient.

    Raises:
        InputError: It has no sealing key, or no certificate.
    """
    key = public_part(identity.sealing_key)
    certificates = read_certificates(identity.certificate)
    facts = certificate_facts(certificates[0])
    return Recipient(facts.name, key, facts.unit, facts.sha256, facts.not_after)


def check_count(keys: Iterable[object]) -> None:
    """Refuse no recipient, and too many.

    Raises:
        SealError: There are none, or too many.
    """
    count = sum(1 for _ in keys)
    if not count:
        raise SealError(N_("There is nobody to seal to."), hint=N_("Name them with --to NAME."))
    if count > MOST_RECIPIENTS:
        raise SealError(
            N_("{n} keys are more than the {most} that one file is sealed to."), n=count, most=MOST_RECIPIENTS
        )


def _run_out(name: str) -> SealError:
    return SealError(
        N_("Every sealing key of {name} has run out."),
        hint=N_("Ask for a new one, or get a newer address book."),
        name=name,
    )


def _unknown(name: str, books: Sequence[RecipientBook]) -> SealError:
    import difflib

    close = difflib.get_close_matches(
        name, [known for book in books for known in book.names()], n=3, cutoff=0.5
    )
    if close:
        return SealError(
            N_("Nobody called {name} has a sealing key here."),
            hint=N_("Did you mean {close}?"),
            name=name,
            close=", ".join(close),
        )
    return SealError(
        N_("Nobody called {name} has a sealing key here."),
        hint=N_("Import the address book that has them, or name a recipients file."),
        name=name,
    )


def _described(comment: str, before: Recipient) -> Recipient:
    """Return whom a comment names; a comment without a name leaves it at ``before``."""
    name, unit, until, *_ = [*map(str.strip, comment.split("|")), "", "", ""]
    if not name:
        return before
    try:
        last = dt.datetime.fromisoformat(until) if until else None
    except ValueError:
        last = None
    if last is not None and last.tzinfo is None:
        # A day without a time is valid to its end.
        last = last.replace(hour=23, minute=59, second=59, tzinfo=dt.UTC)
    return Recipient(name, "", unit, "", last)
