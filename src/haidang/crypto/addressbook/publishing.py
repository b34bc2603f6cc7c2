"""How an authority publishes its address book: from its records, signed with its own key.

In it are the persons, units and services whose certificates are valid: not ended, not revoked, not renewed by
another. Each entry says who vouches for it. That a book was published, its number and its SHA-256, is in the
authority's log.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from haidang.crypto.addressbook.book import FILE, AddressBook, Entry, SealingRecipient, encode_book, packed
from haidang.crypto.certificates import certificate_facts, fingerprint, parse_certificates
from haidang.crypto.files import appearing
from haidang.crypto.signers import Signatory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.pki.authority import Authority, OpenAuthority
    from haidang.crypto.pki.records import Kept

__all__ = ["LISTED", "build_book", "publish"]

LISTED = frozenset({"person", "unit", "mail", "service"})
"""Profiles whose holders are in the book."""


def publish(
    authority: OpenAuthority,
    target: Path,
    *,
    now: dt.datetime,
    timestamper: Any = None,
    replace: bool = False,
) -> AddressBook:
    """Write the authority's address book to ``target``, signed, whole or not at all; return it.

    Args:
        authority: whose book it is.
        target: the file.
        now: when it is published.
        timestamper: a pyHanko ``TimeStamper``, which proves the moment; None: the authority alone says it.
        replace: whether ``target`` may be there already.

    Raises:
        AuthorityError: The authority has no certificate yet, or its log was altered.
        OutputError: ``target`` is there already, or cannot be written.
        SigningError: There is no timestamp.
    """
    from haidang.crypto.signing.asic import Item, write_container

    issuer = authority.issuer()
    above = authority.authority.chain()[1:-1]
    signatory = Signatory(issuer.key, issuer.certificate, tuple(above))
    made: list[AddressBook] = []

    # The stream becomes the file when the block ends, and the log says so only once the book is signed: one
    # that could not be signed leaves nothing, and takes no number.
    with appearing(target, replace=replace) as stream:

        def build(number: int) -> bytes:
            made.append(build_book(authority.authority, number, now=now))
            content = encode_book(made[0])
            item = Item(FILE, content, now, "application/json")
            write_container(stream, [item], signatory, now=now, timestamper=timestamper)
            return content

        authority.publish("addressbook", build, now=now)
    return made[0]


def build_book(authority: Authority, number: int, *, now: dt.datetime) -> AddressBook:
    """Return the book of what ``authority`` keeps."""
    from cryptography.hazmat.primitives.serialization import Encoding

    records = authority.records
    gone = {one.serial for one in records.revocations()}
    all_of_them = records.certificates()
    gone |= {one.replaces for one in all_of_them}
    grouped: dict[tuple[str, str, str], list[tuple[Kept, x509.Certificate]]] = {}
    for kept in all_of_them:
        ended = dt.datetime.fromisoformat(kept.ends) <= now
        if kept.serial in gone or ended or kept.chain != "first" or kept.profile not in LISTED:
            continue
        (certificate,) = parse_certificates(kept.der, str(records.path))
        facts = certificate_facts(certificate)
        grouped.setdefault((facts.name, facts.organisation, facts.unit), []).append((kept, certificate))
    chains = [*authority.chain(), *authority.chain("second")]
    return AddressBook(
        name=authority.name,
        number=number,
        issued=now.replace(microsecond=0),
        entries=tuple(_entry(several, authority.name) for several in grouped.values()),
        authorities=tuple(packed(one.public_bytes(Encoding.DER)) for one in chains),
        crls=tuple(packed(der) for der in authority.crls().values()),
    )


def _entry(several: Sequence[tuple[Kept, x509.Certificate]], vouched_by: str) -> Entry:
    kept, certificate = several[-1]
    facts = certificate_facts(certificate)
    return Entry(
        kind=kept.profile,
        name=facts.name,
        organisation=facts.organisation,
        unit=facts.unit,
        mails=tuple(dict.fromkeys(mail for _, one in several for mail in _mails(one))),
        certificates=tuple(packed(one.der) for one, _ in several),
        sealing=tuple(
            SealingRecipient(one.recipient, fingerprint(of), of.not_valid_after_utc)
            for one, of in several
            if one.recipient
        ),
        valid_until=max(one.not_valid_after_utc for _, one in several),
        vouched_by=vouched_by,
    )


def _mails(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.RFC822Name)
