"""What follows for a signature from what the validator says of its certificate's chain, in words for people.

Subindications are those of ETSI EN 319 102-1, section 5.1.4.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from haidang.crypto.verdicts import Indication, Reason, Subindication
from haidang.i18n import N_
from haidang.messages import Message

__all__ = [
    "ChainVerdict",
    "believed",
    "certificate_name",
    "disbelieved",
    "ended_since",
    "revoked_without_harm",
]

# RFC 3161, section 4: tokens from before a revocation for these reasons stay good.
_HARMLESS_TO_TOKENS = frozenset(
    {"unspecified", "affiliation_changed", "superseded", "cessation_of_operation"}
)


class ChainVerdict(NamedTuple):
    """What holds of a certificate, for one signature."""

    indication: Indication
    subindication: Subindication = ""
    reasons: tuple[Reason, ...] = ()
    chain: tuple[Any, ...] = ()
    """Certificates (``asn1crypto``) from the signer's to the anchor; empty where no chain holds."""
    evidence: dict[str, Any] = {}  # noqa: RUF012 -- never changed; a NamedTuple has no factories

    @property
    def holds(self) -> bool:
        """Whether the certificate may be believed."""
        return self.indication == "TOTAL-PASSED"


def certificate_name(certificate: Any) -> str:
    """Return what people call the subject of a certificate (``asn1crypto``)."""
    try:
        native = certificate.subject.native
        name = (
            native.get("common_name") or native.get("organization_name") or certificate.subject.human_friendly
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return "?"
    return name if isinstance(name, str) else str(name[0])


def believed(path: Any, moment: dt.datetime, *reasons: Reason) -> ChainVerdict:
    chain = tuple(reversed(list(path.iter_certs(include_root=True))))
    evidence = {
        "validated_at": moment.isoformat(),
        "chain": [{"subject": one.subject.human_friendly, "sha256": one.sha256.hex()} for one in chain],
    }
    return ChainVerdict("TOTAL-PASSED", "", reasons, chain, evidence)


def ended_since(error: Exception | None, proven: dt.datetime) -> tuple[Reason, ...]:
    """Return what came to an end after the signature was proven to be there."""
    from pyhanko_certvalidator.errors import ExpiredError, RevokedError

    if isinstance(error, ExpiredError):
        said = Message(
            N_("The certificate ended on {date}; a timestamp proves the signature before that, on {proven}."),
            date=_day(error.expired_dt),
            proven=_day(proven),
        )
        return (Reason("certificate-expired-since", said, severity="note"),)
    if isinstance(error, RevokedError):
        said = Message(
            N_(
                "The certificate was revoked on {date}; "
                "a timestamp proves the signature before that, on {proven}."
            ),
            date=_day(error.revocation_dt),
            proven=_day(proven),
        )
        return (Reason("certificate-revoked-since", said, severity="note"),)
    return ()


def revoked_without_harm(error: Exception | None, stamped: dt.datetime | None) -> bool:
    from pyhanko_certvalidator.errors import RevokedError

    return (
        isinstance(error, RevokedError)
        and error.is_ee_cert
        and error.reason.native in _HARMLESS_TO_TOKENS
        and stamped is not None
        and stamped < error.revocation_dt
    )


def disbelieved(
    certificate: Any,
    error: Exception | None,
    *,
    proven: dt.datetime | None,
    claimed: dt.datetime | None,
    now: dt.datetime,
) -> ChainVerdict:
    """Return what follows from the validator's error."""
    from pyhanko_certvalidator.errors import (
        DisallowedAlgorithmError,
        ExpiredError,
        InsufficientRevinfoError,
        InvalidCertificateError,
        NotYetValidError,
        PathBuildingError,
        PathValidationError,
        RevokedError,
    )

    name = certificate_name(certificate)
    if isinstance(error, RevokedError):
        return _revoked(name, error, claimed)
    if isinstance(error, ExpiredError):
        return _expired(name, error, claimed)
    if isinstance(error, NotYetValidError):
        return _not_yet_valid(name, error, proven or now)
    if isinstance(error, DisallowedAlgorithmError):
        reason = Reason(
            "certificate-weak",
            Message(
                N_("A certificate in the chain of {name} uses an algorithm that is too weak."), name=name
            ),
            Message(N_("Ask the signer for a certificate with a stronger key, and to sign again.")),
        )
        return ChainVerdict("INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", (reason,), evidence=_said(error))
    if isinstance(error, InsufficientRevinfoError):
        reason = Reason(
            "revocation-unknown",
            Message(N_("It is not known whether the certificate of {name} was revoked."), name=name),
            Message(N_("Bring the newest revocation list (CRL) of its authority into the trust folder.")),
        )
        return ChainVerdict("INDETERMINATE", "TRY_LATER", (reason,), evidence=_said(error))
    if isinstance(error, InvalidCertificateError | PathBuildingError):
        return _no_chain(certificate, name, error)
    if isinstance(error, PathValidationError):
        reason = Reason(
            "chain-broken",
            Message(N_("The chain from the certificate of {name} to a trusted root is broken."), name=name),
            Message(N_("Do not rely on it. The certificate may be forged: ask its authority.")),
        )
        return ChainVerdict(
            "INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", (reason,), evidence=_said(error)
        )
    reason = Reason(
        "certificate-unsound",
        Message(N_("The certificate of {name} is not sound."), name=name),
        Message(N_("Do not rely on it.")),
    )
    return ChainVerdict(
        "INDETERMINATE", "CERTIFICATE_CHAIN_GENERAL_FAILURE", (reason,), evidence=_said(error)
    )


def _revoked(name: str, error: Any, claimed: dt.datetime | None) -> ChainVerdict:
    evidence = {
        "revoked_at": error.revocation_dt.isoformat(),
        "revocation_reason": error.reason.native,
        **_said(error),
    }
    if not error.is_ee_cert:
        reason = Reason(
            "authority-revoked",
            Message(
                N_("The certificate of an authority above {name} was revoked on {date}."),
                name=name,
                date=_day(error.revocation_dt),
            ),
            Message(N_("Do not rely on it. Ask the signer to sign again with a new certificate.")),
        )
        return ChainVerdict("INDETERMINATE", "REVOKED_CA_NO_POE", (reason,), evidence=evidence)
    after = claimed is not None and claimed >= error.revocation_dt
    template = (
        N_("The certificate of {name} was revoked on {date}, before it was used to sign.")
        if after
        else N_("The certificate of {name} was revoked on {date}; nothing proves that it signed before.")
    )
    reason = Reason(
        "certificate-revoked",
        Message(template, name=name, date=_day(error.revocation_dt)),
        Message(N_("Do not rely on it. Ask the signer to sign again with a new certificate.")),
    )
    if after:
        return ChainVerdict("TOTAL-FAILED", "REVOKED", (reason,), evidence=evidence)
    return ChainVerdict("INDETERMINATE", "REVOKED_NO_POE", (reason,), evidence=evidence)


def _expired(name: str, error: Any, claimed: dt.datetime | None) -> ChainVerdict:
    after = claimed is not None and claimed > error.expired_dt
    template = (
        N_("The certificate of {name} had ended on {date}, before it was used to sign.")
        if after
        else N_("A certificate of {name} ended on {date}; nothing proves that it signed before.")
    )
    reason = Reason(
        "certificate-expired",
        Message(template, name=name, date=_day(error.expired_dt)),
        Message(N_("Ask the signer to sign again with a valid certificate, and with a timestamp.")),
    )
    evidence = {"expired_at": error.expired_dt.isoformat(), **_said(error)}
    if after and error.is_ee_cert:
        return ChainVerdict("TOTAL-FAILED", "EXPIRED", (reason,), evidence=evidence)
    return ChainVerdict("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", (reason,), evidence=evidence)


def _not_yet_valid(name: str, error: Any, existed: dt.datetime) -> ChainVerdict:
    reason = Reason(
        "certificate-not-yet-valid",
        Message(
            N_("The certificate of {name} is valid only from {date}, and the signature was there before."),
            name=name,
            date=_day(error.valid_from),
        ),
        Message(N_("Check the clock of this machine; if it is right, ask the signer to sign again.")),
    )
    evidence = {"valid_from": error.valid_from.isoformat(), **_said(error)}
    if error.is_ee_cert and existed < error.valid_from:
        return ChainVerdict("TOTAL-FAILED", "NOT_YET_VALID", (reason,), evidence=evidence)
    return ChainVerdict("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE", (reason,), evidence=evidence)


def _no_chain(certificate: Any, name: str, error: Exception) -> ChainVerdict:
    if certificate.subject == certificate.issuer:
        reason = Reason(
            "certificate-self-signed",
            Message(N_("The certificate of {name} vouches for itself: nobody known does."), name=name),
            Message(N_("Do not rely on it, unless you got its fingerprint from the signer in another way.")),
        )
    else:
        reason = Reason(
            "issuer-unknown",
            Message(
                N_("The certificate of {name} is from {issuer}, which this machine does not trust."),
                name=name,
                issuer=certificate.issuer.human_friendly,
            ),
            Message(N_("If you trust this authority, bring its root certificate into the trust folder.")),
        )
    return ChainVerdict("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", (reason,), evidence=_said(error))


def _said(error: Exception | None) -> dict[str, Any]:
    return {"validator": str(error)} if error is not None else {}


def _day(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(microsecond=0)
