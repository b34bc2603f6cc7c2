"""The signing key of a service that runs without a person: made on its first start, in its own folder.

It is not under a passphrase, for nobody is there to enter one; the file's permissions (0600) and the folder's
protect it. Whoever has it can sign in the service's name, which is why others keep what it signed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from haidang.crypto.extra import needs_extra
from haidang.crypto.files import PRIVATE, read_bounded, write_whole
from haidang.crypto.keys import make_key
from haidang.errors import KeyAccessError, OutputError
from haidang.i18n import N_

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.keys import SigningKey

__all__ = ["service_key"]

_LARGEST_KEY = 1 << 16


@cache
def service_key(path: Path) -> SigningKey:
    """Return the key in ``path`` (PKCS#8, PEM), made where there is none yet.

    Raises:
        InputError: The file cannot be read.
        KeyAccessError: It holds no key.
        OutputError: It cannot be written.
    """
    with needs_extra():
        from cryptography.hazmat.primitives import serialization as forms
    if not path.exists():
        made = make_key().private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
        try:
            # Of several processes that start together, the first one's holds.
            write_whole(path, made, mode=PRIVATE, replace=False)
        except OutputError:
            if not path.exists():
                raise
    try:
        return forms.load_pem_private_key(read_bounded(path, _LARGEST_KEY), None)
    except (ValueError, TypeError):
        raise KeyAccessError(
            N_("{path} holds no signing key."),
            hint=N_(
                "Put the key back from a backup; a new one would not fit the checkpoints that others keep."
            ),
            path=path,
        ) from None
