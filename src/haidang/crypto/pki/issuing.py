"""Certificates, CRLs and OCSP answers as they are built and signed: RFC 5280, RFC 6960.

Pure functions: what they make depends on their arguments alone (and on the randomness of serial numbers and
signatures). An :mod:`authority <haidang.crypto.pki.authority>` decides what is issued, and keeps the account.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import algorithm_of, digest_of
from haidang.errors import AuthorityError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cryptography import x509

    from haidang.crypto.keys import SigningKey
    from haidang.crypto.pki.profiles import Profile

__all__ = [
    "BACKDATED",
    "NOWHERE",
    "Issuer",
    "Places",
    "Revoked",
    "build_crl",
    "issue_certificate",
    "signature_hash",
    "subject_name",
]

BACKDATED = dt.timedelta(minutes=5)
"""How much before the moment of issue a certificate begins: clocks differ."""


_CRL_VALID = dt.timedelta(days=7)


class Issuer(NamedTuple):
    """An authority's certificate and key."""

    certificate: x509.Certificate
    key: SigningKey


class Places(NamedTuple):
    """Where peers find what an authority publishes; each may be empty."""

    crl: Sequence[str] = ()
    ocsp: Sequence[str] = ()
    issuer: Sequence[str] = ()


NOWHERE = Places()


class Revoked(NamedTuple):
    """One revoked certificate."""

    serial: int
    when: dt.datetime
    reason: str = "unspecified"
    """A name of RFC 5280, section 5.3.1, e.g. ``keyCompromise``."""


def subject_name(parts: Mapping[str, str]) -> x509.Name:
    """Return an X.509 name of ``parts``: CN, O, OU, C, L, ST, serialNumber, emailAddress, title.

    Raises:
        AuthorityError: A part is unknown, empty or too long.
    """
    with needs_extra():
        from cryptography import x509
    oids = {
        "C": x509.NameOID.COUNTRY_NAME,
        "ST": x509.NameOID.STATE_OR_PROVINCE_NAME,
        "L": x509.NameOID.LOCALITY_NAME,
        "O": x509.NameOID.ORGANIZATION_NAME,
        "OU": x509.NameOID.ORGANIZATIONAL_UNIT_NAME,
        "title": x509.NameOID.TITLE,
        "CN": x509.NameOID.COMMON_NAME,
        "serialNumber": x509.NameOID.SERIAL_NUMBER,
        "emailAddress": x509.NameOID.EMAIL_ADDRESS,
    }
    unknown = sorted(set(parts) - set(oids))
    if unknown:
        raise AuthorityError(
            N_("A subject has no part {part}."),
            hint=N_("Use {known}."),
            part=unknown[0],
            known=", ".join(oids),
        )
    try:
        return x509.Name(
            [x509.NameAttribute(oid, parts[part]) for part, oid in oids.items() if parts.get(part)]
        )
    except ValueError as error:
        raise AuthorityError(N_("This is no subject: {reason}."), reason=error) from error


class Wanted(NamedTuple):
    """The certificate that is asked for."""

    subject: x509.Name
    public_key: Any
    profile: Profile
    """What it may do, and for how long."""
    alternative_names: Sequence[x509.GeneralName] = ()
    """Its subjectAltName; a server needs its host names here."""
    days: int | None = None
    """How long it is valid, where it is not as long as the profile says."""
    serial: int | None = None
    """Its serial number, where it is not random (20 octets, RFC 5280)."""


def issue_certificate(
    issuer: Issuer | None,
    wanted: Wanted,
    *,
    now: dt.datetime,
    own_key: SigningKey | None = None,
    places: Places = NOWHERE,
) -> x509.Certificate:
    """Return the certificate that is wanted.

    Args:
        issuer: who signs; None for a root, which ``own_key`` signs.
        wanted: whom it names and what for.
        now: the moment of issue; validity begins :data:`BACKDATED` before it.
        own_key: the key of a root.
        places: where the *issuer* publishes.

    Raises:
        AuthorityError: The issuer's certificate has ended, or a root has no key.
    """
    with needs_extra():
        from cryptography import x509
    signer_key = own_key if issuer is None else issuer.key
    if signer_key is None:
        raise AuthorityError(N_("A root is signed with its own key, and none was given."))
    profile = wanted.profile
    begin = (now - BACKDATED).replace(microsecond=0)
    end = begin + dt.timedelta(days=wanted.days or profile.days)
    if issuer is not None:
        last = issuer.certificate.not_valid_after_utc
        if last <= now:
            raise AuthorityError(
                N_("The authority's certificate ended on {date}."),
                hint=N_("Renew it before you issue."),
                date=last.date(),
            )
        # Nobody can trust a certificate longer than its issuer's.
        begin, end = max(begin, issuer.certificate.not_valid_before_utc), min(end, last)
    builder = (
        x509.CertificateBuilder()
        .subject_name(wanted.subject)
        .issuer_name(wanted.subject if issuer is None else issuer.certificate.subject)
        .public_key(wanted.public_key)
        .serial_number(wanted.serial or x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(profile.authority, profile.path_length), critical=True)
        .add_extension(_key_usage(profile), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(wanted.public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()), critical=False
        )
    )
    if profile.extended:
        usages = x509.ExtendedKeyUsage([_extended(name) for name in profile.extended])
        # RFC 3161, section 2.3: critical, and the only one, for a timestamp authority.
        builder = builder.add_extension(usages, critical=profile.extended == ("timeStamping",))
    if profile.no_check:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    if wanted.alternative_names:
        names = x509.SubjectAlternativeName(wanted.alternative_names)
        builder = builder.add_extension(names, critical=False)
    if issuer is not None:
        builder = _with_places(builder, places)
    return builder.sign(signer_key, signature_hash(signer_key))


def build_crl(
    issuer: Issuer,
    revoked: Iterable[Revoked],
    *,
    number: int,
    now: dt.datetime,
    valid: dt.timedelta = _CRL_VALID,
) -> x509.CertificateRevocationList:
    """Return the CRL of ``issuer``: complete, with a number that must grow."""
    with needs_extra():
        from cryptography import x509
    now = now.replace(microsecond=0)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(now + valid)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial).revocation_date(one.when)
        if one.reason != "unspecified":
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(one.reason)), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, signature_hash(issuer.key))


def signature_hash(key: SigningKey) -> Any:
    """Return the hash that ``cryptography`` signs with for a key; None for ML-DSA, which has its own."""
    from cryptography.hazmat.primitives import hashes

    if algorithm_of(key).startswith("ml-dsa"):
        return None
    return {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[digest_of(key)]


def _key_usage(profile: Profile) -> x509.KeyUsage:
    from cryptography import x509

    has = set(profile.key_usage)
    return x509.KeyUsage(
        digital_signature="digitalSignature" in has,
        content_commitment="nonRepudiation" in has,
        key_encipherment="keyEncipherment" in has,
        data_encipherment="dataEncipherment" in has,
        key_agreement="keyAgreement" in has,
        key_cert_sign="keyCertSign" in has,
        crl_sign="cRLSign" in has,
        encipher_only=False,
        decipher_only=False,
    )


def _extended(name: str) -> x509.ObjectIdentifier:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    known = {
        "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
        "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
        "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
        "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
        "timeStamping": ExtendedKeyUsageOID.TIME_STAMPING,
        "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
    }
    return known.get(name) or x509.ObjectIdentifier(name)


def _with_places(builder: x509.CertificateBuilder, places: Places) -> x509.CertificateBuilder:
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    access = [
        x509.AccessDescription(oid, x509.UniformResourceIdentifier(url))
        for oid, urls in (
            (AuthorityInformationAccessOID.OCSP, places.ocsp),
            (AuthorityInformationAccessOID.CA_ISSUERS, places.issuer),
        )
        for url in urls
    ]
    if access:
        builder = builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)
    if places.crl:
        points = [
            x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
            for url in places.crl
        ]
        builder = builder.add_extension(x509.CRLDistributionPoints(points), critical=False)
    return builder
