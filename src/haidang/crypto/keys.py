"""Signing keys: which algorithms there are, how a key is made, kept and told from another.

A signing key is a private key of ``cryptography``, or (:mod:`haidang.crypto.tokens`) an object of the same
abstract class whose key never leaves its PKCS#11 token: certificates, CRLs, OCSP answers, CMS and timestamps
are signed by the same code with either.

ECDSA P-256 (FIPS 186-5) is the default, RSA-3072 is there for peers that need it, and ML-DSA-65 (FIPS 204)
for a second signature beside the first.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from haidang.crypto import envelopes
from haidang.crypto.extra import needs_extra
from haidang.errors import KeyAccessError
from haidang.i18n import N_

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.passphrases import Passphrase

__all__ = [
    "ALGORITHMS",
    "DEFAULT_ALGORITHM",
    "Algorithm",
    "SigningKey",
    "algorithm_of",
    "key_id",
    "load_key",
    "make_key",
    "save_key",
    "sign",
]

SigningKey: TypeAlias = Any
"""A private key of ``cryptography`` (EC, RSA or ML-DSA), or one that looks like it: it has ``public_key``
and ``sign``."""

Algorithm: TypeAlias = Literal["ecdsa-p256", "ecdsa-p384", "rsa-3072", "rsa-4096", "ml-dsa-65"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
DEFAULT_ALGORITHM: Algorithm = "ecdsa-p256"


def make_key(algorithm: Algorithm = DEFAULT_ALGORITHM) -> SigningKey:
    """Return a new private key."""
    with needs_extra():
        from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa
    if algorithm == "ecdsa-p256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "ecdsa-p384":
        return ec.generate_private_key(ec.SECP384R1())
    if algorithm == "ml-dsa-65":
        return mldsa.MLDSA65PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=int(algorithm.removeprefix("rsa-")))


def algorithm_of(key: Any) -> str:
    """Return the algorithm of a private or public key, e.g. ``ecdsa-p256``, ``rsa-2048`` or ``ed25519``.

    A key of a kind that is not known has its class's name, in lower case.
    """
    with needs_extra():
        from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa
    public = key.public_key() if hasattr(key, "public_key") else key
    if isinstance(public, ec.EllipticCurvePublicKey):
        names = {"secp256r1": "p256", "secp384r1": "p384", "secp521r1": "p521"}
        return f"ecdsa-{names.get(public.curve.name, public.curve.name)}"
    if isinstance(public, rsa.RSAPublicKey):
        return f"rsa-{public.key_size}"
    if isinstance(public, mldsa.MLDSA65PublicKey):
        return "ml-dsa-65"
    return type(public).__name__.removeprefix("_").removesuffix("PublicKey").lower()


def digest_of(key: Any) -> str:
    """Return the name of the digest that goes with a key's strength; ML-DSA has its own and gets sha512."""
    return {"ecdsa-p384": "sha384", "ecdsa-p521": "sha512", "ml-dsa-65": "sha512"}.get(
        algorithm_of(key), "sha256"
    )


def sign(key: SigningKey, data: bytes, digest: str = "sha256") -> bytes:
    """Return the signature over ``data`` as CMS and X.509 encode it (ECDSA in DER, RSA PKCS#1 v1.5)."""
    with needs_extra():
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    algorithm = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[digest]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signature: bytes = key.sign(data, ec.ECDSA(algorithm))
    elif isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(data, padding.PKCS1v15(), algorithm)
    else:
        signature = key.sign(data)
    return signature


def key_id(key: Any) -> str:
    """Return SHA-256 over the DER SubjectPublicKeyInfo of a private or public key, in hexadecimal."""
    with needs_extra():
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    public = key.public_key() if hasattr(key, "public_key") else key
    return hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def save_key(key: SigningKey, path: Path, passphrase: Passphrase, *, replace: bool = False) -> None:
    """Write a private key to ``path``, locked under ``passphrase`` (:mod:`haidang.crypto.envelopes`)."""
    with needs_extra():
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    envelopes.save(envelopes.lock(plain, passphrase, kind="pkcs8", key_id=key_id(key)), path, replace=replace)


def load_key(path: Path, passphrase: Passphrase) -> SigningKey:
    """Return the private key in ``path``.

    Raises:
        InputError: The file cannot be read.
        KeyAccessError: It is no key file, or the passphrase is wrong.
    """
    envelope = envelopes.load(path)
    plain = envelopes.unlock(envelope, passphrase, name=str(path))
    with needs_extra():
        from cryptography.hazmat.primitives.serialization import load_der_private_key
    try:
        key = load_der_private_key(plain, None) if envelope.kind == "pkcs8" else None
    except ValueError:
        key = None
    if key is None or key_id(key) != envelope.key_id:
        raise KeyAccessError(
            N_("{path} holds no signing key."), hint=N_("Name the file of a signing key."), path=path
        )
    return key
