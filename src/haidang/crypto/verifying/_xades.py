"""What a signature in XML says of itself (XAdES, ETSI EN 319 132-1): time, certificate, timestamps, evidence.

Signed properties count only where the signature is over them: exactly one reference of their type leads to
exactly these. Unsigned ones are taken for what anybody may have put there: timestamps prove themselves, and
certificates and revocation data are believed through an anchor alone. Nothing here is trusted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from haidang.crypto.verdicts import Reason
from haidang.crypto.verifying._xades_archive import XadesArchive, read_archives
from haidang.crypto.verifying._xml_reading import (
    CANONICAL_XML,
    DS,
    QUALIFYING_PROPERTIES,
    XADES,
    XmlRefusedError,
    bytes_in,
    canonical,
    only_child,
    text_in,
)
from haidang.crypto.verifying._xml_references import DIGESTS, algorithm_refused
from haidang.crypto.verifying.chains import MOST_CERTIFICATES
from haidang.crypto.verifying.signer_infos import PARSER_ERRORS, Failure, unsound
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from haidang.crypto.verifying._xml_references import Covered, Reference

__all__ = ["Properties", "Stamp", "certificates_in", "read_properties"]

MOST_TIMESTAMPS = 16

_X: Final = f"{{{XADES}}}"
_SIGNED_PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"


class Stamp(NamedTuple):
    """A timestamp over the signature."""

    token: bytes
    content: bytes
    """What it must be of."""
    element: Any = None
    """The unsigned property that holds it."""


class Properties(NamedTuple):
    """What a signature says of itself."""

    claimed: dt.datetime | None = None
    certificates: tuple[tuple[str, bytes], ...] = ()
    """Algorithm and digest of the signer's certificate; empty where it is not named."""
    stamps: tuple[Stamp, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    brought: tuple[Any, ...] = ()
    """Certificates (``asn1crypto``)."""
    archives: tuple[XadesArchive, ...] = ()
    others_archived: bool = False
    """Whether there are archive timestamps of other forms."""

    def names(self, certificate: Any) -> bool:
        """Return whether ``certificate`` is the one that is named; each digest must be its own."""
        return bool(self.certificates) and all(
            hmac.compare_digest(hashlib.new(algorithm, certificate.dump()).digest(), digest)
            for algorithm, digest in self.certificates
        )


def read_properties(signature: Any, leading: Sequence[tuple[Reference, Covered]]) -> Properties:
    """Return what a signature says of itself; nothing where it is plain XML Signature.

    Args:
        signature: the element.
        leading: its references, each with what it leads to.

    Raises:
        XmlRefusedError: The properties are not sound, or not signed.
    """
    found = [
        one for each in signature.findall(f"{{{DS}}}Object") for one in each.findall(QUALIFYING_PROPERTIES)
    ]
    targets = [where.element for one, where in leading if one.kind == _SIGNED_PROPERTIES]
    if not found and not targets:
        return Properties()
    if len(found) != 1:
        raise XmlRefusedError(unsound(f"{len(found)} QualifyingProperties"))
    (qualifying,) = found
    signed = qualifying.findall(f"{_X}SignedProperties")
    if len(signed) != 1 or len(targets) != 1 or targets[0] is not signed[0]:
        raise XmlRefusedError(_not_signed())
    if qualifying.get("Target") != f"#{signature.get('Id')}":
        raise XmlRefusedError(unsound("Target of QualifyingProperties"))
    properties = _signed(signed[0])
    unsigned = qualifying.find(f"{_X}UnsignedProperties/{_X}UnsignedSignatureProperties")
    return properties if unsigned is None else _with_unsigned(properties, unsigned, signature)


def _not_signed() -> Failure:
    reason = Reason(
        "properties-not-signed",
        Message(N_("What the signature says of itself (time, certificate) is not signed.")),
        Message(N_("Do not rely on it. Fetch the file again, with its signature.")),
    )
    return Failure("TOTAL-FAILED", "FORMAT_FAILURE", reason)


def _signed(element: Any) -> Properties:
    own = only_child(element, f"{_X}SignedSignatureProperties")
    times = own.findall(f"{_X}SigningTime")
    named = [*own.findall(f"{_X}SigningCertificateV2"), *own.findall(f"{_X}SigningCertificate")]
    if len(times) > 1 or len(named) > 1:
        raise XmlRefusedError(unsound("SigningTime or SigningCertificate is there more than once"))
    claimed = _moment(text_in(times[0])) if times else None
    return Properties(claimed, tuple(_certificate_digests(named[0])) if named else ())


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise XmlRefusedError(unsound("SigningTime")) from error
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _certificate_digests(named: Any) -> Iterator[tuple[str, bytes]]:
    """Yield the digests of the first certificate that is named: the signer's (section 5.2.2)."""
    first = named.find(f"{_X}Cert")
    if first is None:
        raise XmlRefusedError(unsound("SigningCertificate"))
    for one in first.findall(f"{_X}CertDigest"):
        method = only_child(one, f"{{{DS}}}DigestMethod").get("Algorithm", "")
        if method not in DIGESTS:
            raise XmlRefusedError(algorithm_refused(method))
        yield DIGESTS[method], bytes_in(only_child(one, f"{{{DS}}}DigestValue"))


def _with_unsigned(properties: Properties, unsigned: Any, signature: Any) -> Properties:
    stamps = list(_stamps(unsigned, only_child(signature, f"{{{DS}}}SignatureValue")))
    values = unsigned.findall(f".//{_X}RevocationValues")
    held = unsigned.findall(f".//{_X}CertificateValues/{_X}EncapsulatedX509Certificate")
    archives, others = read_archives(unsigned)
    return properties._replace(
        stamps=tuple(stamps[:MOST_TIMESTAMPS]),
        crls=tuple(_values(values, f"{_X}CRLValues/{_X}EncapsulatedCRLValue")),
        ocsps=tuple(_values(values, f"{_X}OCSPValues/{_X}EncapsulatedOCSPValue")),
        brought=tuple(certificates_in(held)),
        archives=archives,
        others_archived=others,
    )


def _values(parents: Iterable[Any], path: str) -> list[bytes]:
    return [bytes_in(one) for each in parents for one in each.findall(path)][:MOST_CERTIFICATES]


def _stamps(unsigned: Any, value: Any) -> Iterator[Stamp]:
    """Yield the timestamps over the value of the signature (section 5.3)."""
    for one in unsigned.findall(f"{_X}SignatureTimeStamp"):
        method = one.find(f"{{{DS}}}CanonicalizationMethod")
        name = CANONICAL_XML if method is None else method.get("Algorithm", "")
        content = canonical(value, name)
        for token in one.findall(f"{_X}EncapsulatedTimeStamp"):
            yield Stamp(bytes_in(token), content, one)


def certificates_in(elements: Iterable[Any]) -> Iterator[Any]:
    """Yield the certificates (``asn1crypto``) that elements hold in base64.

    Raises:
        XmlRefusedError: One is not sound.
    """
    from asn1crypto import x509

    for one in list(elements)[:MOST_CERTIFICATES]:
        try:
            certificate = x509.Certificate.load(bytes_in(one), strict=True)
            certificate.sha256  # noqa: B018 -- has it parsed
            certificate.public_key.algorithm  # noqa: B018 -- likewise
        except PARSER_ERRORS as error:
            raise XmlRefusedError(unsound(str(error))) from error
        yield certificate
