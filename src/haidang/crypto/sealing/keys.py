"""Sealing keys: age identities (X25519), kept locked.

The file is an envelope of kind ``age`` (:mod:`haidang.crypto.envelopes`) whose key id is the recipient, that
is, the public key: others can be given it without the passphrase.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from haidang.crypto import envelopes
from haidang.crypto.extra import needs_extra
from haidang.errors import KeyAccessError
from haidang.i18n import N_

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.passphrases import Passphrase

__all__ = [
    "SealingKey",
    "age_recipient",
    "load_sealing_key",
    "make_sealing_key",
    "public_part",
    "save_sealing_key",
]

_KIND: Final = "age"


class SealingKey(NamedTuple):
    """A key that opens what is sealed to ``recipient``."""

    recipient: str
    """The public key, ``age1…``."""
    identity: Any
    """A ``pyrage.x25519.Identity``; its text is the secret."""

    def __repr__(self) -> str:
        """Show the public key only."""
        return f"SealingKey({self.recipient})"

    def reveal(self) -> str:
        """Return the secret, ``AGE-SECRET-KEY-1…``; the name is there to be seen in a review."""
        return str(self.identity)


def make_sealing_key() -> SealingKey:
    """Return a new key."""
    with needs_extra():
        from pyrage import x25519
    identity = x25519.Identity.generate()
    return SealingKey(str(identity.to_public()), identity)


def save_sealing_key(key: SealingKey, path: Path, passphrase: Passphrase, *, replace: bool = False) -> None:
    """Write ``key`` to ``path``, locked under ``passphrase``."""
    envelope = envelopes.lock(key.reveal().encode(), passphrase, kind=_KIND, key_id=key.recipient)
    envelopes.save(envelope, path, replace=replace)


def load_sealing_key(path: Path, passphrase: Passphrase) -> SealingKey:
    """Return the key in ``path``.

    Raises:
        InputError: The file cannot be read.
        KeyAccessError: It is no sealing key, or the passphrase is wrong.
    """
    envelope = envelopes.load(path)
    if envelope.kind != _KIND:
        raise _no_key(path)
    plain = envelopes.unlock(envelope, passphrase, name=str(path))
    with needs_extra():
        import pyrage
    try:
        identity = pyrage.x25519.Identity.from_str(plain.decode())
    except (pyrage.IdentityError, ValueError):
        raise _no_key(path) from None
    if str(identity.to_public()) != envelope.key_id:
        raise _no_key(path)
    return SealingKey(envelope.key_id, identity)


def public_part(path: Path) -> str:
    """Return the recipient of the key in ``path``, without its passphrase.

    It is as trustworthy as the file: :func:`load_sealing_key` compares it with the key itself.

    Raises:
        InputError: The file cannot be read.
        KeyAccessError: It is no sealing key.
    """
    envelope = envelopes.load(path)
    if envelope.kind != _KIND:
        raise _no_key(path)
    age_recipient(envelope.key_id)
    return envelope.key_id


def age_recipient(text: str) -> Any:
    """Return the ``pyrage.x25519.Recipient`` that ``text`` spells.

    Raises:
        KeyAccessError: It spells none.
    """
    with needs_extra():
        import pyrage
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except (pyrage.RecipientError, ValueError):
        raise KeyAccessError(
            N_("{key} is no age recipient."),
            hint=N_("It begins with age1 and has 62 characters."),
            key=text[:80],
        ) from None


def _no_key(path: Path) -> KeyAccessError:
    return KeyAccessError(
        N_("{path} holds no sealing key."), hint=N_("Name the file of a sealing key."), path=path
    )
