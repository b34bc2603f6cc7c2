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

import contextlib
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.coroutines import finished
from haidang.crypto.extra import needs_extra
from haidang.crypto.lean import quiet_pyhanko
from haidang.crypto.trust import Trust, as_asn1
from haidang.crypto.verdicts import Reason
from haidang.crypto.verifying._chain_verdicts import (
    ChainVerdict,
    believed,
    certificate_name,
    disbelieved,
    ended_since,
    revoked_without_harm,
)
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
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

_UNSOUND = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


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
            return believed(current.path, now)
        moment = proven if proven is not None and proven < now else None
        if moment is not None:
            then = self._outcome(certificate, moment, extras, retroactive=True)
            if then.path is not None:
                return believed(then.path, moment, *ended_since(current.error, moment))
        harmless = purpose == "timestamping" and claimed is not None
        if harmless and revoked_without_harm(current.error, claimed):
            then = self._outcome(certificate, claimed, extras, retroactive=True)  # type: ignore[arg-type]
            if then.path is not None:
                return believed(then.path, now)
        return disbelieved(certificate, current.error, proven=proven, claimed=claimed, now=now)

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
            path = finished(validator.async_validate_path())
            if ocsps:
                finished(_heed_answers(path, context))
            return _Outcome(path=path)
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


async def _heed_answers(path: Any, context: Any) -> None:
    """Look at the OCSP answers on certificates that name no responder, which the validator passes over.

    Raises:
        ValidationError: One says that a certificate of the path is revoked.
    """
    from pyhanko_certvalidator._state import ValProcState
    from pyhanko_certvalidator.errors import OCSPNoMatchesError, OCSPValidationIndeterminateError
    from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response
    from pyhanko_certvalidator.util import ConsList, get_ocsp_urls

    for index, certificate in enumerate(path.iter_certs(include_root=False), 1):
        if not get_ocsp_urls(certificate):
            state = ValProcState(cert_path_stack=ConsList.sing(path), init_index=index)
            with contextlib.suppress(OCSPNoMatchesError, OCSPValidationIndeterminateError):
                await verify_ocsp_response(certificate, path, context, state)


@lru_cache(maxsize=4)
def chains_for(trust: Trust) -> Chains:
    """Return the :class:`Chains` that start from ``trust``, the same as the last time."""
    return Chains(trust)


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
