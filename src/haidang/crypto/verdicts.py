"""What verification says of a document: ETSI EN 319 102-1's indications, with reasons for people.

A :class:`DocumentVerdict` has a :class:`SignatureVerdict` for each signature. A document holds when it has at
least one signature and every one of them is ``TOTAL-PASSED``. A reason is stated once, as a template and its
values; people read it in their language, ``to_json`` has it in English beside its code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

__all__ = [
    "CertificateFacts",
    "DocumentVerdict",
    "Indication",
    "Reason",
    "SignatureVerdict",
    "Subindication",
    "marking_of",
]

Indication: TypeAlias = Literal["TOTAL-PASSED", "TOTAL-FAILED", "INDETERMINATE"]

Subindication: TypeAlias = Literal[
    "",
    # TOTAL-FAILED
    "FORMAT_FAILURE",
    "HASH_FAILURE",
    "SIG_CRYPTO_FAILURE",
    "REVOKED",
    "EXPIRED",
    "NOT_YET_VALID",
    # INDETERMINATE
    "SIG_CONSTRAINTS_FAILURE",
    "CHAIN_CONSTRAINTS_FAILURE",
    "CERTIFICATE_CHAIN_GENERAL_FAILURE",
    "CRYPTO_CONSTRAINTS_FAILURE",
    "POLICY_PROCESSING_ERROR",
    "TIMESTAMP_ORDER_FAILURE",
    "NO_SIGNING_CERTIFICATE_FOUND",
    "NO_CERTIFICATE_CHAIN_FOUND",
    "REVOKED_NO_POE",
    "REVOKED_CA_NO_POE",
    "OUT_OF_BOUNDS_NOT_REVOKED",
    "OUT_OF_BOUNDS_NO_POE",
    "REVOCATION_OUT_OF_BOUNDS_NO_POE",
    "CRYPTO_CONSTRAINTS_FAILURE_NO_POE",
    "NO_POE",
    "TRY_LATER",
    "SIGNED_DATA_NOT_FOUND",
]
"""EN 319 102-1, tables 5 and 6; ``""`` beside TOTAL-PASSED."""

_NOTHING = Message("")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was checked, or found."""

    code: str
    """What it is, for programs: lower case with dashes, e.g. ``certificate-revoked``; it never changes."""
    message: Message
    hint: Message = _NOTHING
    """What to do about it."""
    severity: Literal["ok", "note", "warning", "error"] = "error"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": str(self.message),
            **({"hint": str(self.hint)} if str(self.hint) else {}),
        }


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What people need to know of a certificate."""

    name: str
    """Common name of the subject."""
    organisation: str
    unit: str
    subject: str
    """The whole subject, RFC 4514."""
    issuer: str
    serial: str
    """Hexadecimal."""
    sha256: str
    """Fingerprint of the DER."""
    algorithm: str
    not_before: dt.datetime
    not_after: dt.datetime

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "name": self.name,
            "organisation": self.organisation,
            "unit": self.unit,
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "sha256": self.sha256,
            "algorithm": self.algorithm,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What holds of one signature."""

    indication: Indication
    subindication: Subindication = ""
    level: str = ""
    """What it is: ``PAdES-B-LT``, ``CAdES-B-T``, ``ASiC-E/CAdES-B-T``, ``CMS``, ``C2PA``, ``RFC3161``."""
    signer: CertificateFacts | None = None
    claimed_time: dt.datetime | None = None
    """When the signer says that it signed."""
    proven_time: dt.datetime | None = None
    """When a time stamping authority that is believed had seen it; None without one."""
    time_authority: CertificateFacts | None = None
    covers: tuple[str, ...] = ()
    """Names of what is signed, e.g. files of a container; empty for a document as a whole."""
    reasons: tuple[Reason, ...] = ()
    evidence: dict[str, Any] = field(default_factory=dict)
    """More for programs: digests, chain, revocation sources; JSON values."""

    @property
    def holds(self) -> bool:
        """Whether everything about it holds."""
        return self.indication == "TOTAL-PASSED"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "indication": self.indication,
            "subindication": self.subindication or None,
            "level": self.level,
            "signer": self.signer and self.signer.to_json(),
            "claimed_time": self.claimed_time and self.claimed_time.isoformat(),
            "proven_time": self.proven_time and self.proven_time.isoformat(),
            "time_authority": self.time_authority and self.time_authority.to_json(),
            "covers": list(self.covers),
            "reasons": [reason.to_json() for reason in self.reasons],
            "evidence": self.evidence,
        }


@dataclass(frozen=True, slots=True)
class DocumentVerdict:
    """What holds of one document."""

    path: str
    kind: str
    """What it was taken for: ``pdf``, ``cms``, ``asic-e``, ``asic-s``, ``xml``, ``c2pa``, ``timestamp``, …"""
    signatures: tuple[SignatureVerdict, ...] = ()
    reasons: tuple[Reason, ...] = ()
    """What holds of the document as a whole, e.g. that it has no signature."""
    marking: dict[str, Any] = field(default_factory=dict)
    """TLP and label, where its signed metadata has them."""

    @property
    def indication(self) -> Indication:
        """The worst of its signatures; ``TOTAL-FAILED`` where an error concerns the whole document."""
        if any(reason.severity == "error" for reason in self.reasons):
            return "TOTAL-FAILED"
        found = {signature.indication for signature in self.signatures}
        if "TOTAL-FAILED" in found:
            return "TOTAL-FAILED"
        return "TOTAL-PASSED" if found == {"TOTAL-PASSED"} else "INDETERMINATE"

    @property
    def holds(self) -> bool:
        """Whether it is signed and everything about every signature holds."""
        return self.indication == "TOTAL-PASSED"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "path": self.path,
            "kind": self.kind,
            "holds": self.holds,
            "indication": self.indication,
            "signatures": [signature.to_json() for signature in self.signatures],
            "reasons": [reason.to_json() for reason in self.reasons],
            "marking": self.marking or None,
        }


def marking_of(signatures: Iterable[SignatureVerdict]) -> dict[str, str]:
    """Return the labels that a signature of this content carries; none of a signature that failed."""
    labels = [one.evidence.get("labels", "") for one in signatures if one.indication != "TOTAL-FAILED"]
    return next(({"labels": one} for one in labels if one), {})
