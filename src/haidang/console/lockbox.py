"""Secrets that the database keeps for the service to use: encrypted, so that who reads the database has none.

Rules:

- The key is derived (HKDF-SHA256) from ``SECRET_KEY``: ``HAIDANG_SECRET_KEY``, or the file ``secret-key``
  that the service makes for itself alone. A copy of the database without it is of no use.
- What is sealed is a Fernet token (AES-128-CBC and HMAC-SHA256): altered, it is refused.
- Old keys (``SECRET_KEY_FALLBACKS``) still open; :func:`resealed` moves what they sealed to the key of now.

Example::

    opened(sealed("whsec_…"))
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext_noop

from haidang.errors import HaidangError

__all__ = ["LockboxError", "opened", "resealed", "sealed"]

_PURPOSE = b"haidang.console.lockbox 1"


class LockboxError(HaidangError):
    """A secret cannot be opened: it was sealed with another key, or altered."""


def sealed(secret: str) -> str:
    """Return a secret as the database may keep it."""
    return _box(_keys()[:1]).encrypt(secret.encode()).decode("ascii")


def opened(token: str) -> str:
    """Return a sealed secret.

    Raises:
        LockboxError: It was sealed with a key that is not known here, or altered.
    """
    try:
        return _box(_keys()).decrypt(token.encode()).decode()
    except InvalidToken:
        raise LockboxError(
            gettext_noop("The secret cannot be opened with the key of this service."),
            hint="Give the key that it was sealed with in HAIDANG_SECRET_KEY_OLD, or make a new secret.",
        ) from None


def resealed(token: str) -> str | None:
    """Return a secret sealed anew with the key of now, None where it is so already.

    Raises:
        LockboxError: It cannot be opened.
    """
    try:
        _box(_keys()[:1]).decrypt(token.encode())
    except InvalidToken:
        return sealed(opened(token))
    return None


def _keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=8)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(_derived(key))) for key in keys])


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
