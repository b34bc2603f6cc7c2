"""Sealed mail (S/MIME, RFC 8551) for who has only a certificate: signed first, then encrypted.

Rules:

- AES-256-GCM in AuthEnvelopedData (RFC 5083, RFC 5084) with RSA-OAEP or ECDH. For mail programs that cannot
  read that, AES-256-CBC in EnvelopedData (RFC 5652) with RSA PKCS#1 v1.5: it is not authenticated, so that
  an altered mail decrypts to something else. Either way nothing is shown unless the signature inside holds.
- Key encryption is pyHanko's, with RSA keys and EC keys (P-256, P-384, P-521). The certificate must allow it:
  keyEncipherment for RSA, keyAgreement for EC.
- A mail is held in memory, and so at most :data:`LARGEST_MAIL` large.
- S/MIME does not sign who the recipients are; seal with age (:func:`haidang.crypto.sealing.seal`) where
  that matters.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from email.utils import format_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.containers.member_names import check_name
from haidang.crypto.extra import needs_extra
from haidang.crypto.files import PRIVATE, read_bounded, write_whole
from haidang.crypto.sealing.mime import (
    attachment,
    attachment_in,
    enveloped,
    enveloped_in,
    signed,
    signed_in,
)
from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.trust import as_asn1
from haidang.crypto.verdicts import DocumentVerdict
from haidang.errors import ProtectError, SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.signers import Signatory
    from haidang.crypto.trust import Trust
    from haidang.crypto.verdicts import SignatureVerdict

__all__ = ["LARGEST_MAIL", "OpenedMail", "RefusedMailError", "is_mail", "open_mail", "seal_mail"]

LARGEST_MAIL: Final = 32 << 20
"""Bytes of the file that is sealed."""

_LARGEST_MESSAGE = 3 * LARGEST_MAIL
"""Base64 twice makes 16/9 of it."""


class OpenedMail(NamedTuple):
    """A sealed mail that was opened."""

    verdict: DocumentVerdict
    """Of the signature inside."""
    authenticated: bool
    """Whether the encryption itself shows alterations (AES-GCM)."""
    place: Path | None
    """Where the file is now; None when it was only looked into."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "opened": str(self.place) if self.place else None,
            "mail": True,
            "authenticated": self.authenticated,
            "verdict": self.verdict.to_json(),
        }


class RefusedMailError(SealError):
    """It was decrypted, but the signature inside does not hold, or cannot be told."""

    def __init__(self, message: str, *, hint: str, verdict: DocumentVerdict) -> None:
        """Keep what is known of it."""
        super().__init__(message, hint=hint)
        self.verdict = verdict

    @property
    def indeterminate(self) -> bool:
        """Whether it may hold, and only cannot be determined."""
        return self.verdict.indication == "INDETERMINATE"


def is_mail(head: bytes, path: Path) -> bool:
    """Return whether a file that begins with ``head`` may be a sealed mail."""
    lowered = head.lower()
    return b"application/pkcs7-mime" in lowered or (path.suffix.lower() == ".p7m" and head.startswith(b"0"))


def seal_mail(
    source: Path,
    target: Path,
    signatory: Signatory,
    certificates: Sequence[x509.Certificate],
    *,
    now: dt.datetime,
    subject: str = "",
    authenticated: bool = True,
) -> None:
    """Seal the file ``source`` into the mail ``target`` for the holders of ``certificates``.

    Args:
        source: what is sealed; at most :data:`LARGEST_MAIL` bytes.
        target: where the mail appears; it must not be there.
        signatory: who seals.
        certificates: the recipients'.
        now: the moment of sealing.
        subject: the subject of the mail; it is neither signed nor encrypted.
        authenticated: AES-256-GCM; False for mail programs that know AES-256-CBC only.

    Raises:
        InputError: ``source`` cannot be read, or is too large.
        SealError: A certificate cannot be sealed to.
        SigningError: The key cannot sign.
        OutputError: ``target`` cannot be written, or is there already.
    """
    if not certificates:
        raise SealError(
            N_("There is nobody to seal to."), hint=N_("Name certificates with --to-certificate.")
        )
    for one in certificates:
        _check_certificate(one, now)
    entity = attachment(source.name, read_bounded(source, LARGEST_MAIL))
    algorithm = signatory.digest
    digest = hashlib.new(algorithm, entity).digest()
    inside = signed(entity, sign_digest(signatory, digest, algorithm, now=now), algorithm)
    encrypt = _encrypted_gcm if authenticated else _encrypted_cbc
    kind = "authEnveloped-data" if authenticated else "enveloped-data"
    one_line = " ".join(subject.split())
    mail = enveloped(encrypt(inside, certificates), kind=kind, subject=one_line, date=format_datetime(now))
    write_whole(target, mail + b"\r\n", replace=False)


def open_mail(
    path: Path,
    signatory: Signatory,
    trust: Trust,
    *,
    folder: Path | None,
    now: dt.datetime,
    accept_indeterminate: bool = False,
) -> OpenedMail:
    """Open the sealed mail ``path`` into ``folder``; its file appears only if the signature inside holds.

    Args:
        path: the mail, or the CMS in it (``.p7m``).
        signatory: whose key decrypts.
        trust: who is believed.
        folder: where the file appears; None only looks into the mail.
        now: the moment of opening.
        accept_indeterminate: open although it cannot be told whether the signature holds.

    Raises:
        InputError: It cannot be read.
        SealError: It is no sealed mail, is damaged, is sealed to others, or its signature does not hold.
        OutputError: The file cannot be written, or something of its name is there already.
    """
    content = enveloped_in(read_bounded(path, _LARGEST_MESSAGE))
    inside, authenticated = _decrypted(content, signatory, path)
    entity, signature = signed_in(inside)
    verdict = DocumentVerdict(str(path), "cms", (_verdict(entity, signature, trust, now),))
    if verdict.indication == "TOTAL-FAILED":
        raise RefusedMailError(
            N_("The signature in the sealed mail does not hold."),
            hint=N_("Do not use it. Ask the sender to seal it again."),
            verdict=verdict,
        )
    if not verdict.holds and not accept_indeterminate:
        raise RefusedMailError(
            N_("It cannot be determined whether the signature in the sealed mail holds."),
            hint=N_("See why below; renew the revocation lists, or open it with --accept-indeterminate."),
            verdict=verdict,
        )
    name, file = attachment_in(entity)
    place = None if folder is None else folder / _safe(name)
    if place is not None:
        write_whole(place, file, mode=PRIVATE, replace=False)
    return OpenedMail(verdict, authenticated, place)


def _verdict(entity: bytes, signature: bytes, trust: Trust, now: dt.datetime) -> SignatureVerdict:
    from haidang.crypto.verifying.cms import verify_cms

    verdict = verify_cms(signature, lambda name: hashlib.new(name, entity).digest(), trust, now=now)
    return replace(verdict, level=f"S/MIME, {verdict.level}" if verdict.level else "S/MIME")


def _safe(name: str) -> str:
    """Return the name of the file in a mail: its last part, which must not be hidden.

    Raises:
        ContainerError: It is not safe.
    """
    last = PurePosixPath(name.replace("\\", "/")).name.lstrip(".") or "message"
    check_name(last)
    return last


def _check_certificate(certificate: x509.Certificate, now: dt.datetime) -> None:
    """Refuse a certificate that cannot, or must not, be encrypted to.

    Raises:
        SealError: The error says why.
    """
    from cryptography import x509

    facts = certificate_facts(certificate)
    if not facts.not_before <= now <= facts.not_after:
        raise SealError(
            N_("The certificate of {name} is not valid at this moment."),
            hint=N_("Ask for a new one."),
            name=facts.name,
        )
    kind = facts.algorithm.partition("-")[0]
    if kind not in {"rsa", "ecdsa"}:
        raise SealError(
            N_("Nothing can be sealed to the {algorithm} key in the certificate of {name}."),
            hint=N_("Ask for a certificate with an RSA or EC key for encryption."),
            algorithm=facts.algorithm,
            name=facts.name,
        )
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    except ValueError:
        usage = None
    if usage is None or not (usage.key_encipherment if kind == "rsa" else usage.key_agreement):
        raise SealError(
            N_("The certificate of {name} is not for encryption."),
            hint=N_("Ask for one with {usage} (profile mail)."),
            name=facts.name,
            usage="keyEncipherment" if kind == "rsa" else "keyAgreement",
        )


def _recipient_infos(key: bytes, certificates: Sequence[x509.Certificate], *, oaep: bool) -> list[Any]:
    with needs_extra():
        from pyhanko.pdf_utils.crypt.pubkey import RecipientEncryptionPolicy, _recipient_info
    # What the certificate allows was checked already, also for EC keys, which pyHanko does not.
    policy = RecipientEncryptionPolicy(ignore_key_usage=True, prefer_oaep=oaep)
    return [_recipient_info(key, as_asn1(one), policy) for one in certificates]


def _encrypted_gcm(content: bytes, certificates: Sequence[x509.Certificate]) -> bytes:
    from asn1crypto import cms, core
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    class GcmParameters(core.Sequence):  # type: ignore[misc]
        """RFC 5084, section 3.2."""

        _fields = [("nonce", core.OctetString), ("icvlen", core.Integer, {"default": 12})]  # noqa: RUF012 -- asn1crypto's form

    key, nonce = AESGCM.generate_key(256), os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, content, None)
    parameters = GcmParameters({"nonce": nonce, "icvlen": 16})
    info = _content_info("aes256_gcm", core.Any(parameters), sealed[:-16])
    data = cms.AuthEnvelopedData(
        {
            "version": 0,
            "recipient_infos": _recipient_infos(key, certificates, oaep=True),
            "auth_encrypted_content_info": info,
            "mac": sealed[-16:],
        }
    )
    return _dumped("authenticated_enveloped_data", data)


def _encrypted_cbc(content: bytes, certificates: Sequence[x509.Certificate]) -> bytes:
    from asn1crypto import cms, core
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    key, vector = os.urandom(32), os.urandom(16)
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    sealed = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    infos = _recipient_infos(key, certificates, oaep=False)
    data = cms.EnvelopedData(
        {
            # RFC 5652, section 6.1: 2 as soon as a recipient is one of key agreement.
            "version": 2 if any(one.name == "kari" for one in infos) else 0,
            "recipient_infos": infos,
            "encrypted_content_info": _content_info("aes256_cbc", core.OctetString(vector), sealed),
        }
    )
    return _dumped("enveloped_data", data)


def _content_info(algorithm: str, parameters: Any, sealed: bytes) -> Any:
    from asn1crypto import cms

    return cms.EncryptedContentInfo(
        {
            "content_type": "data",
            "content_encryption_algorithm": {"algorithm": algorithm, "parameters": parameters},
            "encrypted_content": sealed,
        }
    )


def _dumped(kind: str, data: Any) -> bytes:
    from asn1crypto import cms

    der: bytes = cms.ContentInfo({"content_type": kind, "content": data}).dump()
    return der


def _decrypted(content: bytes, signatory: Signatory, path: Path) -> tuple[bytes, bool]:
    """Return what is inside CMS, and whether its encryption is authenticated.

    Raises:
        SealError: It is damaged, sealed to others, or encrypted in a way that is not accepted.
    """
    with needs_extra():
        from asn1crypto import cms
        from cryptography.exceptions import InvalidTag
    try:
        info = cms.ContentInfo.load(content, strict=True)
        kind, data = info["content_type"].native, info["content"]
        if kind == "authenticated_enveloped_data":
            return _opened_gcm(data, _content_key(data, signatory, path)), True
        if kind == "enveloped_data":
            key = _content_key(data, signatory, path)
            return _opened_cbc(data["encrypted_content_info"], key), False
    except ProtectError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, InvalidTag) as error:
        raise _damaged(path) from error
    raise _not_accepted(str(kind))


def _content_key(data: Any, signatory: Signatory, path: Path) -> bytes:
    from asn1crypto.cms import OriginatorIdentifierOrKey
    from asn1crypto.keys import PrivateKeyInfo, PublicKeyInfo
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from pyhanko.pdf_utils.crypt.pubkey import (
        InappropriateCredentialError,
        SimpleEnvelopeKeyDecrypter,
        read_envelope_key,
    )
    from pyhanko.pdf_utils.misc import PdfReadError

    if not hasattr(signatory.key, "private_bytes"):
        raise SealError(
            N_("A key in a token cannot open sealed mail yet."),
            hint=N_("Open it with a program for mail that uses the token."),
        )
    plain = signatory.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    class Decrypter(SimpleEnvelopeKeyDecrypter):
        """Reads an ephemeral key without a curve, as openssl writes it: it is the receiver's (RFC 5753)."""

        def decrypt_with_exchange(
            self, encrypted_key: Any, algo_params: Any, originator_identifier: Any, user_keying_material: Any
        ) -> bytes:
            if originator_identifier.name == "originator_key":
                own = as_asn1(signatory.certificate).public_key["algorithm"].copy()
                point = originator_identifier.chosen["public_key"].copy()
                whole = PublicKeyInfo({"algorithm": own, "public_key": point})
                originator_identifier = OriginatorIdentifierOrKey(name="originator_key", value=whole)
            return super().decrypt_with_exchange(
                encrypted_key, algo_params, originator_identifier, user_keying_material
            )

    decrypter = Decrypter(as_asn1(signatory.certificate), PrivateKeyInfo.load(plain))
    try:
        key: bytes | None = read_envelope_key(data, decrypter)
    except (PdfReadError, InappropriateCredentialError, NotImplementedError) as error:
        if isinstance(error.__cause__ or error, NotImplementedError):
            # E.g. key derivation with SHA-1, which openssl takes for EC keys where it is not told otherwise.
            raise SealError(
                N_("The key of the sealed mail is encrypted in a way that is not accepted: {reason}"),
                hint=N_("Ask the sender to use RSA, or ECDH with SHA-256 (RFC 5753)."),
                reason=error.__cause__ or error,
            ) from error
        raise _damaged(path) from error
    if key is None:
        from haidang.crypto.sealing.opening import NotForYouError

        raise NotForYouError(
            N_("{path} is not sealed to you: none of your keys opens it."),
            hint=N_("Choose another identity with --as NAME, or ask the sender to seal it to you."),
            path=path,
        )
    return key


def _opened_gcm(data: Any, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    info = data["auth_encrypted_content_info"]
    algorithm = info["content_encryption_algorithm"]
    name = algorithm["algorithm"].native
    mac = data["mac"].native
    if name not in {"aes128_gcm", "aes192_gcm", "aes256_gcm"} or len(mac) < 12:
        raise _not_accepted(str(name))
    nonce = algorithm["parameters"].parsed[0].native
    attributes = data["auth_attrs"]
    # RFC 5083, section 2.2: the attributes that are authenticated, as a SET OF.
    extra = attributes.untag().dump() if attributes.contents else None
    return AESGCM(key).decrypt(nonce, info["encrypted_content"].native + mac, extra)


def _opened_cbc(info: Any, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    algorithm = info["content_encryption_algorithm"]
    name = algorithm["algorithm"].native
    if name not in {"aes128_cbc", "aes192_cbc", "aes256_cbc"}:
        raise _not_accepted(str(name))
    vector = algorithm["parameters"].native
    decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    padded = decryptor.update(info["encrypted_content"].native) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _not_accepted(name: str) -> SealError:
    return SealError(
        N_("The mail is encrypted with {algorithm}, which is not accepted."),
        hint=N_("Ask the sender to use AES-256."),
        algorithm=name,
    )


def _damaged(path: Path) -> SealError:
    return SealError(
        N_("{path} is damaged or was cut off; nothing of it was kept."),
        hint=N_("Get it again from the sender."),
        path=path,
    )
