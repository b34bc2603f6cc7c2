"""The keys of an authority, and the one secret that opens them.

    wrapping.key   32 random bytes, locked under the passphrase (:mod:`haidang.crypto.envelopes`)
    signing.key    the signing key, locked under those 32 bytes
    second.key     the ML-DSA key, where there is one, likewise
    token.json     in place of them: where in a PKCS#11 token the signing key is

What a ceremony splits among people is the wrapping key: never the signing key itself, which therefore can be
proven right when shares are put together, and a new passphrase rewrites one small file.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

from haidang.crypto import envelopes
from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import DEFAULT_ALGORITHM, key_id, load_key, make_key
from haidang.crypto.passphrases import Passphrase
from haidang.errors import KeyAccessError
from haidang.i18n import N_

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.keys import Algorithm, SigningKey

__all__ = ["AuthorityKeys", "TokenChoice", "make_keys", "open_keys", "open_wrapped", "open_wrapping", "wrap"]

WRAPPING_BYTES = 32


class AuthorityKeys(NamedTuple):
    """The open keys."""

    first: SigningKey
    second: SigningKey | None = None
    """ML-DSA, for second signatures."""


class TokenChoice(NamedTuple):
    """The token in which an authority's key is made."""

    module: Path
    label: str


def make_keys(
    folder: Path,
    passphrase: Passphrase,
    *,
    algorithm: Algorithm = DEFAULT_ALGORITHM,
    second: bool = False,
    token: TokenChoice | None = None,
    name: str = "",
) -> AuthorityKeys:
    """Make the keys of a new authority in ``folder``; for a token, the passphrase is its PIN.

    ``name`` is what the token calls the key.

    Raises:
        KeyAccessError: The token cannot be used.
        OutputError: A file cannot be written.
    """
    if token is not None:
        from haidang.crypto.tokens import make_token_key, save_place

        if second:
            raise KeyAccessError(
                N_("A second key cannot be made in a token."), hint=N_("Leave out --second, or the token.")
            )
        key, place = make_token_key(
            token.module, token.label, passphrase, label=name or folder.name, algorithm=algorithm
        )
        save_place(place, folder / "token.json")
        return AuthorityKeys(key)
    wrapping = secrets.token_bytes(WRAPPING_BYTES)
    keys = AuthorityKeys(make_key(algorithm), make_key("ml-dsa-65") if second else None)
    for one, file in ((keys.first, "signing.key"), (keys.second, "second.key")):
        if one is not None:
            _save_wrapped(one, folder / file, wrapping)
    wrap(folder, wrapping, passphrase, key_id=key_id(keys.first))
    return keys


def open_keys(folder: Path, passphrase: Passphrase) -> AuthorityKeys:
    """Return the keys in ``folder``; for a token, the passphrase is its PIN.

    Raises:
        KeyAccessError: The passphrase is wrong, a file is damaged, or shares alone open the keys.
    """
    if (folder / "token.json").is_file():
        from haidang.crypto.tokens import open_token_key

        return AuthorityKeys(open_token_key(folder / "token.json", passphrase))
    return open_wrapped(folder, open_wrapping(folder, passphrase))


def open_wrapping(folder: Path, passphrase: Passphrase) -> bytes:
    """Return the wrapping key itself, which a ceremony splits.

    Raises:
        KeyAccessError: The passphrase is wrong, or there is no wrapping key here.
    """
    path = folder / "wrapping.key"
    if (folder / "token.json").is_file():
        raise KeyAccessError(
            N_("The key is in a token and does not leave it."),
            hint=N_("Ask the maker of the token how it is backed up."),
        )
    if not path.is_file():
        raise KeyAccessError(
            N_("The key of {folder} is open to its shares alone."),
            hint=N_("Bring the holders of the shares together: haidang pki ceremony restore."),
            folder=folder,
        )
    return envelopes.unlock(envelopes.load(path), passphrase, name=str(path))


def open_wrapped(folder: Path, wrapping: bytes) -> AuthorityKeys:
    """Return the keys that ``wrapping`` opens.

    Raises:
        KeyAccessError: It opens another authority's keys, or a file is damaged.
    """
    secret = Passphrase(wrapping)
    first = load_key(folder / "signing.key", secret)
    second = folder / "second.key"
    return AuthorityKeys(first, load_key(second, secret) if second.is_file() else None)


def wrap(folder: Path, wrapping: bytes, passphrase: Passphrase, *, key_id: str) -> None:
    """Lock the wrapping key under a passphrase, in place of the one before."""
    envelope = envelopes.lock(wrapping, passphrase, kind="wrapping", key_id=key_id)
    envelopes.save(envelope, folder / "wrapping.key", replace=True)


def _save_wrapped(key: SigningKey, path: Path, wrapping: bytes) -> None:
    with needs_extra():
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    # The wrapping key is as random as a key: stretching it would cost time and add nothing.
    envelope = envelopes.lock(
        plain, Passphrase(wrapping), kind="pkcs8", key_id=key_id(key), memory_kib=64, passes=1
    )
    envelopes.save(envelope, path)
