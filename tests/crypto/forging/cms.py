"""Signatures and timestamps that are damaged, expired, revoked or forged, each with the verdict it must get.

Everything is made anew by each run, with keys of its own: there is nothing secret and nothing to go stale.
The moment of verification is part of each case.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from haidang.crypto.pki.issuing import Issuer, Revoked, Wanted, build_crl, issue_certificate, subject_name
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.signers import Signatory
from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.timestamps.authority import TimestampAuthority
from haidang.crypto.trust import Trust, as_asn1
from tests.crypto.small_pki import MOMENT, SmallPki, small_pki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CONTENT", "Case", "cases", "plain_cms"]

CONTENT = b"Quy\xe1\xba\xbft \xc4\x91\xe1\xbb\x8bnh s\xe1\xbb\x91 12/Q\xc4\x90\n"
_SIGNED = MOMENT + dt.timedelta(hours=1)
_NOW = MOMENT + dt.timedelta(days=2)
_YEARS = dt.timedelta(days=365)
_WRONG_TYPE = "1.2.840.113549.1.7.5"


class Case(NamedTuple):
    """One forgery, or one genuine signature at a bad time."""

    name: str
    files: dict[str, bytes]
    """By name: ``doc`` and ``doc.p7s``, or ``doc`` and ``doc.tsr``."""
    indication: str
    subindication: str
    code: str
    """Of the first reason; "" where it holds without one."""
    trust: Trust
    now: dt.datetime


class _Maker:
    """Makes what the cases are made of."""

    def __init__(self) -> None:
        self.pki = small_pki()
        self.person = self.pki.signatory()
        self.tsa = self.pki.signatory("Dấu thời gian", "timestamp", unit="")
        self.trust = self.pki.trust()

    def stamper(self, at: dt.datetime = _SIGNED, signatory: Signatory | None = None) -> Any:
        return TimestampAuthority(signatory or self.tsa, clock=lambda: at).timestamper()

    def sign(
        self,
        signatory: Signatory | None = None,
        *,
        at: dt.datetime = _SIGNED,
        stamper: Any = None,
        content: bytes = CONTENT,
    ) -> bytes:
        who = signatory or self.person
        digest = hashlib.new(who.digest, content).digest()
        return sign_digest(who, digest, who.digest, now=at, timestamper=stamper)

    def revoked(self, *which: Signatory, days: float = 1, reason: str = "keyCompromise") -> Trust:
        certificates = [one.certificate for one in which]
        when = MOMENT + dt.timedelta(days=days)
        return self.pki.trust(certificates, now=when, when=when, reason=reason)


def cases() -> Iterator[Case]:
    """Yield all of them."""
    make = _Maker()
    yield from _genuine(make)
    yield from _damaged(make)
    yield from _times(make)
    yield from _revocations(make)
    yield from _chains(make)
    yield from _weak(make)
    yield from _stamps(make)


def _case(
    name: str,
    signature: bytes,
    verdict: tuple[str, str, str],
    trust: Trust,
    *,
    now: dt.datetime = _NOW,
    content: bytes = CONTENT,
) -> Case:
    return Case(name, {"doc": content, "doc.p7s": signature}, *verdict, trust, now)


_PASSED = ("TOTAL-PASSED", "", "")


def _genuine(make: _Maker) -> Iterator[Case]:
    yield _case("genuine B-B", make.sign(), _PASSED, make.trust)
    yield _case("genuine B-T", make.sign(stamper=make.stamper()), _PASSED, make.trust)
    for algorithm in ("rsa-3072", "ecdsa-p384", "ml-dsa-65"):
        who = make.pki.signatory(f"key {algorithm}", algorithm=algorithm)
        yield _case(f"genuine {algorithm}", make.sign(who), _PASSED, make.trust)
    yield _case("genuine without CAdES attributes", plain_cms(make.person), _PASSED, make.trust)


def _damaged(make: _Maker) -> Iterator[Case]:
    changed = ("TOTAL-FAILED", "HASH_FAILURE", "content-changed")
    forged = ("TOTAL-FAILED", "SIG_CRYPTO_FAILURE", "signature-wrong")
    damaged = ("TOTAL-FAILED", "FORMAT_FAILURE", "format")
    signature = make.sign()
    yield _case("one byte of the content", signature, changed, make.trust, content=CONTENT + b"!")
    yield _case("empty content", signature, changed, make.trust, content=b"")
    yield _case("signature of another file", make.sign(content=b"other"), changed, make.trust)
    yield _case("cut in half", signature[: len(signature) // 2], damaged, make.trust)
    yield _case("empty signature", b"", damaged, make.trust)
    yield _case("bytes behind the signature", signature + b"\0", damaged, make.trust)
    yield _case("random bytes", hashlib.sha512(b"x").digest() * 8, damaged, make.trust)
    yield _case("nested a thousand times", b"\x30\x80" * 1000, damaged, make.trust)
    yield _case("length beyond the end", b"\x30\x84\xff\xff\xff\xff" + signature[4:], damaged, make.trust)
    yield _case("nobody signed", _edited(signature, _no_signers), damaged, make.trust)
    yield _case("signature value", _edited(signature, _flip_value), forged, make.trust)
    yield _case("signing time", _edited(signature, _later), forged, make.trust)
    yield _case(
        "digest attribute fitted to other content", _fitted(signature), forged, make.trust, content=b"x"
    )
    no_certificate = ("INDETERMINATE", "NO_SIGNING_CERTIFICATE_FOUND", "signer-certificate-missing")
    yield _case("certificate taken out", _edited(signature, _no_certificates), no_certificate, make.trust)
    no_attributes = ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "signed-attributes-missing")
    taken_out = _edited(signature, _no_attributes)
    yield _case("signed attributes taken out", taken_out, no_attributes, make.trust)
    yield _case(
        "content type of the attributes", plain_cms(make.person, kind=_WRONG_TYPE), damaged, make.trust
    )
    yield _case("digest attribute twice", plain_cms(make.person, twice=True), damaged, make.trust)
    exchanged = ("INDETERMINATE", "NO_SIGNING_CERTIFICATE_FOUND", "certificate-exchanged")
    yield _case("certificate for the same key exchanged", _exchanged(make), exchanged, make.trust)


def _times(make: _Maker) -> Iterator[Case]:
    later = MOMENT + 4 * _YEARS
    old = make.pki.signatory("expired", days=10)
    ended = MOMENT + dt.timedelta(days=30)
    no_proof = ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", "certificate-expired")
    yield _case("expired, no timestamp", make.sign(old), no_proof, make.trust, now=ended)
    kept = ("TOTAL-PASSED", "", "certificate-expired-since")
    stamped = make.sign(old, stamper=make.stamper())
    yield _case("expired, timestamp before", stamped, kept, make.trust, now=ended)
    afterwards = make.sign(old, at=MOMENT + dt.timedelta(days=20))
    expired = ("TOTAL-FAILED", "EXPIRED", "certificate-expired")
    yield _case("signed after the end, by its own account", afterwards, expired, make.trust, now=ended)
    late = make.sign(old, stamper=make.stamper(MOMENT + dt.timedelta(days=20)))
    yield _case("timestamp after the end", late, no_proof, make.trust, now=ended)
    future = make.pki.signatory("not yet", now=MOMENT + dt.timedelta(days=100))
    not_yet = ("TOTAL-FAILED", "NOT_YET_VALID", "certificate-not-yet-valid")
    yield _case("not yet valid", make.sign(future), not_yet, make.trust)
    stale = make.pki.trust(valid=dt.timedelta(days=1))
    unknown = ("INDETERMINATE", "TRY_LATER", "revocation-unknown")
    yield _case("revocation list too old", make.sign(), unknown, stale, now=MOMENT + dt.timedelta(days=9))
    yield _case("no revocation list", make.sign(), unknown, make.trust._replace(crls=()))
    yield _case("everything ended", make.sign(), no_proof, make.trust, now=later)


def _revocations(make: _Maker) -> Iterator[Case]:
    trust = make.revoked(make.person)
    no_proof = ("INDETERMINATE", "REVOKED_NO_POE", "certificate-revoked")
    yield _case("revoked, no timestamp", make.sign(), no_proof, trust)
    kept = ("TOTAL-PASSED", "", "certificate-revoked-since")
    yield _case("revoked, timestamp before", make.sign(stamper=make.stamper()), kept, trust)
    late = make.sign(stamper=make.stamper(MOMENT + dt.timedelta(days=1, hours=1)))
    yield _case("revoked, timestamp after", late, no_proof, trust)
    after = make.sign(at=MOMENT + dt.timedelta(days=1, hours=1))
    failed = ("TOTAL-FAILED", "REVOKED", "certificate-revoked")
    yield _case("signed after the revocation, by its own account", after, failed, trust)
    entry = Revoked(make.pki.issuing.certificate.serial_number, MOMENT + dt.timedelta(days=1), "cACompromise")
    crl = build_crl(make.pki.root, [entry], number=9, now=MOMENT + dt.timedelta(days=1), valid=4 * _YEARS)
    above = make.trust._replace(crls=(crl.public_bytes(Encoding.DER), make.trust.crls[1]))
    authority = ("INDETERMINATE", "REVOKED_CA_NO_POE", "authority-revoked")
    yield _case("authority revoked", make.sign(), authority, above)


def _chains(make: _Maker) -> Iterator[Case]:
    unknown = ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "issuer-unknown")
    other = _other_pki()
    yield _case("issuer unknown", make.sign(other.signatory()), unknown, make.trust)
    yield _case("no anchors at all", make.sign(), unknown, make.trust._replace(anchors=()))
    alone = _self_signed()
    self_signed = ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "certificate-self-signed")
    yield _case("vouches for itself", make.sign(alone), self_signed, make.trust)
    wrong = ("INDETERMINATE", "CHAIN_CONSTRAINTS_FAILURE", "certificate-usage")
    for profile in ("server", "service", "mail", "ocsp", "timestamp"):
        who = make.pki.signatory(f"wrong {profile}", profile)
        yield _case(f"certificate for {profile}", make.sign(who), wrong, make.trust)
    forged = _forged(make)
    broken = ("INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "chain-broken")
    yield _case("certificate forged in the authority's name", make.sign(forged), broken, make.trust)
    by_person = _issued_by_person(make)
    yield _case("issued by one who is no authority", make.sign(by_person), broken, make.trust)


def _weak(make: _Maker) -> Iterator[Case]:
    weak = ("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", "algorithm-weak")
    yield _case("SHA-1", plain_cms(make.person, digest="sha1"), weak, make.trust)
    yield _case("MD5", plain_cms(_rsa(make, 3072), digest="md5"), weak, make.trust)
    key = ("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", "key-weak")
    yield _case("RSA-1024", plain_cms(_rsa(make, 1024)), key, make.trust)


def _stamps(make: _Maker) -> Iterator[Case]:
    not_believed = ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "timestamp-not-believed")
    stamped = make.sign(stamper=make.stamper())
    other = make.sign(stamper=make.stamper(), content=b"other")
    yield _case("timestamp of another signature", _with_stamp_of(stamped, other), not_believed, make.trust)
    stranger = _other_pki().signatory("Dấu thời gian lạ", "timestamp")
    unknown = make.sign(stamper=make.stamper(signatory=stranger))
    yield _case("timestamp of a stranger", unknown, not_believed, make.trust)
    future = make.sign(stamper=make.stamper(_NOW + dt.timedelta(days=1)))
    yield _case("timestamp from the future", future, not_believed, make.trust)
    revoked = make.revoked(make.tsa, days=0.5)
    yield _case("timestamp of a revoked key", stamped, not_believed, revoked)
    harmless = make.revoked(make.tsa, days=0.5, reason="superseded")
    yield _case("timestamp from before its authority was superseded", stamped, _PASSED, harmless)
    yield from _answers(make)


def _answers(make: _Maker) -> Iterator[Case]:
    """Yield timestamps that lie beside their file."""
    digest = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": hashlib.sha256(CONTENT).digest()}
    query = tsp.TimeStampReq({"version": 1, "message_imprint": digest, "cert_req": True}).dump()
    answer = TimestampAuthority(make.tsa, clock=lambda: _SIGNED).answer(query)

    def case(name: str, content: bytes, stamp: bytes, verdict: tuple[str, str, str]) -> Case:
        return Case(name, {"doc": content, "doc.tsr": stamp}, *verdict, make.trust, _NOW)

    yield case("timestamp beside its file", CONTENT, answer, _PASSED)
    yield case(
        "timestamp beside another file", b"x", answer, ("TOTAL-FAILED", "HASH_FAILURE", "timestamp-of-other")
    )
    position = answer.index(hashlib.sha256(CONTENT).digest())
    fitted = answer[:position] + hashlib.sha256(b"x").digest() + answer[position + 32 :]
    yield case(
        "timestamp fitted to another file", b"x", fitted, ("TOTAL-FAILED", "HASH_FAILURE", "content-changed")
    )
    refused = TimestampAuthority(make.tsa, clock=lambda: _SIGNED).answer(b"")
    damaged = ("TOTAL-FAILED", "FORMAT_FAILURE", "format")
    yield case("refusal taken for a timestamp", CONTENT, refused, damaged)


def plain_cms(
    who: Signatory, *, digest: str = "sha256", kind: str = "1.2.840.113549.1.7.1", twice: bool = False
) -> bytes:
    """Return a CMS signature as our own code never makes it: with any digest, without CAdES attributes."""
    certificate = as_asn1(who.certificate)
    value = core.OctetString(hashlib.new(digest, CONTENT).digest())
    attributes = cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": [cms.ContentType(kind)]}),
            cms.CMSAttribute({"type": "message_digest", "values": [value, value] if twice else [value]}),
        ]
    )
    rsa_key = isinstance(who.key, rsa.RSAPrivateKey)
    algorithm: Any = {"sha1": hashes.SHA1(), "md5": hashes.MD5(), "sha256": hashes.SHA256()}[digest]
    data = attributes.dump()
    signature = (
        who.key.sign(data, padding.PKCS1v15(), algorithm)
        if rsa_key
        else who.key.sign(data, ec.ECDSA(algorithm))
    )
    info: dict[str, Any] = {
        "version": "v1",
        "digest_algorithm": {"algorithm": digest},
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": f"{digest}_{'rsa' if rsa_key else 'ecdsa'}"},
        "signature": signature,
    }
    info["sid"] = cms.SignerIdentifier(
        name="issuer_and_serial_number",
        value={"issuer": certificate.issuer, "serial_number": certificate.serial_number},
    )
    signed = {
        "version": "v1",
        "digest_algorithms": [{"algorithm": digest}],
        "encap_content_info": {"content_type": "data"},
        "certificates": [cms.CertificateChoices(name="certificate", value=certificate)],
        "signer_infos": [info],
    }
    der: bytes = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)}).dump()
    return der


def _edited(signature: bytes, edit: Callable[[Any], None]) -> bytes:
    info = cms.ContentInfo.load(signature)
    edit(info["content"])
    der: bytes = info.dump()
    return der


def _no_signers(signed: Any) -> None:
    signed["signer_infos"] = []


def _no_certificates(signed: Any) -> None:
    signed["certificates"] = []


def _no_attributes(signed: Any) -> None:
    signed["signer_infos"][0]["signed_attrs"] = None


def _flip_value(signed: Any) -> None:
    value = bytearray(signed["signer_infos"][0]["signature"].native)
    value[-1] ^= 1
    signed["signer_infos"][0]["signature"] = bytes(value)


def _later(signed: Any) -> None:
    for attribute in signed["signer_infos"][0]["signed_attrs"]:
        if attribute["type"].native == "signing_time":
            attribute["values"] = [cms.Time({"utc_time": core.UTCTime(_SIGNED + dt.timedelta(hours=5))})]


def _fitted(signature: bytes) -> bytes:
    return signature.replace(hashlib.sha256(CONTENT).digest(), hashlib.sha256(b"x").digest())


def _with_stamp_of(signature: bytes, other: bytes) -> bytes:
    stamp = cms.CMSAttributes.load(
        cms.ContentInfo.load(other)["content"]["signer_infos"][0]["unsigned_attrs"].untag().dump()
    )

    def put(signed: Any) -> None:
        signed["signer_infos"][0]["unsigned_attrs"] = stamp

    return _edited(signature, put)


def _exchanged(make: _Maker) -> bytes:
    """Return a signature with another certificate of the same key, serial number and issuer."""
    wanted = Wanted(
        subject_name({"CN": "Somebody else", "O": "X"}),
        make.person.key.public_key(),
        load_profiles()["person"],
        serial=make.person.certificate.serial_number,
    )
    other = issue_certificate(make.pki.issuing, wanted, now=MOMENT)

    def put(signed: Any) -> None:
        signed["certificates"] = [cms.CertificateChoices(name="certificate", value=as_asn1(other))]

    return _edited(make.sign(), put)


def _other_pki() -> SmallPki:
    """Return an authority that nobody trusts, of other names."""
    root_key, issuing_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    profiles = load_profiles()
    name, below = subject_name({"CN": "Gốc lạ", "O": "Lạ"}), subject_name({"CN": "Cấp phát lạ", "O": "Lạ"})
    year_ago = MOMENT - _YEARS
    root = issue_certificate(
        None, Wanted(name, root_key.public_key(), profiles["root"]), now=year_ago, own_key=root_key
    )
    issuer = Issuer(root, root_key)
    issuing = issue_certificate(
        issuer, Wanted(below, issuing_key.public_key(), profiles["issuing"]), now=year_ago
    )
    return SmallPki(issuer, Issuer(issuing, issuing_key), "ecdsa-p256")


def _signatory(
    issuer: Issuer | None, key: Any, name: str, authorities: tuple[x509.Certificate, ...]
) -> Signatory:
    wanted = Wanted(subject_name({"CN": name, "O": "X"}), key.public_key(), load_profiles()["person"])
    return Signatory(key, issue_certificate(issuer, wanted, now=MOMENT, own_key=key), authorities)


def _self_signed() -> Signatory:
    return _signatory(None, ec.generate_private_key(ec.SECP256R1()), "Tự ký", ())


def _forged(make: _Maker) -> Signatory:
    """Return a certificate that names our authority and is signed with another key."""
    wrong = Issuer(make.pki.issuing.certificate, ec.generate_private_key(ec.SECP256R1()))
    wanted = Wanted(
        subject_name({"CN": "Giả mạo", "O": "X"}),
        (key := ec.generate_private_key(ec.SECP256R1())).public_key(),
        load_profiles()["person"],
    )
    certificate = issue_certificate(wrong, wanted, now=MOMENT)
    # As a forger would, with the identifier of the key that did not sign it.
    genuine = x509.AuthorityKeyIdentifier.from_issuer_public_key(make.pki.issuing.key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(certificate.subject)
        .issuer_name(certificate.issuer)
        .public_key(key.public_key())
        .serial_number(certificate.serial_number)
        .not_valid_before(certificate.not_valid_before_utc)
        .not_valid_after(certificate.not_valid_after_utc)
        .add_extension(genuine, critical=False)
    )
    for extension in certificate.extensions:
        if not isinstance(extension.value, x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return Signatory(key, builder.sign(wrong.key, hashes.SHA256()), (make.pki.issuing.certificate,))


def _issued_by_person(make: _Maker) -> Signatory:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = Issuer(make.person.certificate, make.person.key)
    return _signatory(issuer, key, "Cấp dưới", (make.person.certificate, make.pki.issuing.certificate))


def _rsa(make: _Maker, bits: int) -> Signatory:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return _signatory(make.pki.issuing, key, f"RSA {bits}", (make.pki.issuing.certificate,))
