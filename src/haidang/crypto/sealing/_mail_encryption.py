"""The encryption of sealed mail: CMS (RFC 5652), written and read.

Rules:

- AES-256-GCM in AuthEnvelopedData (RFC 5083, RFC 5084) with RSA-OAEP or ECDH; or AES-256-CBC in EnvelopedData
  with RSA PKCS#1 v1.5, which is not authenticated. Key encryption is pyHanko's.
- Whatever stands around the ciphertext is made first, so that what is then encrypted can state it (the
  *shell*: the CMS, DER, with the octets of ciphertext and authentication code taken out).
- What is read is not trusted; nothing is returned of what cannot be parsed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.extra import needs_extra
from haidang.crypto.trust import as_asn1
from haidang.errors import ProtectError, SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.signers import Signatory

__all__ = ["Encryption", "check_certificate", "decrypted", "shell_in"]

_INFOS = {
    "authenticated_enveloped_data": "auth_encrypted_content_info",
    "enveloped_data": "encrypted_content_info",
}
"""Where the ciphertext is."""


class Encryption:
    """A fresh key that is encrypted to recipients already, and encrypts once."""

    def __init__(self, certificates: Sequence[x509.Certificate], *, authenticated: bool) -> None:
        """Make the key.

        Args:
            certificates: the recipients', which :func:`check_certificate` let pass.
            authenticated: AES-256-GCM; else AES-256-CBC.
        """
        self._key, self._nonce = os.urandom(32), os.urandom(12 if authenticated else 16)
        self._authenticated = authenticated
        self._infos = _recipient_infos(self._key, certificates, oaep=authenticated)

    @property
    def shell(self) -> bytes:
        """What stands around the ciphertext: DER."""
        return self._written(b"", b"")

    def sealed(self, content: bytes) -> bytes:
        """Return CMS that holds ``content``, encrypted: DER."""
        if self._authenticated:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            octets = AESGCM(self._key).encrypt(self._nonce, content, None)
            return self._written(octets[:-16], octets[-16:])
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.padding import PKCS7

        padder = PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(self._key), modes.CBC(self._nonce)).encryptor()
        padded = padder.update(content) + padder.finalize()
        return self._written(encryptor.update(padded) + encryptor.finalize(), b"")

    def _written(self, ciphertext: bytes, mac: bytes) -> bytes:
        return (
            self._authenticated_data(ciphertext, mac) if self._authenticated else self._enveloped(ciphertext)
        )

    def _authenticated_data(self, ciphertext: bytes, mac: bytes) -> bytes:
        from asn1crypto import cms, core

        class GcmParameters(core.Sequence):  # type: ignore[misc]
            """RFC 5084, section 3.2."""

            _fields = [("nonce", core.OctetString), ("icvlen", core.Integer, {"default": 12})]  # noqa: RUF012 -- asn1crypto's form

        parameters = core.Any(GcmParameters({"nonce": self._nonce, "icvlen": 16}))
        data = cms.AuthEnvelopedData(
            {
                "version": 0,
                "recipient_infos": self._infos,
                "auth_encrypted_content_info": _content_info("aes256_gcm", parameters, ciphertext),
                "mac": mac,
            }
        )
        return _dumped("authenticated_enveloped_data", data)

    def _enveloped(self, ciphertext: bytes) -> bytes:
        from asn1crypto import cms, core

        data = cms.EnvelopedData(
            {
                # RFC 5652, section 6.1: 2 as soon as a recipient is one of key agreement.
                "version": 2 if any(one.name == "kari" for one in self._infos) else 0,
                "recipient_infos": self._infos,
                "encrypted_content_info": _content_info(
                    "aes256_cbc", core.OctetString(self._nonce), ciphertext
                ),
            }
        )
        return _dumped("enveloped_data", data)


def shell_in(content: bytes) -> bytes:
    """Return what stands around the ciphertext of CMS that could be decrypted: DER.

    Raises:
        ValueError, TypeError, LookupError: ``content`` is not DER, down to the last bit.
    """
    from asn1crypto import cms

    info = cms.ContentInfo.load(content, strict=True)
    kind, data = info["content_type"].native, info["content"]
    holder = data[_INFOS[kind]]
    taken = [(holder, "encrypted_content", holder["encrypted_content"].native)]
    if kind == "authenticated_enveloped_data":
        taken.append((data, "mac", data["mac"].native))
    for whole, name, _ in taken:
        whole[name] = b""
    shell: bytes = info.dump(force=True)
    for whole, name, octets in taken:
        whole[name] = octets
    # What is not read, or is written in another way than DER, is not in the shell: it must not be there.
    if info.dump(force=True) != content:
        raise ValueError("not DER")
    return shell


def check_certificate(certificate: x509.Certificate, now: dt.datetime) -> None:
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


def decrypted(content: bytes, signatory: Signatory, path: Path) -> tuple[bytes, bool]:
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
