"""Whether what a signature carries beside what is signed is sound, too.

A CMS signature covers its signed attributes. Certificates and unsigned attributes, such as timestamps, lie
beside them, and by the standard a damaged one does no harm while another chain is found. But a file in which
a single bit was changed is not the file that was signed, and whoever asks is told so:

- an embedded certificate is signed by the issuer that it names, where that issuer is known, and is no altered
  copy of a certificate that is known;
- an embedded revocation list is one, and is signed by the issuer that it names, where that issuer is known;
- no part is there that is not read;
- the versions and algorithms are those that the standard demands for the rest (RFC 5652, section 5);
- a timestamp lies under a name that is known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haidang.crypto.verdicts import Reason
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from haidang.crypto.verdicts import SignatureVerdict

__all__ = ["damaged_beside", "sound_beside", "unsound_beside"]

_DIGESTS = frozenset({"sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "shake256"})
_WITH_TOKENS = frozenset(
    {
        "signature_time_stamp_token",
        "content_time_stamp",
        "1.2.840.113549.1.9.16.2.20",  # content timestamp, RFC 5126
        "1.2.840.113549.1.9.16.2.25",  # escTimeStamp
        "1.2.840.113549.1.9.16.2.26",  # certCRLTimestamp
        "1.2.840.113549.1.9.16.2.27",  # archive timestamps of three generations
        "1.2.840.113549.1.9.16.2.48",
        "0.4.0.1733.2.4",
        "microsoft_time_stamp_token",
        "1.3.6.1.4.1.311.3.3.1",
    }
)
_DEEPEST = 3


def sound_beside(verdict: SignatureVerdict, signature: bytes, known: Iterable[Any]) -> SignatureVerdict:
    """Return the verdict on a signature; where it holds and what lies beside it is unsound, that it failed.

    Args:
        verdict: what holds of what is signed.
        signature: see :func:`unsound_beside`.
        known: likewise.
    """
    return damaged_beside(verdict, unsound_beside(signature, known)) if verdict.holds else verdict


def damaged_beside(verdict: SignatureVerdict, what: str) -> SignatureVerdict:
    """Return the verdict that a signature failed where ``what`` beside it was altered; as it is for ""."""
    if not what:
        return verdict
    reason = Reason(
        "damaged-beside",
        Message(N_("Something that lies beside the signature was altered ({detail})."), detail=what),
        Message(N_("Fetch the file again from whoever sent it.")),
    )
    return replace(
        verdict,
        indication="TOTAL-FAILED",
        subindication="FORMAT_FAILURE",
        reasons=(reason, *verdict.reasons),
    )


def unsound_beside(signature: bytes, known: Iterable[Any]) -> str:
    """Return what is unsound beside the signed part of a signature that holds; "" where nothing is.

    Args:
        signature: CMS SignedData, DER.
        known: certificates that are trusted or known (``asn1crypto``).
    """
    from asn1crypto import cms

    try:
        return _unsound(cms.ContentInfo.load(signature, strict=True), list(known), 0)
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        return str(error)[:200] or "?"


def _unsound(info: Any, known: list[Any], depth: int) -> str:
    """Return what is unsound in a SignedData, or ""."""
    from asn1crypto import parser

    if depth > _DEEPEST:
        return "timestamps within timestamps"
    # asn1crypto reads over octets behind the last part, into which a length may have been made to reach.
    parser.parse(info.contents[len(info["content_type"].dump()) :], strict=True)
    signed = info["content"]
    certificates = [one.chosen for one in signed["certificates"] or () if one.name == "certificate"]
    return (
        _unread(signed)
        or _versions(signed)
        or _names(signed, [*certificates, *known])
        or _algorithms(signed)
        or _certificates(certificates, known)
        or _lists(signed, [*certificates, *known])
        or _attributes(signed, [*known, *certificates], depth)
    )


def _versions(signed: Any) -> str:
    kinds = {one.name for one in signed["certificates"] or ()}
    by_key = False
    for one in signed["signer_infos"]:
        key = one["sid"].name == "subject_key_identifier"
        by_key = by_key or key
        if one["version"].native != ("v3" if key else "v1"):
            return "version of the signer"
    data = signed["encap_content_info"]["content_type"].native == "data"
    if "other" in kinds | {one.name for one in signed["crls"] or ()}:
        wanted = "v5"
    elif "v2_attr_cert" in kinds:
        wanted = "v4"
    else:
        wanted = "v1" if data and not by_key and "v1_attr_cert" not in kinds else "v3"
    return "" if signed["version"].native == wanted else "version"


def _unread(signed: Any) -> str:
    """Return whether there is a part that no field is read from; asn1crypto passes over those at the end."""
    from asn1crypto import core, parser

    for whole in (signed, *signed["signer_infos"]):
        fields = sum(not isinstance(whole[name], core.Void) for name in whole)
        rest, parts = whole.contents, 0
        while rest:
            rest = rest[parser.peek(rest) :]
            parts += 1
        if parts != fields:
            return "a part"
    return ""


def _names(signed: Any, certificates: Sequence[Any]) -> str:
    """Return whether a signer is named otherwise than the certificate does; asn1crypto folds case."""
    issuers = {(one.serial_number, one.issuer.dump()) for one in certificates}
    for one in signed["signer_infos"]:
        if one["sid"].name == "issuer_and_serial_number":
            named = one["sid"].chosen
            if (named["serial_number"].native, named["issuer"].dump()) not in issuers:
                return "name of the signer"
    return ""


def _algorithms(signed: Any) -> str:
    named = {one["algorithm"].native for one in signed["digest_algorithms"]}
    used = {one["digest_algorithm"]["algorithm"].native for one in signed["signer_infos"]}
    if not used <= named or not named <= _DIGESTS:
        return "digest algorithms"
    several = [*signed["digest_algorithms"], *(one["digest_algorithm"] for one in signed["signer_infos"])]
    wrong = any(one["parameters"].native is not None for one in several)
    return "parameters of an algorithm" if wrong else ""


def _certificates(embedded: Sequence[Any], known: Sequence[Any]) -> str:
    issuers: dict[bytes, list[Any]] = {}
    for one in (*known, *embedded):
        issuers.setdefault(one.subject.dump(), []).append(one)
    same = {one.sha256 for one in known}
    for one in embedded:
        if one.sha256 in same:
            continue
        if _has_unused_bits(one["signature_value"]):
            return "certificate"
        candidates = issuers.get(one.issuer.dump(), [])
        if candidates:
            if not any(_issued(one, issuer) for issuer in candidates):
                return "certificate"
        elif any(_twins(one, other) for other in known):
            return "certificate"
    return ""


def _issued(certificate: Any, issuer: Any) -> bool:
    """Return whether ``issuer`` signed ``certificate``; what cannot be computed counts as signed."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.x509 import InvalidVersion

    try:
        _loaded(certificate).verify_directly_issued_by(_loaded(issuer))
    except UnsupportedAlgorithm:
        return True
    except (InvalidSignature, InvalidVersion, ValueError, TypeError):
        return False
    return True


def _loaded(certificate: Any) -> Any:
    """Return a certificate of asn1crypto as one of cryptography."""
    import warnings

    from cryptography.x509 import load_der_x509_certificate

    with warnings.catch_warnings():
        # cryptography warns of serial numbers that RFC 5280 forbids; what the signature says is enough.
        warnings.simplefilter("ignore")
        return load_der_x509_certificate(certificate.dump())


def _has_unused_bits(signature: Any) -> bool:
    """Return whether a BIT STRING states unused bits: a signature has none, and covers not this number."""
    return bool(signature.contents[:1] != b"\0")


def _lists(signed: Any, certificates: Sequence[Any]) -> str:
    """Return whether a revocation list is none; certificates can be made to stand in their place."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import load_der_x509_crl

    for choice in signed["crls"] or ():
        if choice.name != "crl":
            continue
        try:
            one = load_der_x509_crl(choice.chosen.dump())
            name = one.issuer.public_bytes()
            issuers = [each for each in certificates if each.subject.dump() == name]
            if _has_unused_bits(choice.chosen["signature"]) or (
                issuers and not any(_signed_by(one, each) for each in issuers)
            ):
                return "revocation list"
        except UnsupportedAlgorithm:
            continue
        except ValueError:
            return "revocation list"
    return ""


def _signed_by(revocations: Any, issuer: Any) -> bool:
    from cryptography.x509 import InvalidVersion

    try:
        return bool(revocations.is_signature_valid(_loaded(issuer).public_key()))
    except (InvalidVersion, ValueError, TypeError):
        return False


def _twins(one: Any, other: Any) -> bool:
    """Return whether one certificate is a copy of the other that was altered."""
    subject = one.subject.dump() == other.subject.dump()
    serial = one.serial_number == other.serial_number
    key = one.public_key.dump() == other.public_key.dump()
    return [subject, serial, key].count(True) >= 2


def _attributes(signed: Any, known: list[Any], depth: int) -> str:
    from asn1crypto import cms

    for signer in signed["signer_infos"]:
        for attribute in signer["unsigned_attrs"] or ():
            for value in attribute["values"]:
                if not _is_token(value):
                    if attribute["type"].native in _WITH_TOKENS:
                        return "timestamp"
                    continue
                if attribute["type"].native not in _WITH_TOKENS:
                    return "name of a timestamp"
                token = cms.ContentInfo.load(value.dump(), strict=True)
                if what := _unsound(token, known, depth + 1):
                    return f"timestamp: {what}"
    return ""


def _is_token(value: Any) -> bool:
    """Return whether a value of an attribute is a signature of its own."""
    from asn1crypto import cms

    try:
        info = cms.ContentInfo.load(value.dump())
        return bool(info["content_type"].native == "signed_data")
    except (AttributeError, LookupError, TypeError, ValueError):
        return False
