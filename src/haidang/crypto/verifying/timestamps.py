"""Timestamps (RFC 3161): whether a token proves that something was there at its time.

Rules:

- The token is over what is asked for; its one signer names its certificate in a signed attribute (RFC 5816).
- The certificate is one for timestamps and nothing else, was valid at the token's time, and its chain holds
  now (or at a moment that a later timestamp proves, for archives).
- A token from the future proves nothing.

Example::

    verdict = verify_token(token, lambda name: hashlib.new(name, signature).digest(), chains, now=now)
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from haidang.crypto.extra import needs_extra
from haidang.crypto.verdicts import Reason, SignatureVerdict
from haidang.crypto.verifying._beside import sound_beside
from haidang.crypto.verifying.algorithms import weak_digest
from haidang.crypto.verifying.chains import MOST_CERTIFICATES, certificate_name
from haidang.crypto.verifying.signer_infos import (
    PARSER_ERRORS,
    Failure,
    check_signer,
    embedded_certificates,
    unsound,
)
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from haidang.crypto.verifying.chains import Chains

__all__ = ["FUTURE", "verify_token"]

FUTURE = dt.timedelta(minutes=5)
"""How far clocks may differ before a token counts as one from the future."""


def verify_token(
    token: Any,
    imprint: Callable[[str], bytes],
    chains: Chains,
    *,
    now: dt.datetime,
    proven: dt.datetime | None = None,
    others: Iterable[Any] = (),
    crls: Sequence[bytes] = (),
    ocsps: Sequence[bytes] = (),
) -> SignatureVerdict:
    """Return what holds of a token; ``proven_time`` is its time where it is believed.

    Args:
        token: a ContentInfo, DER or ``asn1crypto``.
        imprint: returns the digest of what was stamped, by the name of an algorithm.
        chains: judges the authority's certificate.
        now: the present.
        proven: a moment at which the token is proven to have been there, by a later one.
        others: more certificates that may lead to an anchor.
        crls: CRLs that came along.
        ocsps: OCSP answers that came along.
    """
    extras = (tuple(others), tuple(crls), tuple(ocsps))
    try:
        verdict = _verify(token, imprint, chains, now, proven, extras)
        der = token if isinstance(token, bytes) else token.dump()
        return sound_beside(verdict, der, (*extras[0], *chains.certificates))
    except PARSER_ERRORS as error:
        return _failed(unsound(str(error)))


def _verify(
    token: Any,
    imprint: Callable[[str], bytes],
    chains: Chains,
    now: dt.datetime,
    proven: dt.datetime | None,
    extras: tuple[tuple[Any, ...], tuple[bytes, ...], tuple[bytes, ...]],
) -> SignatureVerdict:
    with needs_extra():
        from asn1crypto import cms, tsp
    others, crls, ocsps = extras
    info = cms.ContentInfo.load(token, strict=True) if isinstance(token, bytes) else token
    if info["content_type"].native != "signed_data":
        return _failed(unsound("not a SignedData"))
    signed_data = info["content"]
    content = signed_data["encap_content_info"]["content"]
    if signed_data["encap_content_info"]["content_type"].native != "tst_info" or content is None:
        return _failed(unsound("not a timestamp token"))
    octets = bytes(content)
    stamped = tsp.TSTInfo.load(octets, strict=True)
    if len(signed_data["signer_infos"]) != 1:
        return _failed(unsound("a timestamp has one signer"))
    embedded = embedded_certificates(signed_data, MOST_CERTIFICATES)
    signer = check_signer(
        signed_data["signer_infos"][0],
        [*embedded, *others, *chains.certificates],
        content_type="tst_info",
        digest=lambda name: hashlib.new(name, octets).digest(),
    )
    at: dt.datetime = stamped["gen_time"].native
    verdict = SignatureVerdict(
        "TOTAL-PASSED",
        level="RFC3161",
        signer=chains.facts(signer.certificate),
        claimed_time=at,
        evidence={
            "policy": stamped["policy"].dotted,
            "serial": f"{stamped['serial_number'].native:x}",
            "digest": stamped["message_imprint"]["hash_algorithm"]["algorithm"].native,
            "signature": signer.signature_algorithm,
        },
    )
    failure = signer.failure or _imprint(stamped, imprint)
    if failure is None and not signer.has_certificate_reference:
        failure = unsound("the token does not name its certificate")
    failure = failure or _time(at, signer.certificate, now)
    if failure is not None:
        return _failed(failure, verdict)
    chain = chains.judge(
        signer.certificate,
        purpose="timestamping",
        now=now,
        proven=proven,
        claimed=at,
        others=[*embedded, *others],
        crls=crls,
        ocsps=ocsps,
    )
    return _with(
        verdict,
        indication=chain.indication,
        subindication=chain.subindication,
        proven_time=at if chain.holds else None,
        time_authority=verdict.signer,
        reasons=chain.reasons,
        evidence={**verdict.evidence, **chain.evidence},
    )


def _imprint(stamped: Any, imprint: Callable[[str], bytes]) -> Failure | None:
    algorithm = stamped["message_imprint"]["hash_algorithm"]["algorithm"].native
    weak = weak_digest({algorithm})
    if not hmac.compare_digest(stamped["message_imprint"]["hashed_message"].native, imprint(algorithm)):
        reason = Reason(
            "timestamp-of-other",
            Message(N_("The timestamp is of something else, or what it is of was changed.")),
            Message(N_("Do not rely on it. Fetch the file again, with its timestamp.")),
        )
        return Failure("TOTAL-FAILED", "HASH_FAILURE", reason)
    return Failure("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", weak) if weak else None


def _time(at: dt.datetime, certificate: Any, now: dt.datetime) -> Failure | None:
    if at > now + FUTURE:
        reason = Reason(
            "timestamp-from-future",
            Message(N_("The timestamp is from the future: {date}."), date=at),
            Message(N_("Check the clock of this machine.")),
        )
        return Failure("INDETERMINATE", "TIMESTAMP_ORDER_FAILURE", reason)
    if certificate.not_valid_before <= at <= certificate.not_valid_after:
        return None
    reason = Reason(
        "timestamp-outside-validity",
        Message(
            N_("The certificate of {name} was not valid at the time of the timestamp."),
            name=certificate_name(certificate),
        ),
        Message(N_("Do not rely on this timestamp.")),
    )
    return Failure("TOTAL-FAILED", "EXPIRED", reason)


def _failed(failure: Failure, verdict: SignatureVerdict | None = None) -> SignatureVerdict:
    return _with(
        verdict or SignatureVerdict("TOTAL-FAILED", level="RFC3161"),
        indication=failure.indication,
        subindication=failure.subindication,
        reasons=(failure.reason,),
    )


def _with(verdict: SignatureVerdict, **changes: Any) -> SignatureVerdict:
    from dataclasses import replace

    return replace(verdict, **changes)
