"""Whether a certificate may be believed for what it signed: chain, usage, validity, revocation, time.

The path is built and validated by pyhanko-certvalidator (RFC 5280); here is what follows from its answer
for a signature (ETSI EN 319 102-1, sections 5.2.6, 5.5 and 5.6), with nothing fetched:

- A chain must hold now. Where it does not hold any more (an end of validity, a revocation), it is enough that
  it held at the moment at which a believed timestamp proves that the signature was there.
- A signer's own claim of time never speaks for it. It speaks against it: who claims to have signed after the
  end of the certificate, or after its revocation, did so (``TOTAL-FAILED``); otherwise it cannot be told
  (``INDETERMINATE``, ``…_NO_POE``).
- Revocation data is demanded for every certificate below the anchor. Data made after a certificate's end
  says nothing of it, unless it promises to (``expiredCertsOnCRL``): authorities may drop what has ended.

One :class:`Chains` serves many signatures: it keeps what it parsed, and what it found for a certificate.
:func:`chains_for` keeps the last few by what they trust.

Example::

    found = chains_for(trust).judge(certificate, purpose="signing", now=now, proven=timestamp_time)
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.coroutines import finished
from haidang.crypto.extra import needs_extra
from haidang.crypto.lean import quiet_pyhanko
from haidang.crypto.trust import Trust, as_asn1
from haidang.crypto.verdicts import Indication, Reason, Subindication
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from haidang.crypto.verdicts import CertificateFacts

__all__ = ["ChainVerdict", "Chains", "Purpose", "certificate_name", "chains_for"]

Purpose: TypeAlias = Literal["signing", "timestamping"]

MOST_CERTIFICATES = 100
"""How many certificates that a signature brings along are looked at."""

MOST_REMEMBERED = 10_000
"""How many outcomes are remembered before they are forgotten."""

_DOCUMENT_SIGNING = frozenset(
    {
        "email_protection",
        "any_extended_key_usage",
        "1.3.6.1.5.5.7.3.36",  # documentSigning, RFC 9336
        "1.3.6.1.4.1.311.10.3.12",  # Microsoft's document signing
        "1.2.840.113583.1.1.5",  # Adobe's authentic documents trust
        "microsoft_document_signing",
        "adobe_authentic_documents_trust",
    }
)

# RFC 3161, section 4: tokens from before a revocation for these reasons stay good.
_HARMLESS_TO_TOKENS = frozenset(
    {"unspecified", "affiliation_changed", "superseded", "cessation_of_operation"}
)


_UNSOUND = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


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


class _Outcome(NamedTuple):
    """What the validator said at one moment."""

    path: Any = None
    error: Exception | None = None


class _Extras(NamedTuple):
    """What a signature brings along, beside what is trusted."""

    certificates: tuple[Any, ...]
    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]
    key: bytes


class Chains:
    """Judges certificates against what is trusted; remembers what it found."""

    def __init__(self, trust: Trust) -> None:
        """Start from ``trust``, which is parsed once."""
        with needs_extra():
            from asn1crypto import crl, ocsp
        quiet_pyhanko()
        self.trust = trust
        self._anchors = [as_asn1(one) for one in trust.anchors]
        self._authorities = [as_asn1(one) for one in trust.authorities]
        self._crls = [crl.CertificateList.load(one) for one in trust.crls]
        self._ocsps = [ocsp.OCSPResponse.load(one) for one in trust.ocsps]
        self._found: dict[tuple[object, ...], _Outcome] = {}
        self._facts: dict[bytes, CertificateFacts] = {}

    @property
    def certificates(self) -> list[Any]:
        """The certificates that are known, of anchors and authorities (``asn1crypto``)."""
        return [*self._authorities, *self._anchors]

    def facts(self, certificate: Any) -> CertificateFacts | None:
        """Return what people need to know of a certificate (``asn1crypto``), if there is one."""
        if certificate is None:
            return None
        found = self._facts.get(certificate.sha256)
        if found is None:
            from cryptography import x509

            try:
                found = certificate_facts(x509.load_der_x509_certificate(certificate.dump()))
            except (TypeError, ValueError, x509.InvalidVersion):  # names of impossible types, for a start
                return None
            self._facts[certificate.sha256] = found
        return found

    def judge(
        self,
        certificate: Any,
        *,
        purpose: Purpose,
        now: dt.datetime,
        proven: dt.datetime | None = None,
        claimed: dt.datetime | None = None,
        others: Iterable[Any] = (),
        crls: Sequence[bytes] = (),
        ocsps: Sequence[bytes] = (),
    ) -> ChainVerdict:
        """Return whether ``certificate`` may be believed.

        Args:
            certificate: the signer's (``asn1crypto.x509.Certificate``).
            purpose: what it signed: a document, or a timestamp.
            now: the present.
            proven: a moment at which the signature is proven to have been there.
            claimed: when the signer claims to have signed.
            others: certificates that the signature brings along; believed through an anchor alone.
            crls: CRLs that it brings along, DER.
            ocsps: OCSP answers that it brings along, DER.
        """
        extras = _extras(others, crls, ocsps)
        wrong = _usage(certificate, purpose)
        if wrong:
            return ChainVerdict("INDETERMINATE", "CHAIN_CONSTRAINTS_FAILURE", (wrong,))
        current = self._outcome(certificate, now, extras, retroactive=False)
        if current.path is not None:
            return _believed(current.path, now)
        moment = proven if proven is not None and proven < now else None
        if moment is not None:
            then = self._outcome(certificate, moment, extras, retroactive=True)
            if then.path is not None:
                return _believed(then.path, moment, *_since(current.error, moment))
        harmless = purpose == "timestamping" and claimed is not None
        if harmless and _revoked_without_harm(current.error, claimed):
            then = self._outcome(certificate, claimed, extras, retroactive=True)  # type: ignore[arg-type]
            if then.path is not None:
                return _believed(then.path, now)
        return _disbelieved(certificate, current.error, proven=proven, claimed=claimed, now=now)

    def _outcome(
        self, certificate: Any, moment: dt.datetime, extras: _Extras, *, retroactive: bool
    ) -> _Outcome:
        key = (certificate.sha256, moment, retroactive, extras.key)
        if len(self._found) > MOST_REMEMBERED:
            self._found.clear()
        if key not in self._found:
            self._found[key] = self._validate(certificate, moment, extras, retroactive=retroactive)
        return self._found[key]

    def _validate(
        self, certificate: Any, moment: dt.datetime, extras: _Extras, *, retroactive: bool
    ) -> _Outcome:
        with needs_extra():
            from cryptography.exceptions import UnsupportedAlgorithm
            from pyhanko_certvalidator import CertificateValidator, ValidationContext
            from pyhanko_certvalidator.errors import PathError, ValidationError
        crls, ocsps = self._revocation(extras)
        if retroactive:
            crls = _of_use(crls, [certificate, *self._authorities, *extras.certificates])
        try:
            context = ValidationContext(
                trust_roots=self._anchors,
                other_certs=[*self._authorities, *extras.certificates],
                crls=crls,
                ocsps=ocsps,
                moment=moment,
                allow_fetching=False,
                revocation_mode="require",
                retroactive_revinfo=retroactive,
            )
            validator = CertificateValidator(certificate, validation_context=context)
            return _Outcome(path=finished(validator.async_validate_path()))
        except (ValidationError, PathError) as error:
            return _Outcome(error=error)
        except (UnsupportedAlgorithm, *_UNSOUND) as error:
            # What asn1crypto and cryptography raise for certificates and answers that are not sound.
            return _Outcome(error=error)

    def _revocation(self, extras: _Extras) -> tuple[list[Any], list[Any]]:
        from asn1crypto import crl, ocsp

        return (
            [*self._crls, *(crl.CertificateList.load(one) for one in extras.crls)],
            [*self._ocsps, *(ocsp.OCSPResponse.load(one) for one in extras.ocsps)],
        )


@lru_cache(maxsize=4)
def chains_for(trust: Trust) -> Chains:
    """Return the :class:`Chains` that start from ``trust``, the same as the last time."""
    return Chains(trust)


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


def _extras(others: Iterable[Any], crls: Sequence[bytes], ocsps: Sequence[bytes]) -> _Extras:
    certificates = tuple(others)[:MOST_CERTIFICATES]
    digest = hashlib.sha256()
    for part in (sorted(one.sha256 for one in certificates), crls, ocsps):
        for one in part:
            digest.update(hashlib.sha256(one).digest())
        digest.update(b"|")
    return _Extras(certificates, tuple(crls), tuple(ocsps), digest.digest())


def _usage(certificate: Any, purpose: Purpose) -> Reason | None:
    """Return why a certificate is not for this purpose; None where it is."""
    try:
        key_usage = certificate.key_usage_value
        usages = set(key_usage.native) if key_usage is not None else None
        extended = certificate.extended_key_usage_value
        purposes = set(extended.native) if extended is not None else None
        critical = "extended_key_usage" in certificate.critical_extensions
    except (ValueError, TypeError, KeyError, AttributeError):
        usages, purposes, critical = set(), set(), False
    signs = usages is None or bool(usages & {"digital_signature", "non_repudiation"})
    if purpose == "timestamping":
        if signs and critical and purposes == {"time_stamping"}:
            return None
        return Reason(
            "time-authority-usage",
            Message(
                N_("The certificate of {name} is not for timestamps."), name=certificate_name(certificate)
            ),
            Message(N_("Ask the authority for a timestamp that a certificate for timestamps signed.")),
        )
    committed = usages is not None and "non_repudiation" in usages
    if signs and (purposes is None or committed or purposes & _DOCUMENT_SIGNING):
        return None
    return Reason(
        "certificate-usage",
        Message(
            N_("The certificate of {name} is not for signing documents."), name=certificate_name(certificate)
        ),
        Message(N_("Ask the signer to sign with a certificate for documents.")),
    )


def _of_use(crls: list[Any], certificates: list[Any]) -> list[Any]:
    """Return the CRLs that still speak of certificates which ended since."""
    last: dict[bytes, dt.datetime] = {}
    for one in certificates:
        issuer = one.issuer.dump()
        last[issuer] = max(one.not_valid_after, last.get(issuer, one.not_valid_after))
    return [one for one in crls if _speaks(one, last.get(one.issuer.dump()))]


def _speaks(crl: Any, end: dt.datetime | None) -> bool:
    if end is None:
        return True
    if crl["tbs_cert_list"]["this_update"].native <= end:
        return True
    for extension in crl["tbs_cert_list"]["crl_extensions"] or ():
        if extension["extn_id"].dotted == "2.5.29.60":
            return True
    return False


def _believed(path: Any, moment: dt.datetime, *reasons: Reason) -> ChainVerdict:
    chain = tuple(reversed(list(path.iter_certs(include_root=True))))
    evidence = {
        "validated_at": moment.isoformat(),
        "chain": [{"subject": one.subject.human_friendly, "sha256": one.sha256.hex()} for one in chain],
    }
    return ChainVerdict("TOTAL-PASSED", "", reasons, chain, evidence)


def _since(error: Exception | None, proven: dt.datetime) -> tuple[Reason, ...]:
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


def _revoked_without_harm(error: Exception | None, stamped: dt.datetime | None) -> bool:
    from pyhanko_certvalidator.errors import RevokedError

    return (
        isinstance(error, RevokedError)
        and error.is_ee_cert
        and error.reason.native in _HARMLESS_TO_TOKENS
        and stamped is not None
        and stamped < error.revocation_dt
    )


def _disbelieved(
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
