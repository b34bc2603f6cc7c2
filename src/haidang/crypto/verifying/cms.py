"""CMS and CAdES signatures (RFC 5652, ETSI EN 319 122-1), ours and those of others, into verdicts.

What is signed is handed in as a function from the name of a digest algorithm to the digest, so files of any
size are read once. Content inside the signature is hashed here. Nothing that the signature holds is trusted.

Example::

    verdict = verify_cms(signature, lambda name: digest_of_file(path, name), trust, now=now)
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.extra import needs_extra
from haidang.crypto.verdicts import Reason, SignatureVerdict
from haidang.crypto.verifying._archive_stamps import ArchiveStamps, doubts
from haidang.crypto.verifying._beside import sound_beside
from haidang.crypto.verifying._cms_evidence import Brought, evidence_of, revocation_in
from haidang.crypto.verifying.chains import MOST_CERTIFICATES, Chains, chains_for
from haidang.crypto.verifying.signer_infos import (
    PARSER_ERRORS,
    Failure,
    Signed,
    check_signer,
    embedded_certificates,
    unsound,
)
from haidang.crypto.verifying.timestamps import verify_token
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence

    from haidang.crypto.trust import Trust

__all__ = [
    "LARGEST_SIGNATURE",
    "archive_timestamp_ignored",
    "content_inside",
    "judge_signer",
    "verify_cms",
    "verify_signers",
]

LARGEST_SIGNATURE = 64 << 20
"""Bytes of a signature, with the content where it is inside."""
MOST_SIGNERS = 64
MOST_TIMESTAMPS = 16
"""Timestamps of one signer that are looked at."""

_PEM = re.compile(
    rb"-----BEGIN (?P<what>CMS|PKCS7|PKCS #7 SIGNED DATA)-----\n(?P<text>(?:[A-Za-z0-9+/=]{1,76}\n)+)"
    rb"-----END (?P=what)-----\n?"
)
_SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
_OLDER_ARCHIVE_TIME_STAMPS = {"1.2.840.113549.1.9.16.2.48", "1.2.840.113549.1.9.16.2.27"}
"""The forerunners of EN 319 122-1, section 5.5.3."""


class _Parts(NamedTuple):
    """What a SignedData holds beside its signers."""

    signed_data: Any
    content_type: str
    certificates: list[Any]
    crls: list[bytes]
    ocsps: list[bytes]


def verify_cms(
    signature: bytes,
    digest: Callable[[str], bytes],
    trust: Trust | Chains,
    *,
    now: dt.datetime,
    level_prefix: str = "CAdES",
) -> SignatureVerdict:
    """Return what holds of a signature; of the worst, where there are several signers.

    Args:
        signature: CMS SignedData, DER or PEM.
        digest: returns the digest of the detached content by the name of an algorithm.
        trust: what is believed, or chains that know more (of moments that are proven, for a start).
        now: the present.
        level_prefix: what the level begins with, e.g. ``ASiC-E/CAdES``.
    """
    verdicts = verify_signers(signature, digest, trust, now=now, level_prefix=level_prefix)
    worst = {"TOTAL-FAILED": 0, "INDETERMINATE": 1, "TOTAL-PASSED": 2}
    return min(verdicts, key=lambda verdict: worst[verdict.indication])


def verify_signers(
    signature: bytes,
    digest: Callable[[str], bytes] | None,
    trust: Trust | Chains,
    *,
    now: dt.datetime,
    level_prefix: str = "CAdES",
) -> tuple[SignatureVerdict, ...]:
    """Return what holds of each signer, at least one; see :func:`verify_cms`.

    ``digest`` None means that the content is inside; content inside goes before content outside.
    """
    chains = trust if isinstance(trust, Chains) else chains_for(trust)
    try:
        return _verify(signature, digest, chains, now, level_prefix)
    except PARSER_ERRORS as error:
        return (_verdict(unsound(str(error)), level_prefix),)


def content_inside(signature: bytes) -> bytes | None:
    """Return the content that a SignedData holds; None where it is detached.

    Raises:
        ValueError: This is no SignedData.
    """
    try:
        content = _signed_data(_der(signature))["encap_content_info"]["content"]
        return _octets(content)
    except PARSER_ERRORS as error:
        raise ValueError(str(error)) from error


def _verify(
    signature: bytes,
    digest: Callable[[str], bytes] | None,
    chains: Chains,
    now: dt.datetime,
    prefix: str,
) -> tuple[SignatureVerdict, ...]:
    if len(signature) > LARGEST_SIGNATURE:
        return (_verdict(unsound(f"more than {LARGEST_SIGNATURE} bytes"), prefix),)
    signature = _der(signature)
    signed_data = _signed_data(signature)
    inside = _octets(signed_data["encap_content_info"]["content"])
    if inside is not None:
        digest = lambda name: hashlib.new(name, inside).digest()  # noqa: E731 -- a closure over bytes
    if digest is None:
        return (_verdict(_no_content(), prefix),)
    known = _once(digest)
    parts = _Parts(
        signed_data,
        signed_data["encap_content_info"]["content_type"].native,
        embedded_certificates(signed_data, MOST_CERTIFICATES),
        *revocation_in(signed_data),
    )
    infos = list(signed_data["signer_infos"])
    if not infos:
        return (_verdict(unsound("nobody signed"), prefix),)
    if len(infos) > MOST_SIGNERS:
        return (_verdict(unsound(f"more than {MOST_SIGNERS} signers"), prefix),)
    verdicts = (_signer(info, parts, known, chains, now, prefix) for info in infos)
    return tuple(sound_beside(one, signature, chains.certificates) for one in verdicts)


def _der(signature: bytes) -> bytes:
    """Return a signature without the armour of PEM (RFC 7468), which may hold nothing that is not read."""
    if not signature.lstrip().startswith(b"-----BEGIN"):
        return signature
    armour = _PEM.fullmatch(signature.replace(b"\r\n", b"\n"))
    if armour is None:
        raise ValueError("the armour of PEM")
    text = armour["text"].replace(b"\n", b"")
    der = base64.b64decode(text, validate=True)
    if base64.b64encode(der) != text:
        raise ValueError("the armour of PEM")
    return der


def _signed_data(signature: bytes) -> Any:
    with needs_extra():
        # asn1crypto heeds no name that is added to its lists after their first use. The attributes of CMS
        # that this module adds must be there before, so that who verifies first can sign afterwards.
        import asn1crypto.tsp  # noqa: F401
        from asn1crypto import cms
    info = cms.ContentInfo.load(signature, strict=True)
    if info["content_type"].native != "signed_data":
        raise ValueError(f"this is {info['content_type'].native}, not a signature")
    return info["content"]


def _octets(content: Any) -> bytes | None:
    """Return the content of an EncapsulatedContentInfo, or of a ContentInfo of PKCS #7."""
    from asn1crypto import core

    if content is None or isinstance(content, core.Void) or content.native is None:
        return None
    if isinstance(content, core.OctetString | core.ParsableOctetString):
        return bytes(content)
    return bytes(content.contents)


def _once(digest: Callable[[str], bytes]) -> Callable[[str], bytes]:
    """Return ``digest``, which reads the content once for each algorithm."""
    found: dict[str, bytes] = {}

    def remembered(name: str) -> bytes:
        if name not in found:
            found[name] = digest(name)
        return found[name]

    return remembered


def _signer(
    info: Any,
    parts: _Parts,
    digest: Callable[[str], bytes],
    chains: Chains,
    now: dt.datetime,
    prefix: str,
) -> SignatureVerdict:
    # Before anything else looks at the attributes: asn1crypto must know the label's type when it reads them.
    labels = _labels(info)
    own = evidence_of(info)
    parts = parts._replace(
        certificates=[*parts.certificates, *own.certificates],
        crls=[*parts.crls, *own.crls],
        ocsps=[*parts.ocsps, *own.ocsps],
    )
    signed = check_signer(
        info,
        [*parts.certificates, *chains.certificates],
        content_type=parts.content_type,
        digest=digest,
    )
    if signed.failure is not None and signed.failure.indication == "TOTAL-FAILED":
        return _verdict(signed.failure, prefix, signed, chains)
    brought = Brought(parts.certificates, parts.crls, parts.ocsps)
    archived = ArchiveStamps(info, parts.signed_data, digest, chains, now=now, brought=brought)
    stamps = _timestamps(info, signed, brought, archived, now)
    kept = bool(brought.crls or brought.ocsps)
    level = _level(prefix, signed, stamps, kept=kept, archived=archived.proof is not None)
    if signed.failure is not None:
        return replace(_verdict(signed.failure, prefix, signed, chains), level=level)
    stamps += (one for one in archived.verdicts if one.indication != "INDETERMINATE")
    verdict = judge_signer(signed, stamps, brought, chains, now=now, level=level)
    return replace(
        verdict,
        reasons=(*verdict.reasons, *doubts(archived.verdicts), *_archived(info)),
        evidence={**verdict.evidence, **labels},
    )


def judge_signer(
    signed: Signed,
    stamps: Sequence[SignatureVerdict],
    brought: Brought,
    chains: Chains,
    *,
    now: dt.datetime,
    level: str,
) -> SignatureVerdict:
    """Return what follows for a signature that is one over its content: is its signer believed, and when?

    Args:
        signed: the signer, without a failure.
        stamps: the verdicts on the timestamps over the signature.
        brought: what came along.
        chains: judges the certificate.
        now: the present.
        level: what the verdict calls the form.
    """
    believed = [one for one in stamps if one.holds and one.proven_time is not None]
    earliest = min(believed, key=lambda one: one.proven_time or now, default=None)
    proven = earliest.proven_time if earliest else None
    chain = chains.judge(
        signed.certificate,
        purpose="signing",
        now=now,
        proven=proven,
        claimed=signed.claimed,
        others=brought.certificates,
        crls=brought.crls,
        ocsps=brought.ocsps,
    )
    verdict = SignatureVerdict(
        chain.indication,
        chain.subindication,
        level=level,
        signer=chains.facts(signed.certificate),
        claimed_time=signed.claimed,
        proven_time=proven,
        time_authority=earliest.signer if earliest else None,
        reasons=chain.reasons,
        evidence={
            "digest": signed.digest_algorithm,
            "signature": signed.signature_algorithm,
            "timestamps": [one.to_json() for one in stamps],
            **chain.evidence,
        },
    )
    return _with_timestamps(verdict, stamps)


def _timestamps(
    info: Any, signed: Signed, brought: Brought, archived: ArchiveStamps, now: dt.datetime
) -> list[SignatureVerdict]:
    """Return the verdicts on the signature timestamps (ETSI EN 319 122-1, section 5.3)."""
    found: list[SignatureVerdict] = []
    for attribute in info["unsigned_attrs"] or ():
        if attribute["type"].dotted != _SIGNATURE_TIME_STAMP:
            continue
        found.extend(
            verify_token(
                token.dump(),
                lambda name: hashlib.new(name, signed.signature).digest(),
                archived.chains_for(_SIGNATURE_TIME_STAMP, token.dump()),
                now=now,
                others=brought.certificates,
                crls=brought.crls,
                ocsps=brought.ocsps,
            )
            for token in list(attribute["values"])[:MOST_TIMESTAMPS]
        )
    return found[:MOST_TIMESTAMPS]


def _labels(info: Any) -> dict[str, str]:
    from haidang.crypto.marking.attribute import labels_of

    labels = labels_of(info)
    return {"labels": "; ".join(labels)} if labels else {}


def _level(prefix: str, signed: Signed, stamps: list[SignatureVerdict], *, kept: bool, archived: bool) -> str:
    """Return the level (EN 319 122-1, section 6).

    ``kept`` is whether it brings revocation data along, ``archived`` whether an archive timestamp proves it.
    """
    if not signed.has_certificate_reference:
        return prefix.replace("CAdES", "CMS")
    if not stamps:
        return f"{prefix}-B-B"
    if not kept:
        return f"{prefix}-B-T"
    return f"{prefix}-B-LTA" if archived else f"{prefix}-B-LT"


def _archived(info: Any) -> Iterator[Reason]:
    """Yield that there are archive timestamps of older forms, of which nothing is believed."""
    if any(one["type"].dotted in _OLDER_ARCHIVE_TIME_STAMPS for one in info["unsigned_attrs"] or ()):
        yield archive_timestamp_ignored()


def archive_timestamp_ignored() -> Reason:
    """Return the note that archive timestamps of older forms are no proof here."""
    return Reason(
        "archive-timestamp-not-judged",
        Message(N_("It has archive timestamps, which are not looked at: they prove nothing here.")),
        severity="note",
    )


def _with_timestamps(verdict: SignatureVerdict, stamps: Sequence[SignatureVerdict]) -> SignatureVerdict:
    """Return the verdict where a timestamp that is not believed does not pass in silence."""
    wrong = next((one for one in stamps if not one.holds), None)
    if wrong is None:
        return verdict
    reason = Reason(
        "timestamp-not-believed",
        Message(N_("The timestamp on the signature is not believed: {why}"), why=wrong.reasons[0].message),
        wrong.reasons[0].hint,
    )
    if not verdict.holds:
        return replace(verdict, reasons=(*verdict.reasons, reason))
    return replace(
        verdict,
        indication="INDETERMINATE",
        subindication="SIG_CONSTRAINTS_FAILURE",
        reasons=(*verdict.reasons, reason),
    )


def _verdict(
    failure: Failure, prefix: str, signed: Signed | None = None, chains: Chains | None = None
) -> SignatureVerdict:
    certificate = signed.certificate if signed is not None else None
    evidence = (
        {"digest": signed.digest_algorithm, "signature": signed.signature_algorithm}
        if signed is not None
        else {}
    )
    return SignatureVerdict(
        failure.indication,
        failure.subindication,
        level=prefix.replace("CAdES", "CMS"),
        signer=chains.facts(certificate) if chains is not None else None,
        claimed_time=signed.claimed if signed is not None else None,
        reasons=(failure.reason,),
        evidence=evidence,
    )


def _no_content() -> Failure:
    reason = Reason(
        "content-missing",
        Message(N_("The file that was signed is not there.")),
        Message(N_("Put the signed file beside its signature, or name it.")),
    )
    return Failure("INDETERMINATE", "SIGNED_DATA_NOT_FOUND", reason)
