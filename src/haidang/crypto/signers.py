"""Whoever signs: a key with the chain of its certificate, in the form that pyHanko wants.

The key may be in memory or in a PKCS#11 token (:mod:`haidang.crypto.keys` says why both are the same here).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.certificates import read_certificates
from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import digest_of, key_id, load_key, sign
from haidang.crypto.trust import as_asn1
from haidang.errors import KeyAccessError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography import x509

    from haidang.crypto.home import Identity
    from haidang.crypto.keys import SigningKey
    from haidang.crypto.passphrases import Passphrase

__all__ = ["Signatory", "load_second", "load_signatory"]


class Signatory(NamedTuple):
    """A key and the certificates that vouch for it."""

    key: SigningKey
    certificate: x509.Certificate
    authorities: tuple[x509.Certificate, ...] = ()
    """Those above it, without the root."""

    @property
    def digest(self) -> str:
        """The digest that goes with the key, e.g. ``sha256``."""
        return digest_of(self.key)

    def pyhanko_signer(self, attributes: Sequence[Any] = ()) -> Any:
        """Return a ``pyhanko.sign.signers.Signer`` that signs with this key.

        Args:
            attributes: providers of further signed attributes
                (:func:`haidang.crypto.marking.attribute.attribute_providers`).
        """
        with needs_extra():
            from pyhanko.sign.signers.pdf_cms import Signer
            from pyhanko_certvalidator.registry import SimpleCertificateStore
        key = self.key

        class KeySigner(Signer):
            async def async_sign_raw(
                self,
                data: bytes,
                digest_algorithm: str,
                dry_run: bool = False,  # noqa: FBT001, FBT002 -- pyHanko's signature
            ) -> bytes:
                if dry_run:
                    # As long as the longest signature of the key's kind (ML-DSA-65 has 3,309 bytes).
                    return bytes(3400 if digest_of(key) == "sha512" else 512)
                return sign(key, data, digest_algorithm)

            def _signed_attr_providers(self, *args: Any, **options: Any) -> Iterator[Any]:
                yield from super()._signed_attr_providers(*args, **options)
                yield from attributes

        store: Any = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register_multiple([as_asn1(one) for one in self.authorities])
        return KeySigner(signing_cert=as_asn1(self.certificate), cert_registry=store)


def load_signatory(identity: Identity, passphrase: Passphrase) -> Signatory:
    """Return the key of an identity with its certificates.

    Raises:
        InputError: A file cannot be read.
        KeyAccessError: The passphrase is wrong, or key and certificate are not a pair.
    """
    if not identity.certificate.exists():
        raise KeyAccessError(
            N_("{name} has no certificate yet."),
            hint=N_("Send its request to the authority; what comes back: haidang pki accept."),
            name=identity.name,
        )
    certificate, *authorities = read_certificates(identity.certificate)
    if identity.token.is_file():
        from haidang.crypto.tokens import open_token_key

        key = open_token_key(identity.token, passphrase)
    else:
        key = load_key(identity.signing_key, passphrase)
    return _paired(identity, key, certificate, authorities)


def load_second(identity: Identity, passphrase: Passphrase) -> Signatory:
    """Return the second key of an identity (ML-DSA) with its certificates.

    Raises:
        InputError: There is none, or a file cannot be read.
        KeyAccessError: The passphrase is wrong, or key and certificate are not a pair.
    """
    certificate, *authorities = read_certificates(identity.second_certificate)
    key = load_key(identity.second_key, passphrase)
    return _paired(identity, key, certificate, authorities)


def _paired(
    identity: Identity, key: Any, certificate: x509.Certificate, authorities: Sequence[x509.Certificate]
) -> Signatory:
    if key_id(key) != key_id(certificate.public_key()):
        raise KeyAccessError(
            N_("The key and the certificate of {name} do not belong together."),
            hint=N_("Import the certificate that was issued for this key: haidang pki accept."),
            name=identity.name,
        )
    return Signatory(key, certificate, tuple(authorities))
