"""A time stamping authority: what it answers to a request (RFC 3161, with ESSCertIDv2 of RFC 5816).

Rules:

- Bytes in, bytes out: whoever serves it over HTTP (:mod:`haidang.crypto.timestamps.server`) knows nothing of
  ASN.1. Requests are not trusted; whatever is in them, the answer is a granted token or a refusal.
- It stamps SHA-256, SHA-384, SHA-512 and their SHA-3 siblings, under its own policy only.
- A serial number is the time in nanoseconds, then 64 random bits: none repeats, across restarts and across
  processes, and nothing needs to be kept.
- It states its accuracy, and not that its tokens are ordered.

Example::

    answer = authority.answer(request)
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from haidang.crypto.coroutines import finished
from haidang.crypto.extra import needs_extra
from haidang.errors import SigningError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.crypto.signers import Signatory

__all__ = ["ACCEPTED_DIGESTS", "DEFAULT_POLICY", "LARGEST_REQUEST", "TimestampAuthority"]

LARGEST_REQUEST = 16 << 10
"""Bytes; a request has a digest, a nonce and at most some extensions."""
_LARGEST_NONCE = 64
"""Octets."""

ACCEPTED_DIGESTS = {
    name: hashlib.new(name).digest_size
    for name in ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512")
}

DEFAULT_POLICY = "0.4.0.2023.1.1"
"""The best practices policy for time stamps (BTSP) of ETSI EN 319 421, where there is none of its own."""

_GRANTED, _REJECTION = 0, 2
# Bits of PKIFailureInfo, RFC 3161, section 2.4.2.
_BAD_ALG, _BAD_REQUEST, _BAD_DATA_FORMAT = 0, 2, 5
_TIME_NOT_AVAILABLE, _UNACCEPTED_POLICY, _UNACCEPTED_EXTENSION, _SYSTEM_FAILURE = 14, 15, 16, 25


class _RefusedError(Exception):
    """Why no token is given: a bit of PKIFailureInfo and a sentence."""

    def __init__(self, bit: int, sentence: str) -> None:
        super().__init__(sentence)
        self.bit = bit
        self.sentence = sentence


class _Asked(NamedTuple):
    imprint: Any
    algorithm: str
    nonce: int | None
    certificates: bool


class TimestampAuthority:
    """Answers requests with tokens that one key signs."""

    def __init__(
        self,
        signatory: Signatory,
        *,
        clock: Callable[[], dt.datetime],
        policy: str = DEFAULT_POLICY,
        accuracy: dt.timedelta = dt.timedelta(seconds=1),
        random: Callable[[int], int] = secrets.randbits,
    ) -> None:
        """Stamp with the key of ``signatory`` the time that ``clock`` tells (aware, UTC).

        Raises:
            SigningError: The certificate is not one of a time stamping authority.
        """
        _check_certificate(signatory)
        self._signatory = signatory
        self._signer = signatory.pyhanko_signer()
        self._clock = clock
        self._policy = policy
        self._accuracy = accuracy
        self._random = random

    def answer(self, request: bytes) -> bytes:
        """Return the answer (DER TimeStampResp) to a request (DER TimeStampReq)."""
        try:
            asked = self._read(request)
            token = self._stamp(asked)
        except _RefusedError as refusal:
            return _response(_REJECTION, None, refusal)
        return _response(_GRANTED, token, None)

    def timestamper(self) -> Any:
        """Return a pyHanko ``TimeStamper`` that asks this authority without a network."""
        with needs_extra():
            from asn1crypto import tsp
            from pyhanko.sign.timestamps.api import TimeStamper
        authority = self

        class DirectTimeStamper(TimeStamper):
            async def async_request_tsa_response(self, req: Any) -> Any:
                try:
                    asked = authority._read(req.dump())
                    token = await authority._stamp_async(asked)
                except _RefusedError as refusal:
                    from pyhanko.sign.timestamps.common_utils import TimestampRequestError

                    raise TimestampRequestError(refusal.sentence) from refusal
                return tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token})

        return DirectTimeStamper()  # type: ignore[no-untyped-call]

    def _read(self, request: bytes) -> _Asked:
        with needs_extra():
            from asn1crypto import tsp
        if len(request) > LARGEST_REQUEST:
            raise _RefusedError(_BAD_DATA_FORMAT, "the request is too large")
        try:
            parsed = tsp.TimeStampReq.load(request, strict=True)
            version = parsed["version"].native
            imprint = parsed["message_imprint"]
            algorithm = imprint["hash_algorithm"]["algorithm"].native
            hashed = imprint["hashed_message"].native
            policy = parsed["req_policy"].native
            nonce = parsed["nonce"].native
            nonce_octets = len(parsed["nonce"].contents or b"") if nonce is not None else 0
            certificates = bool(parsed["cert_req"].native)
            extensions = len(parsed["extensions"])
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            raise _RefusedError(_BAD_DATA_FORMAT, "the request is not a TimeStampReq") from None
        if version != "v1":
            raise _RefusedError(_BAD_REQUEST, "the version is not 1")
        if algorithm not in ACCEPTED_DIGESTS:
            raise _RefusedError(_BAD_ALG, f"the digest algorithm is not one of {', '.join(ACCEPTED_DIGESTS)}")
        if len(hashed) != ACCEPTED_DIGESTS[algorithm]:
            raise _RefusedError(_BAD_DATA_FORMAT, "the digest has not the length of its algorithm")
        if policy is not None and parsed["req_policy"].dotted != self._policy:
            raise _RefusedError(_UNACCEPTED_POLICY, f"the policy is {self._policy}")
        if nonce_octets > _LARGEST_NONCE:
            raise _RefusedError(_BAD_REQUEST, f"the nonce is longer than {_LARGEST_NONCE} octets")
        if extensions:
            raise _RefusedError(_UNACCEPTED_EXTENSION, "no extension is known")
        return _Asked(
            tsp.MessageImprint({"hash_algorithm": {"algorithm": algorithm}, "hashed_message": hashed}),
            algorithm,
            nonce,
            certificates,
        )

    def _stamp(self, asked: _Asked) -> Any:
        return finished(self._stamp_async(asked))

    async def _stamp_async(self, asked: _Asked) -> Any:
        from asn1crypto import cms, core, tsp
        from pyhanko.sign.general import SigningError as LibrarySigningError
        from pyhanko.sign.general import as_signing_certificate_v2

        now = self._clock()
        certificate = self._signatory.certificate
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise _RefusedError(_TIME_NOT_AVAILABLE, "the certificate of the authority is not valid now")
        content = tsp.TSTInfo(self._info(asked, now)).dump()
        algorithm = self._signatory.digest
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("message_digest", hashlib.new(algorithm, content).digest()),
                _attribute("signing_time", cms.Time({"utc_time": core.UTCTime(now.replace(microsecond=0))})),
                _attribute(
                    "signing_certificate_v2", as_signing_certificate_v2(self._signer.signing_cert, "sha256")
                ),
            ]
        )
        encapsulated = cms.EncapsulatedContentInfo(
            {"content_type": "tst_info", "content": cms.ParsableOctetString(content)}
        )
        try:
            token = await self._signer.async_sign_prescribed_attributes(
                algorithm, attributes, cms_version="v3", encap_content_info=encapsulated
            )
        except (LibrarySigningError, ValueError) as error:
            raise _RefusedError(_SYSTEM_FAILURE, "the key cannot sign") from error
        if not asked.certificates:
            # RFC 3161, section 2.4.1: no certificates unless they are asked for.
            token["content"]["certificates"] = None
        return token

    def _info(self, asked: _Asked, now: dt.datetime) -> dict[str, Any]:
        from asn1crypto import x509

        seconds, micros = divmod(self._accuracy // dt.timedelta(microseconds=1), 1_000_000)
        since_1970 = (now - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
        info: dict[str, Any] = {
            "version": "v1",
            "policy": self._policy,
            "message_imprint": asked.imprint,
            "serial_number": since_1970 << 64 | self._random(64),
            "gen_time": now.replace(microsecond=0),
            "accuracy": {
                "seconds": seconds,
                **({"millis": micros // 1000} if micros // 1000 else {}),
                **({"micros": micros % 1000} if micros % 1000 else {}),
            },
            "tsa": x509.GeneralName(name="directory_name", value=self._signer.signing_cert.subject),
        }
        if asked.nonce is not None:
            info["nonce"] = asked.nonce
        return info


def _attribute(name: str, value: Any) -> dict[str, Any]:
    return {"type": name, "values": (value,)}


def _check_certificate(signatory: Signatory) -> None:
    """Refuse a certificate that verifiers would refuse (RFC 3161, section 2.3)."""
    with needs_extra():
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID
    try:
        usage = signatory.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        sound = usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        sound = False
    if not sound:
        raise SigningError(
            N_("This certificate is not one of a time stamping authority."),
            hint=N_("Issue one with the profile timestamp: haidang pki issue --profile timestamp."),
        )


def _response(status: int, token: Any, refusal: _RefusedError | None) -> bytes:
    """Return a TimeStampResp; asn1crypto's own cannot leave the token away, as a refusal must."""
    from asn1crypto import core, tsp

    class Response(core.Sequence):  # type: ignore[misc]
        _fields: ClassVar = [("status", tsp.PKIStatusInfo), ("token", core.Any, {"optional": True})]

    info: dict[str, Any] = {"status": status}
    if refusal is not None:
        info["status_string"] = [refusal.sentence]
        info["fail_info"] = tuple(int(bit == refusal.bit) for bit in range(refusal.bit + 1))
    content: dict[str, Any] = {"status": tsp.PKIStatusInfo(info)}
    if token is not None:
        content["token"] = core.Any(token)
    der: bytes = Response(content).dump()
    return der
