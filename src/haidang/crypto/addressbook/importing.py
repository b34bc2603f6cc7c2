"""How an address book is checked, taken, and opened again. It comes from anywhere, e.g. on a stick.

Rules:

- A book counts when its container holds (:mod:`haidang.crypto.verifying`), at least one signature is by an
  authority, not merely by somebody whom an authority knows, and the chain ends in a root that is believed.
- The certificates and revocation lists that it carries help to check it: they speak for themselves, each
  being signed. A root in it is believed only where a person compared its fingerprint.
- An older book does not replace a newer one unless a person asks for it: a sealing key may have been taken
  back since.
- Whoever opens the book later gets it without those whose certificates were revoked, as far as this machine
  knows; a book that was exchanged for another is found by its signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from haidang.crypto.addressbook.book import FILE, LARGEST, AddressBook, decode_book, unpacked
from haidang.crypto.certificates import fingerprint, parse_certificates
from haidang.crypto.files import read_bounded, write_whole
from haidang.crypto.pki.chains import is_signed_by
from haidang.crypto.pki.identities import install
from haidang.crypto.trust import Trust, load_trust
from haidang.crypto.verdicts import DocumentVerdict, Reason, SignatureVerdict
from haidang.errors import AuthorityError, InputError
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.home import Home

__all__ = ["CheckedBook", "check_book", "import_book", "open_book", "open_checked"]

_LARGEST_FILE = 64 << 20


class CheckedBook(NamedTuple):
    """A book, and whether it may be used."""

    verdict: DocumentVerdict
    book: AddressBook | None
    """What it says; None where that cannot be read. Use it only where the verdict holds."""

    @property
    def holds(self) -> bool:
        """Whether it may be used."""
        return self.verdict.holds and self.book is not None

    @property
    def proof(self) -> SignatureVerdict | None:
        """The signature with the earliest ``proven_time``; None where no timestamp proves one."""
        proven = [one for one in self.verdict.signatures if one.holds and one.proven_time is not None]
        return min(
            proven, key=lambda one: one.proven_time.timestamp() if one.proven_time else 0, default=None
        )


def check_book(path: Path, trust: Trust, *, now: dt.datetime, root: str = "") -> CheckedBook:
    """Return what holds of the address book in ``path``.

    Args:
        path: the container.
        trust: what is believed.
        now: the moment of verification.
        root: the fingerprint of a root as a person compared it; it is believed beside ``trust``.

    Raises:
        InputError: It cannot be read, or is no address book.
    """
    from haidang.crypto.verifying.asic import verified_contents

    # Two passes: what a book carries is needed to judge it. Both must see the same content.
    first, contents = verified_contents(path, trust, now=now, wanted=[FILE], most=LARGEST)
    if FILE not in contents:
        return CheckedBook(_with(first, _no_book()) if first.holds else first, None)
    book = decode_book(contents[FILE])
    carried = book.authority_certificates()
    believed = trust._replace(anchors=(*trust.anchors, *_named_root(carried, root)))
    helped = believed.plus(authorities=carried, crls=book.crl_ders())
    verdict, again = verified_contents(path, helped, now=now, wanted=[FILE], most=LARGEST)
    if again.get(FILE) != contents[FILE]:
        raise InputError(f"{path} changed while it was read", hint="Try again with a copy of your own.")
    signers = {one.signer.sha256 for one in verdict.signatures if one.holds and one.signer is not None}
    authorities = {fingerprint(one) for one in (*helped.authorities, *helped.anchors) if _is_authority(one)}
    if verdict.holds and not signers & authorities:
        verdict = _with(verdict, _no_authority())
    return CheckedBook(verdict, book)


def import_book(
    home: Home, path: Path, *, now: dt.datetime, root: str = "", allow_older: bool = False
) -> CheckedBook:
    """Take the address book in ``path`` into ``home``, if it holds; return what holds of it.

    Raises:
        InputError: It cannot be read, or is no address book.
        AuthorityError: It is older than the one that is here.
    """
    content = read_bounded(path, _LARGEST_FILE)
    checked = check_book(path, load_trust(home.trust), now=now, root=root)
    if not checked.holds or checked.book is None:
        return checked
    if read_bounded(path, _LARGEST_FILE) != content:
        raise InputError(f"{path} changed while it was read", hint="Try again with a copy of your own.")
    present = _present(home)
    if present is not None and _is_older(checked.book, present) and not allow_older:
        raise AuthorityError(
            N_("This address book is of {date}; the one that is here is newer, of {present}."),
            hint=N_("Ask for the newest. To take the older one all the same: --allow-older."),
            date=f"{checked.book.issued:%Y-%m-%d %H:%M}",
            present=f"{present.issued:%Y-%m-%d %H:%M}",
        )
    carried = checked.book.authority_certificates()
    named = {fingerprint(one) for one in _named_root(carried, root)}
    install(
        home,
        [one for one in carried if not is_signed_by(one, one) or fingerprint(one) in named],
        checked.book.crl_ders(),
        roots=bool(root),
        known=carried,
    )
    home.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(home.address_book, content)
    return checked


def open_book(home: Home) -> AddressBook | None:
    """Return the address book of ``home`` without what was revoked since; None where there is none.

    See :func:`open_checked`.

    Raises:
        InputError: It cannot be read.
        AuthorityError: It is not what was taken.
    """
    checked = open_checked(home)
    return None if checked is None else checked.book


def open_checked(home: Home) -> CheckedBook | None:
    """Return the address book of ``home`` without what was revoked since, and what holds of it.

    It was checked when it was taken, and its lists may have run out on a machine without a network: its
    signature is judged at the moment of its issue. What is known here of the time stamping authority may be
    newer than that: a timestamp that cannot be judged any more proves nothing, but takes nothing away.

    Raises:
        InputError: It cannot be read.
        AuthorityError: It is not what was taken.
    """
    present = _present(home)
    if present is None:
        return None
    trust = load_trust(home.trust)
    checked = check_book(home.address_book, trust, now=present.issued)
    if checked.book is None or not (checked.holds or _only_time_is_open(checked.verdict)):
        raise AuthorityError(
            N_("The address book in {home} does not hold: {reason}"),
            hint=N_("Import it anew: haidang addressbook import FILE."),
            home=home.path,
            reason=_first_reason(checked.verdict),
        )
    return checked._replace(book=checked.book.without(_revoked(checked.book, trust)))


def _only_time_is_open(verdict: DocumentVerdict) -> bool:
    """Return whether nothing but what a timestamp proves keeps a book from holding."""
    found = [*verdict.reasons, *(one for signature in verdict.signatures for one in signature.reasons)]
    wrong = {one.code for one in found if one.severity == "error"}
    return verdict.indication == "INDETERMINATE" and wrong == {"timestamp-not-believed"}


def _present(home: Home) -> AddressBook | None:
    """Return what the book in ``home`` says, unchecked."""
    from haidang.crypto.verifying.asic import verified_contents

    path = home.address_book
    if not path.is_file():
        return None
    import datetime as dt

    moment = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    _, contents = verified_contents(path, Trust(), now=moment, wanted=[FILE], most=LARGEST)
    return decode_book(contents[FILE]) if FILE in contents else None


def _is_older(book: AddressBook, present: AddressBook) -> bool:
    same = book.name == present.name
    return book.issued < present.issued or (same and book.number < present.number)


def _revoked(book: AddressBook, trust: Trust) -> set[str]:
    """Return the fingerprints of those certificates of ``book`` that the lists known here revoke."""
    from cryptography import x509

    lists = [x509.load_der_x509_crl(der) for der in (*trust.crls, *book.crl_ders())]
    if not any(len(one) for one in lists):
        return set()
    authorities = [*trust.authorities, *trust.anchors, *book.authority_certificates()]
    # A list counts only with the signature of its authority.
    sound = [one for one in lists if any(_signs_list(authority, one) for authority in authorities)]
    found = set()
    for entry in book.entries:
        for text in entry.certificates:
            (certificate,) = parse_certificates(unpacked(text), FILE)
            for one in sound:
                if one.issuer == certificate.issuer and one.get_revoked_certificate_by_serial_number(
                    certificate.serial_number
                ):
                    found.add(fingerprint(certificate))
    return found


def _signs_list(authority: x509.Certificate, crl: x509.CertificateRevocationList) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return crl.issuer == authority.subject and crl.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _named_root(carried: Sequence[x509.Certificate], root: str) -> list[x509.Certificate]:
    digits = "".join(root.replace(":", "").split()).lower()
    return [one for one in carried if digits and fingerprint(one) == digits]


def _is_authority(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return False


def _with(verdict: DocumentVerdict, reason: Reason) -> DocumentVerdict:
    from dataclasses import replace

    return replace(verdict, reasons=(*verdict.reasons, reason))


def _first_reason(verdict: DocumentVerdict) -> Message:
    reasons = [*verdict.reasons, *(one for s in verdict.signatures for one in s.reasons)]
    wrong = [one for one in reasons if one.severity == "error"] or reasons
    return wrong[0].message if wrong else Message(N_("it is not signed."))


def _no_book() -> Reason:
    return Reason(
        "addressbook-missing",
        Message(N_("The container is signed, but holds no address book.")),
        hint=Message(N_("Name the file that haidang addressbook publish wrote.")),
    )


def _no_authority() -> Reason:
    return Reason(
        "addressbook-not-by-authority",
        Message(N_("The address book is not signed by an authority.")),
        hint=Message(N_("Whoever signed it may sign documents, but vouch for nobody: do not use it.")),
    )
