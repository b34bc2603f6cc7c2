"""The content of an address book, ``addressbook.json``, and what is asked of it.

What is decoded here comes from a container whose signature decides whether it may be used
(:mod:`haidang.crypto.addressbook.importing`); sizes and counts are bounded before that.
"""

from __future__ import annotations

import base64
import datetime as dt  # noqa: TC003 -- msgspec reads the annotations
import unicodedata
from typing import TYPE_CHECKING, Final

import msgspec

from haidang.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cryptography import x509

    from haidang.crypto.sealing.recipients import Recipient

__all__ = ["FILE", "AddressBook", "Entry", "SealingRecipient", "decode_book", "encode_book"]

FILE: Final = "addressbook.json"
LARGEST = 32 << 20
"""Bytes of ``addressbook.json``."""
MOST_ENTRIES = 100_000
MOST_AUTHORITIES = 100
"""Certificates, and revocation lists, of authorities."""

_FORMAT: Final = "haidang-addressbook"


class SealingRecipient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One age key of somebody."""

    recipient: str
    """``age1…``"""
    certificate: str
    """SHA-256 of the certificate that it came with, hexadecimal."""
    valid_until: dt.datetime
    """When that certificate ends."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person, unit or service."""

    kind: str
    """The profile of its certificates: ``person``, ``unit``, …"""
    name: str
    organisation: str
    unit: str
    mails: tuple[str, ...]
    certificates: tuple[str, ...]
    """DER, base64; the newest last."""
    sealing: tuple[SealingRecipient, ...]
    valid_until: dt.datetime
    """When the last of its certificates ends."""
    vouched_by: str
    """The authority that knows it."""


class AddressBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    name: str
    """Of the authority that publishes it."""
    number: int
    """Grows by one with each that the authority publishes."""
    issued: dt.datetime
    entries: tuple[Entry, ...]
    authorities: tuple[str, ...] = ()
    """Certificates of the authorities, roots too, DER in base64: verification needs no network."""
    crls: tuple[str, ...] = ()
    """Their newest revocation lists, DER in base64."""
    format: str = _FORMAT
    version: int = 1

    def age(self, now: dt.datetime) -> dt.timedelta:
        """Return how old it is."""
        return now - self.issued

    def search(self, words: str) -> list[Entry]:
        """Return the entries that have all ``words`` in them; accents and case make no difference."""
        wanted = _plain(words).split()
        return [
            entry
            for entry in self.entries
            if all(
                word in _plain(" ".join((entry.name, entry.unit, entry.organisation, *entry.mails)))
                for word in wanted
            )
        ]

    def recipients(self, name: str) -> Sequence[Recipient]:
        """Return every sealing key of the person or unit called ``name``; none where nobody is."""
        from haidang.crypto.sealing.recipients import Recipient

        return [
            Recipient(entry.name, key.recipient, entry.unit, key.certificate, key.valid_until)
            for entry in self.entries
            if entry.name == name
            for key in entry.sealing
        ]

    def names(self) -> Iterable[str]:
        """Return who is in it and has a sealing key."""
        return list(dict.fromkeys(entry.name for entry in self.entries if entry.sealing))

    def without(self, revoked: Collection[str]) -> AddressBook:
        """Return the book without what belongs to the certificates with these fingerprints."""
        entries = (_without(entry, revoked) for entry in self.entries)
        return msgspec.structs.replace(self, entries=tuple(entry for entry in entries if entry.certificates))

    def authority_certificates(self) -> list[x509.Certificate]:
        """Return the certificates of authorities.

        Raises:
            InputError: One cannot be read.
        """
        from haidang.crypto.certificates import parse_certificates

        return [one for text in self.authorities for one in parse_certificates(unpacked(text), FILE)]

    def crl_ders(self) -> list[bytes]:
        """Return the revocation lists, DER.

        Raises:
            InputError: One cannot be read.
        """
        from cryptography import x509

        ders = [unpacked(text) for text in self.crls]
        try:
            for der in ders:
                x509.load_der_x509_crl(der)
        except (ValueError, x509.InvalidVersion) as error:
            raise _unsound(str(error)) from error
        return ders


def encode_book(book: AddressBook) -> bytes:
    """Return ``addressbook.json``."""
    return msgspec.json.format(msgspec.json.encode(book)) + b"\n"


def decode_book(content: bytes) -> AddressBook:
    """Return the book in ``content``.

    Raises:
        InputError: It is none.
    """
    try:
        book = msgspec.json.decode(content, type=AddressBook)
    except msgspec.MsgspecError as error:
        raise _unsound(str(error)) from error
    moments = [book.issued, *(e.valid_until for e in book.entries)]
    moments += [key.valid_until for e in book.entries for key in e.sealing]
    if (book.format, book.version) != (_FORMAT, 1):
        raise _unsound(f"it is {book.format[:50]} version {book.version}")
    if len(book.entries) > MOST_ENTRIES or max(len(book.authorities), len(book.crls)) > MOST_AUTHORITIES:
        raise _unsound("it is too large")
    if any(moment.tzinfo is None for moment in moments):
        raise _unsound("a time has no zone")
    return book


def packed(der: bytes) -> str:
    """Return DER as the book has it."""
    return base64.b64encode(der).decode()


def unpacked(text: str) -> bytes:
    """Return the DER of a text of the book.

    Raises:
        InputError: It is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise _unsound(str(error)) from error


def _without(entry: Entry, revoked: Collection[str]) -> Entry:
    import hashlib

    kept = tuple(
        one for one in entry.certificates if hashlib.sha256(unpacked(one)).hexdigest() not in revoked
    )
    sealing = tuple(key for key in entry.sealing if key.certificate not in revoked)
    return msgspec.structs.replace(entry, certificates=kept, sealing=sealing)


def _plain(text: str) -> str:
    """Return text without accents and in lower case: an address book is searched from any keyboard."""
    letters = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _unsound(reason: str) -> InputError:
    return InputError(
        f"this is no address book: {reason}", hint="Get the file anew from the authority that publishes it."
    )
