"""Signing keys in a PKCS#11 token: a smart card, an HSM, or SoftHSM in tests. The key never leaves it.

Such a key is a :class:`TokenKey`: a subclass of ``cryptography``'s own abstract private keys, so that
certificates, CRLs, OCSP answers, CMS and timestamps are signed by the same code as with a key in memory.

``token.json`` says where the key is (:class:`Place`). It holds no secret, but it names a library that is
loaded into this process: a file or a library that others may write to is refused. The PIN comes as a
:class:`~haidang.crypto.passphrases.Passphrase`.

Rules:

- The token is found by its label and serial number, never by the number of its slot, which changes.
- Digests are made here and signed there, by the raw mechanisms ``CKM_ECDSA``, ``CKM_RSA_PKCS`` and
  ``CKM_RSA_PKCS_PSS``: every token has them (SoftHSM has no ECDSA that hashes).
- A key signs once when it is opened, and the signature is checked: a key that is another than
  ``token.json`` says is found here and not in a certificate.
- A session with the token lives as long as the process; a token that is logged in stays so.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec

from haidang.crypto.extra import needs_extra
from haidang.crypto.files import read_bounded, write_whole
from haidang.crypto.keys import DEFAULT_ALGORITHM, algorithm_of
from haidang.errors import KeyAccessError
from haidang.i18n import N_

# This module is imported only where there is a token; then these are needed at once, as base classes.
with needs_extra():
    import pkcs11
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_der_public_key,
    )
    from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
    from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters
    from pkcs11.util.rsa import encode_rsa_public_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.crypto.keys import Algorithm
    from haidang.crypto.passphrases import Passphrase

__all__ = ["Place", "TokenKey", "make_token_key", "open_token_key", "save_place"]

_FORMAT: Final = "haidang-token"
_LARGEST = 64 << 10
_CURVES: dict[str, str] = {"ecdsa-p256": "secp256r1", "ecdsa-p384": "secp384r1"}

# RFC 8017, section 9.2, note 1: what stands before the digest in a PKCS#1 v1.5 signature.
_DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
_PSS = {
    "sha256": (Mechanism.SHA256, pkcs11.MGF.SHA256),
    "sha384": (Mechanism.SHA384, pkcs11.MGF.SHA384),
    "sha512": (Mechanism.SHA512, pkcs11.MGF.SHA512),
}


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a key is: the content of ``token.json``."""

    module: str
    """The token's PKCS#11 library, an absolute path."""
    token: str
    """The token's label."""
    serial: str
    """The token's serial number, as the token says it."""
    id: str
    """``CKA_ID`` of the key, hexadecimal."""
    label: str
    """``CKA_LABEL`` of the key; for people."""
    algorithm: str
    public_key: str
    """The DER SubjectPublicKeyInfo, base64: some tokens do not hand it out."""
    format: str = _FORMAT
    version: int = 1


class TokenKey:
    """What the keys of every kind share: a session, a key object in it, and the public key."""

    def __init__(self, private: Any, public: Any) -> None:
        """Sign with ``private``, a key object of python-pkcs11, whose public key is ``public``."""
        self._private = private
        self._public = public

    def public_key(self) -> Any:
        """Return the public key."""
        return self._public

    @property
    def key_size(self) -> int:
        """Its size in bits."""
        size: int = self._public.key_size
        return size

    def private_numbers(self) -> NoReturn:
        """Refuse: the key does not leave the token."""
        raise _stays()

    def private_bytes(self, *_: object, **__: object) -> NoReturn:
        """Refuse: the key does not leave the token."""
        raise _stays()

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: object) -> Any:
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {algorithm_of(self._public)}>"

    def _raw(self, data: bytes, mechanism: Any, parameter: Any = None) -> bytes:
        with _token_errors("the token"):
            signature: bytes = self._private.sign(data, mechanism=mechanism, mechanism_param=parameter)
        return signature


class _EllipticCurveTokenKey(TokenKey, ec.EllipticCurvePrivateKey):
    @property
    def curve(self) -> ec.EllipticCurve:
        curve: ec.EllipticCurve = self._public.curve
        return curve

    def exchange(self, algorithm: Any, peer_public_key: Any) -> bytes:  # noqa: ARG002 -- cryptography's signature
        raise UnsupportedAlgorithm("a token's key signs and does nothing else")

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        _, digest = _digest(bytes(data), signature_algorithm.algorithm)
        signature = self._raw(digest, Mechanism.ECDSA)
        half = len(signature) // 2
        r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
        return utils.encode_dss_signature(r, s)


class _RsaTokenKey(TokenKey, rsa.RSAPrivateKey):
    def decrypt(self, ciphertext: bytes, padding: Any) -> bytes:  # noqa: ARG002 -- cryptography's signature
        raise UnsupportedAlgorithm("a token's key signs and does nothing else")

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        name, digest = _digest(bytes(data), algorithm)
        if name not in _DIGEST_INFO:
            raise UnsupportedAlgorithm(f"a token's key signs no {name}")
        if padding.name == "EMSA-PKCS1-v1_5":
            return self._raw(_DIGEST_INFO[name] + digest, Mechanism.RSA_PKCS)
        if padding.name == "EMSA-PSS":
            mechanism, mask = _PSS[name]
            return self._raw(digest, Mechanism.RSA_PKCS_PSS, (mechanism, mask, len(digest)))
        raise UnsupportedAlgorithm(f"a token's key signs no {padding.name}")


def open_token_key(path: Path, pin: Passphrase) -> TokenKey:
    """Return the key that ``token.json`` at ``path`` tells of, ready to sign.

    Raises:
        InputError: The file cannot be read.
        KeyAccessError: It is not sound or others may write it, the token is not there, the PIN is wrong, or
            the key in the token is another.
    """
    place = _read_place(path)
    session = _session(place.module, place.token, pin, serial=place.serial)
    try:
        public = load_der_public_key(base64.b64decode(place.public_key, validate=True))
        identifier = bytes.fromhex(place.id)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise _unsound(path) from None
    kind = _kind(public)
    if kind is None or algorithm_of(public) != place.algorithm:
        raise _unsound(path)
    with _token_errors(place.token):
        try:
            private = session.get_key(object_class=ObjectClass.PRIVATE_KEY, id=identifier)
        except (pkcs11.NoSuchKey, pkcs11.MultipleObjectsReturned):
            raise KeyAccessError(
                N_("The token {token} does not hold the key {label}."),
                hint=N_("Put the right token in, or take token.json from a backup."),
                token=place.token,
                label=place.label,
            ) from None
    key = kind(private, public)
    _prove(key, place)
    return key


def make_token_key(
    module: Path,
    token: str,
    pin: Passphrase,
    *,
    label: str,
    algorithm: Algorithm = DEFAULT_ALGORITHM,
) -> tuple[TokenKey, Place]:
    """Make a key in the token labelled ``token``; return it and where it is.

    Raises:
        KeyAccessError: The token is not there, the PIN is wrong, or the token has no such algorithm.
    """
    if algorithm not in _CURVES and not algorithm.startswith("rsa-"):
        raise KeyAccessError(
            N_("A token makes no {algorithm} keys here."),
            hint=N_("Use ecdsa-p256, ecdsa-p384, rsa-3072 or rsa-4096."),
            algorithm=algorithm,
        )
    session = _session(str(module), token, pin)
    identifier = secrets.token_bytes(16)
    kept: dict[str, Any] = {"id": identifier, "label": label, "store": True}
    never_out = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    with _token_errors(token):
        if algorithm in _CURVES:
            parameters = encode_named_curve_parameters(_CURVES[algorithm])
            domain = session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: parameters}, local=True
            )
            pair = domain.generate_keypair(private_template=never_out, **kept)
        else:
            size = int(algorithm.removeprefix("rsa-"))
            pair = session.generate_keypair(KeyType.RSA, size, private_template=never_out, **kept)
        encode = encode_ec_public_key if algorithm in _CURVES else encode_rsa_public_key
        public_object, private = pair
        der = encode(public_object)
    public = _public_from(der)
    kind = _kind(public)
    if kind is None:
        raise _token_failed(token, "the public key cannot be read")
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    place = Place(
        module=str(module),
        token=token,
        serial=_text(session.token.serial),
        id=identifier.hex(),
        label=label,
        algorithm=algorithm,
        public_key=base64.b64encode(spki).decode(),
    )
    key = kind(private, public)
    _prove(key, place)
    return key, place


def save_place(place: Place, path: Path, *, replace: bool = False) -> None:
    """Write ``token.json``; it holds no secret, but nobody else may change it."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(place)) + b"\n", mode=0o600, replace=replace)


def _public_from(der: bytes) -> Any:
    with contextlib.suppress(ValueError):
        return load_der_public_key(der)
    # python-pkcs11 gives an RSA key as PKCS#1; cryptography reads that in its PEM alone.
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    body = base64.encodebytes(der)
    return load_pem_public_key(b"-----BEGIN RSA PUBLIC KEY-----\n" + body + b"-----END RSA PUBLIC KEY-----\n")


def _kind(public: Any) -> type[TokenKey] | None:
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _EllipticCurveTokenKey
    return _RsaTokenKey if isinstance(public, rsa.RSAPublicKey) else None


def _prove(key: Any, place: Place) -> None:
    challenge = secrets.token_bytes(32)
    try:
        if isinstance(key, _EllipticCurveTokenKey):
            way = ec.ECDSA(hashes.SHA256())
            key.public_key().verify(key.sign(challenge, way), challenge, way)
        else:
            ways = (padding.PKCS1v15(), hashes.SHA256())
            key.public_key().verify(key.sign(challenge, *ways), challenge, *ways)
    except InvalidSignature:
        raise KeyAccessError(
            N_("The key {label} in the token {token} is not the one that token.json tells of."),
            hint=N_("Put the right token in, or take token.json from a backup."),
            label=place.label,
            token=place.token,
        ) from None


def _digest(data: bytes, algorithm: Any) -> tuple[str, bytes]:
    if isinstance(algorithm, utils.Prehashed):
        # The digest is made already; its length tells which of the SHA-2 family it is.
        return {32: "sha256", 48: "sha384", 64: "sha512"}.get(algorithm.digest_size, "digest"), data
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return algorithm.name, digest.finalize()


def _session(module: str, token: str, pin: Passphrase, serial: str = "") -> Any:
    _check_module(Path(module))
    with _token_errors(token):
        library = pkcs11.lib(module)
        found = [
            one for one in library.get_tokens(token_label=token) if not serial or _text(one.serial) == serial
        ]
        if len(found) != 1:
            raise KeyAccessError(
                N_("There is no token {token}.") if not found else N_("There are several tokens {token}."),
                hint=N_("Put it in, and check its label and its library."),
                token=token,
            )
        try:
            return found[0].open(rw=True, user_pin=pin.reveal().decode("utf-8", "replace"))
        except pkcs11.UserAlreadyLoggedIn:
            # This process has logged in before: all its sessions with the token are.
            return found[0].open(rw=True)


def _check_module(module: Path) -> None:
    try:
        status = module.stat()
    except OSError as error:
        raise KeyAccessError(
            N_("The library {module} of the token cannot be read: {reason}."),
            hint=N_("Name the PKCS#11 library that the maker of the token gives."),
            module=module,
            reason=error.strerror or error,
        ) from error
    if not module.is_absolute() or _others_write(status):
        raise KeyAccessError(
            N_("The library {module} is not loaded: its path is not absolute, or others may change it."),
            hint=N_("Name the library that was installed for the whole system."),
            module=module,
        )


def _read_place(path: Path) -> Place:
    content = read_bounded(path, _LARGEST)
    if _others_write(path.stat()):
        raise KeyAccessError(
            N_("Others may change {path}, which names a library to load."),
            hint=N_("Give it to the user who runs this, with mode 0600: chmod 600 {path}"),
            path=path,
        )
    try:
        place = msgspec.json.decode(content, type=Place)
    except msgspec.MsgspecError:
        raise _unsound(path) from None
    if (place.format, place.version) != (_FORMAT, 1):
        raise _unsound(path)
    return place


def _others_write(status: os.stat_result) -> bool:
    return status.st_uid not in {os.getuid(), 0} or bool(status.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


@contextlib.contextmanager
def _token_errors(token: str) -> Iterator[None]:
    try:
        yield
    except pkcs11.PinLocked:
        raise KeyAccessError(
            N_("The token {token} is locked: its PIN was wrong too often."),
            hint=N_("Its security officer can unlock it."),
            token=token,
        ) from None
    except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid):
        raise KeyAccessError(
            N_("The PIN of the token {token} is wrong."),
            hint=N_("Type it again with care: a token locks itself after a few wrong ones."),
            token=token,
        ) from None
    except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
        raise _token_failed(token, str(error) or type(error).__name__) from error


def _token_failed(token: str, reason: str) -> KeyAccessError:
    return KeyAccessError(
        N_("The token {token} did not do what it was asked for: {reason}."),
        hint=N_("Check that it is plugged in and made ready, and that its library is the right one."),
        token=token,
        reason=reason,
    )


def _text(serial: Any) -> str:
    return serial.decode("ascii", "replace").strip() if isinstance(serial, bytes) else str(serial).strip()


def _stays() -> KeyAccessError:
    return KeyAccessError(N_("The key is in a token and does not leave it."))


def _unsound(path: Path) -> KeyAccessError:
    return KeyAccessError(
        N_("{name} is not a key file of Hải Đăng, or is damaged."),
        hint=N_("Name the right file, or take it from a backup."),
        name=path,
    )
