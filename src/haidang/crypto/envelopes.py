"""A secret at rest: Argon2id over the passphrase, AES-256-GCM over the secret.

The file is one JSON object. Everything but ``ciphertext`` is the associated data of the cipher, so that
neither the kind nor the parameters can be changed unseen. Argon2id is RFC 9106 (its second recommended
choice, 64 MiB and three passes, by default); AES-GCM is NIST SP 800-38D with a random 96-bit nonce, used
once per salt.

The file is not trusted: parameters beyond the bounds are refused before memory is taken.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, Final

import msgspec

from haidang.crypto.extra import needs_extra
from haidang.crypto.files import PRIVATE, read_bounded, write_whole
from haidang.errors import KeyAccessError
from haidang.i18n import N_

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.passphrases import Passphrase

__all__ = ["Envelope", "load", "lock", "save", "unlock"]

_FORMAT: Final = "haidang-secret"
_LARGEST = 1 << 20
_MOST_MEMORY_KIB = 1 << 20
_MOST_PASSES = 20
_MOST_LANES = 16


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A locked secret, as it is stored."""

    kind: str
    """What the secret is: ``pkcs8`` (private key, DER), ``age`` (sealing key), ``wrapping`` or ``pin``."""
    key_id: str
    """Which key it is: SHA-256 of its public part in hexadecimal, or a name."""
    salt: str
    nonce: str
    ciphertext: str
    format: str = _FORMAT
    version: int = 1
    kdf: str = "argon2id"
    memory_kib: int = 64 * 1024
    passes: int = 3
    lanes: int = 4
    cipher: str = "aes-256-gcm"

    def associated(self) -> bytes:
        """Return everything but the ciphertext, in one spelling."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name != "ciphertext"}
        return msgspec.json.encode(fields, order="sorted")


def lock(
    secret: bytes,
    passphrase: Passphrase,
    *,
    kind: str,
    key_id: str,
    memory_kib: int = 64 * 1024,
    passes: int = 3,
) -> Envelope:
    """Return ``secret`` locked under ``passphrase``."""
    with needs_extra():
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    salt, nonce = os.urandom(16), os.urandom(12)
    empty = Envelope(
        kind=kind,
        key_id=key_id,
        salt=base64.b64encode(salt).decode(),
        nonce=base64.b64encode(nonce).decode(),
        ciphertext="",
        memory_kib=memory_kib,
        passes=passes,
    )
    ciphertext = AESGCM(_derive(empty, salt, passphrase)).encrypt(nonce, secret, empty.associated())
    return msgspec.structs.replace(empty, ciphertext=base64.b64encode(ciphertext).decode())


def unlock(envelope: Envelope, passphrase: Passphrase, *, name: str) -> bytes:
    """Return the secret of ``envelope``; ``name`` is what errors call it.

    Raises:
        KeyAccessError: The passphrase is wrong, or the envelope was altered or is not sound.
    """
    with needs_extra():
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    try:
        salt, nonce, ciphertext = (
            base64.b64decode(text, validate=True)
            for text in (envelope.salt, envelope.nonce, envelope.ciphertext)
        )
    except (binascii.Error, ValueError):
        raise _unsound(name) from None
    if not _within_bounds(envelope, salt, nonce):
        raise _unsound(name)
    try:
        return AESGCM(_derive(envelope, salt, passphrase)).decrypt(nonce, ciphertext, envelope.associated())
    except InvalidTag:
        raise KeyAccessError(
            N_("The passphrase of {name} is wrong, or the file was altered."),
            hint=N_("Type it again; if it is surely right, take the file from a backup."),
            name=name,
        ) from None


def save(envelope: Envelope, path: Path, *, replace: bool = False) -> None:
    """Write ``envelope`` to ``path`` with mode 0600, whole or not at all."""
    write_whole(
        path, msgspec.json.format(msgspec.json.encode(envelope)) + b"\n", mode=PRIVATE, replace=replace
    )


def load(path: Path) -> Envelope:
    """Return the envelope in ``path``.

    Raises:
        InputError: The file cannot be read.
        KeyAccessError: It is not an envelope of ours.
    """
    try:
        envelope = msgspec.json.decode(read_bounded(path, _LARGEST), type=Envelope)
    except msgspec.MsgspecError:
        raise _unsound(str(path)) from None
    if (envelope.format, envelope.version) != (_FORMAT, 1):
        raise _unsound(str(path))
    return envelope


def _derive(envelope: Envelope, salt: bytes, passphrase: Passphrase) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    return Argon2id(
        salt=salt,
        length=32,
        iterations=envelope.passes,
        lanes=envelope.lanes,
        memory_cost=envelope.memory_kib,
    ).derive(passphrase.reveal())


def _within_bounds(envelope: Envelope, salt: bytes, nonce: bytes) -> bool:
    return (
        envelope.kdf == "argon2id"
        and envelope.cipher == "aes-256-gcm"
        and 16 <= len(salt) <= 64
        and len(nonce) == 12
        and 1 <= envelope.passes <= _MOST_PASSES
        and 1 <= envelope.lanes <= _MOST_LANES
        and 8 * envelope.lanes <= envelope.memory_kib <= _MOST_MEMORY_KIB
    )


def _unsound(name: str) -> KeyAccessError:
    return KeyAccessError(
        N_("{name} is not a key file of Hải Đăng, or is damaged."),
        hint=N_("Name the right file, or take it from a backup."),
        name=name,
    )
