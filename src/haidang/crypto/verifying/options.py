"""What whoever asks for a verification may say beside the file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from haidang.crypto.verdicts import DocumentVerdict, Reason, SignatureVerdict
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.passphrases import Passphrase

__all__ = ["DEFAULT_OPTIONS", "Options", "with_needs"]


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


def with_needs(verdict: DocumentVerdict, options: Options) -> DocumentVerdict:
    """Return the verdict on a document where more is demanded of its signatures than that they hold."""
    if not options.need_timestamp:
        return verdict
    return replace(verdict, signatures=tuple(_with_timestamp(one) for one in verdict.signatures))


def _with_timestamp(verdict: SignatureVerdict) -> SignatureVerdict:
    if not verdict.holds or verdict.proven_time is not None:
        return verdict
    reason = Reason(
        "timestamp-missing",
        Message(N_("It has no timestamp: nothing proves when it was signed.")),
        Message(N_("Ask the signer to sign again with a timestamp.")),
    )
    return replace(
        verdict,
        indication="INDETERMINATE",
        subindication="SIG_CONSTRAINTS_FAILURE",
        reasons=(*verdict.reasons, reason),
    )
