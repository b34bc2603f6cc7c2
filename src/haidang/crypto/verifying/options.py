"""What whoever asks for a verification may say beside the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.passphrases import Passphrase

__all__ = ["DEFAULT_OPTIONS", "Options"]


class Options(NamedTuple):
    """All of it."""

    signature: Path | None = None
    """The file with the signature, where it is not beside the document under its name and ``.p7s``."""
    content: Path | None = None
    """The file that was signed, where a signature is given and the file is not beside it."""
    need_timestamp: bool = False
    """Whether a signature without a believed timestamp is not enough."""
    password: Passphrase | None = None
    """What opens an encrypted document."""


DEFAULT_OPTIONS = Options()
