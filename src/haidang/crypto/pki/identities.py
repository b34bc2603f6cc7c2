"""Identities in a :class:`~haidang.crypto.home.Home` as an authority makes or answers them.

Two ways lead to one:

- :func:`request_identity` makes the keys where they are used, and a request; :func:`accept_identity` takes
  the authority's answer. The private keys never travel.
- :func:`issue_identity` makes keys and certificate at once on the authority's machine.

Either way a folder appears whole. An answer is a bundle: the certificates, those of the authorities, and the
CRLs, all in PEM. It comes from elsewhere; a root in it is believed only where a person compared its
fingerprint.
"""

from __future__ import annotations

import base64
import contextlib
import re
import secrets
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.certificates import (
    certificate_facts,
    fingerprint,
    parse_certificates,
    read_certificates,
    write_certificates,
)
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import read_bounded, sync_folder, write_whole
from haidang.crypto.home import Home, Identity
from haidang.crypto.keys import DEFAULT_ALGORITHM, load_key, make_key, save_key
from haidang.crypto.pki.chains import as_pem, chain_for, check_root, is_signed_by
from haidang.crypto.pki.orders import Order
from haidang.crypto.pki.requests import make_request
from haidang.crypto.sealing.keys import make_sealing_key, public_part, save_sealing_key
from haidang.crypto.trust import load_trust
from haidang.errors import AuthorityError, InputError, KeyAccessError, OutputError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.keys import Algorithm, SigningKey
    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.pki.authority import Authority, OpenAuthority
    from haidang.crypto.pki.keyring import TokenChoice

__all__ = [
    "Bundle",
    "NewIdentity",
    "accept_crls",
    "accept_identity",
    "bundle_of",
    "install",
    "install_trust",
    "issue_identity",
    "parent_crls",
    "read_bundle",
    "renewal_request",
    "request_identity",
]

_LARGEST_BUNDLE = 64 << 20
_MOST_CRLS = 100
_CRL = re.compile(rb"-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----")
_UNSAFE_IN_NAME = re.compile(r"[^\w.@+-]+")


class NewIdentity(NamedTuple):
    """What an identity is to be."""

    name: str
    """What it is called in the home."""
    subject: x509.Name
    algorithm: Algorithm = DEFAULT_ALGORITHM
    second: bool = False
    """Whether it gets an ML-DSA key for second signatures."""
    sealing: bool = False
    """Whether it gets an age key, to which others seal."""
    names: Sequence[x509.GeneralName] = ()
    token: TokenChoice | None = None
    """The PKCS#11 token in which the signing key is made; the passphrase is its PIN then."""


class Bundle(NamedTuple):
    """What an authority hands out."""

    certificates: list[x509.Certificate]
    crls: list[bytes]
    """DER."""


class _Keys(NamedTuple):
    signing: SigningKey
    second: SigningKey | None
    recipient: str


def request_identity(home: Home, wanted: NewIdentity, passphrase: Passphrase) -> tuple[Identity, bytes]:
    """Make an identity's keys in ``home``; return it and its requests, PEM, which are kept beside the keys.

    Raises:
        KeyAccessError: The name is none, or the token cannot be used.
        OutputError: There is such an identity already.
    """
    with _appearing(home, wanted.name) as made:
        keys = _make_keys(made, wanted, passphrase)
        requests = make_request(keys.signing, wanted.subject, names=wanted.names, recipient=keys.recipient)
        if keys.second is not None:
            requests += make_request(keys.second, wanted.subject, names=wanted.names)
        write_whole(made / "request.csr", requests)
        place = made.rename(made.parent / wanted.name)
    return Identity(place), requests


def renewal_request(identity: Identity, passphrase: Passphrase) -> bytes:
    """Return a request, PEM, for a new certificate for the key that ``identity`` has.

    Raises:
        InputError: It has no certificate that says who it is.
        KeyAccessError: The passphrase is wrong.
    """
    from haidang.crypto.signers import load_signatory

    signatory = load_signatory(identity, passphrase)
    request = make_request(
        signatory.key,
        signatory.certificate.subject,
        names=_names_in(signatory.certificate),
        recipient=public_part(identity.sealing_key) if identity.sealing_key.is_file() else "",
    )
    if identity.second_key.is_file():
        second = load_key(identity.second_key, passphrase)
        request += make_request(second, signatory.certificate.subject)
    return request


def issue_identity(
    authority: OpenAuthority,
    home: Home,
    wanted: NewIdentity,
    passphrase: Passphrase,
    *,
    profile: str,
    days: int | None,
    now: dt.datetime,
) -> tuple[Identity, list[x509.Certificate]]:
    """Make an identity's keys in ``home`` and certify them, in one act of the authority.

    Raises:
        AuthorityError: The profile or the subject does not fit.
        KeyAccessError: The name is none, or the token cannot be used.
        OutputError: There is such an identity already.
    """

    def kept(made: Path) -> bool:
        # Once the act is kept the keys belong to a certificate; the authority gives them their place later.
        return any(folder == str(made.resolve()) for folder, _ in authority.records.deliveries())

    with _appearing(home, wanted.name, kept) as made:
        keys = _make_keys(made, wanted, passphrase)
        order = Order(wanted.subject, keys.signing.public_key(), profile, wanted.names, days, keys.recipient)
        extra = (
            [] if keys.second is None else [order._replace(public_key=keys.second.public_key(), recipient="")]
        )
        place = made.parent / wanted.name
        certificates = authority.issue(
            order, now=now, delivery=(made.resolve(), place.resolve()), extra=extra
        )
    install_trust(authority.authority, home)
    return Identity(place), certificates


def accept_identity(
    home: Home, identity: Identity, bundle: Bundle, *, root: str = "", now: dt.datetime
) -> list[x509.Certificate]:
    """Take an authority's answer to the request of ``identity``; return the chain of its certificate.

    Args:
        home: where the identity and the trust are.
        identity: who asked.
        bundle: the answer.
        root: the fingerprint of the root as a person compared it; ``""`` believes no root that is not
            believed yet.
        now: the present.

    Raises:
        AuthorityError: The answer is for another key, has ended, or its root is another.
    """
    request = identity.folder / "request.csr"
    found = _answers(identity, request, bundle.certificates)
    path = found[0]
    if path[0].not_valid_after_utc <= now:
        raise AuthorityError(
            N_("The certificate ended on {date}."),
            hint=N_("Ask the authority for a new one: haidang pki request --renew."),
            date=path[0].not_valid_after_utc.date(),
        )
    check_root(path, root)
    for chain, file in zip(found, (identity.certificate, identity.second_certificate), strict=False):
        write_certificates(_without_root(chain), file, replace=True)
    install(home, [one for chain in found for one in chain[1:]], bundle.crls, roots=bool(root))
    return path


def install_trust(authority: Authority, home: Home) -> None:
    """Write into ``home`` what verification needs of an authority: roots, authorities, CRLs."""
    certificates = [*authority.chain(), *authority.chain("second")]
    install(home, certificates, list(authority.crls().values()), roots=True)


def accept_crls(home: Home, crls: Sequence[bytes]) -> None:
    """Take newer CRLs into ``home``.

    Raises:
        AuthorityError: One is not signed by an authority that is known there.
    """
    trust = load_trust(home.trust)
    install(home, [*trust.authorities, *trust.anchors], crls, roots=True)


def parent_crls(crls: Sequence[bytes], authorities: Sequence[x509.Certificate]) -> dict[str, bytes]:
    """Return CRLs by the names of those who signed them.

    Raises:
        AuthorityError: One is not signed by any of ``authorities``.
    """
    return {_file_name(check_crl(der, authorities)): der for der in crls}


def bundle_of(certificates: Sequence[x509.Certificate], authority: Authority) -> bytes:
    """Return what is handed out with new certificates: them, the authorities, the CRLs; PEM."""
    above = [one for chain in ("first", "second") for one in authority.chain(chain)]
    crls = b"".join(_pem_crl(der) for der in authority.crls().values())
    return as_pem([*certificates, *above]).encode() + crls


def read_bundle(path: Path) -> Bundle:
    """Return the certificates and CRLs in a file, PEM, or one of them, DER.

    Raises:
        InputError: It cannot be read, or holds neither.
    """
    content = read_bounded(path, _LARGEST_BUNDLE)
    with needs_extra():
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding
    pems = [match[1] for match in _CRL.finditer(content)]
    try:
        ders = [base64.b64decode(one) for one in pems[: _MOST_CRLS + 1]]
        crls = [x509.load_der_x509_crl(der).public_bytes(Encoding.DER) for der in ders]
        if not crls and b"-----BEGIN" not in content:
            with contextlib.suppress(ValueError, x509.InvalidVersion):
                return Bundle([], [x509.load_der_x509_crl(content).public_bytes(Encoding.DER)])
    except (ValueError, x509.InvalidVersion) as error:
        raise InputError(
            f"{path} holds a revocation list that cannot be read: {error}", hint="Get the file anew."
        ) from error
    if len(pems) > _MOST_CRLS:
        raise InputError(f"{path} holds more than {_MOST_CRLS} revocation lists", hint="Split it.")
    if crls and b"-----BEGIN CERTIFICATE-----" not in content:
        return Bundle([], crls)
    return Bundle(parse_certificates(content, str(path)), crls)


def check_crl(der: bytes, authorities: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return which of ``authorities`` signed a CRL.

    Raises:
        AuthorityError: None did.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    crl = x509.load_der_x509_crl(der)
    for one in authorities:
        with contextlib.suppress(ValueError, TypeError, UnsupportedAlgorithm):
            if crl.issuer == one.subject and crl.is_signature_valid(one.public_key()):  # type: ignore[arg-type]
                return one
    raise AuthorityError(
        N_("A revocation list is not signed by an authority that is known here."),
        hint=N_("Accept the certificate of its authority first."),
    )


@contextlib.contextmanager
def _appearing(home: Home, name: str, kept: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """Yield a hidden folder among the identities; at the end it is taken away, unless it is ``kept``."""
    place = home.place_of(name)
    if place.exists():
        raise OutputError(f"{place} is there already", hint="Choose another name with --as.")
    made = place.with_name(f".{name}.{secrets.token_hex(6)}.tmp")
    try:
        made.mkdir(mode=0o700, parents=True)
        yield made
        sync_folder(place.parent)
    except OSError as error:
        raise OutputError(
            f"{place} cannot be made: {error.strerror or error}", hint="Name another place."
        ) from error
    finally:
        if made.exists() and not (kept and kept(made)):
            shutil.rmtree(made, ignore_errors=True)


def _make_keys(folder: Path, wanted: NewIdentity, passphrase: Passphrase) -> _Keys:
    made = Identity(folder)
    if wanted.token is not None:
        from haidang.crypto.tokens import make_token_key, save_place

        if wanted.second or wanted.sealing:
            raise KeyAccessError(
                N_("Beside a token's key no other key is made: a PIN is too short to lock it."),
                hint=N_("Make a second identity without a token for those."),
            )
        token = wanted.token
        key, place = make_token_key(
            token.module, token.label, passphrase, label=wanted.name, algorithm=wanted.algorithm
        )
        save_place(place, made.token)
    else:
        key = make_key(wanted.algorithm)
        save_key(key, made.signing_key, passphrase)
    second = make_key("ml-dsa-65") if wanted.second else None
    if second is not None:
        save_key(second, made.second_key, passphrase)
    recipient = ""
    if wanted.sealing:
        sealing = make_sealing_key()
        save_sealing_key(sealing, made.sealing_key, passphrase)
        recipient = sealing.recipient
    return _Keys(key, second, recipient)


def _answers(
    identity: Identity, request: Path, certificates: Sequence[x509.Certificate]
) -> list[list[x509.Certificate]]:
    """Return the chain for each key of an identity, told by its requests or its present certificates."""
    from haidang.crypto.pki.requests import LARGEST, read_requests

    if request.is_file():
        keys: list[Any] = [
            one.public_key for one in read_requests(read_bounded(request, LARGEST), str(request))
        ]
    else:
        keys = [
            read_certificates(file)[0].public_key()
            for file in (identity.certificate, identity.second_certificate)
            if file.is_file()
        ]
    if not keys:
        raise AuthorityError(
            N_("{name} has asked for no certificate."),
            hint=N_("Make a request: haidang pki request."),
            name=identity.name,
        )
    return [chain_for(key, certificates) for key in keys]


def install(
    home: Home,
    certificates: Sequence[x509.Certificate],
    crls: Sequence[bytes],
    *,
    roots: bool,
    known: Sequence[x509.Certificate] = (),
) -> None:
    """Write authorities and CRLs into ``home``, and those that sign themselves only where ``roots`` says so.

    ``known`` are further authorities whose CRLs are among ``crls``. An older CRL never replaces a newer one.

    Raises:
        AuthorityError: A CRL is not signed by any of the authorities.
    """
    for one in certificates:
        is_root = is_signed_by(one, one)
        if is_root and not roots:
            continue
        folder = home.trust / ("anchors" if is_root else "authorities")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_certificates([one], folder / f"{_file_name(one)}.pem", replace=True)
    for der in crls:
        issuer = check_crl(der, [*certificates, *known])
        folder = home.trust / "revocation"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / f"{_file_name(issuer)}.crl"
        if file.is_file() and _number(read_bounded(file, _LARGEST_BUNDLE)) > _number(der):
            # A list that is older than the one here would make a revoked certificate good again.
            continue
        write_whole(file, der)


def _number(der: bytes) -> int:
    from cryptography import x509

    try:
        return x509.load_der_x509_crl(der).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (ValueError, x509.ExtensionNotFound):
        return 0


def _file_name(certificate: x509.Certificate) -> str:
    name = _UNSAFE_IN_NAME.sub("-", certificate_facts(certificate).name).strip("-.")[:40]
    return f"{name or 'authority'}-{fingerprint(certificate)[:8]}"


def _without_root(path: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    return [one for i, one in enumerate(path) if i == 0 or not is_signed_by(one, one)]


def _names_in(certificate: x509.Certificate) -> list[x509.GeneralName]:
    from cryptography import x509

    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _pem_crl(der: bytes) -> bytes:
    return b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(der) + b"-----END X509 CRL-----\n"
