"""Second factors at rest: the secrets of authenticator apps and of recovery codes are kept sealed.

What was stored before is read as it is, and sealed at the next start (``haidang.console.service.resealing``).
"""

from __future__ import annotations

import base64
import logging
import secrets

from allauth.mfa.adapter import DefaultMFAAdapter

from haidang.console.lockbox import LockboxError, opened, sealed

__all__ = ["SealingAdapter", "is_sealed"]

_LOG = logging.getLogger(__name__)
_SEALED = "gAAAA"
"""How Fernet tokens begin: neither Base32 nor hexadecimal digits do, which these secrets are."""


def is_sealed(text: str) -> bool:
    """Return whether a secret of a second factor is sealed."""
    return text.startswith(_SEALED)


class SealingAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Seals what allauth stores."""

    def encrypt(self, text: str) -> str:
        """Return a secret as the database may keep it."""
        return sealed(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret; where the key is lost, another one, so that no code fits."""
        if not is_sealed(encrypted_text):
            return encrypted_text
        try:
            return opened(encrypted_text)
        except LockboxError as error:
            _LOG.error("a second factor cannot be checked: %s %s", error.message, error.hint)
            return base64.b32encode(secrets.token_bytes(20)).decode()
