"""Files that are sealed (age): their signature is inside, so they are opened first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.crypto.verdicts import DocumentVerdict, Reason
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["recognises", "verify_file"]

_HEADS = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")


def recognises(head: bytes, path: Path) -> int:
    """Return how sure it is that this is a sealed file."""
    del path
    return 95 if head.startswith(_HEADS) else 0


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return that it must be opened first: the verdict cannot be told from outside."""
    del trust, now, options
    reason = Reason(
        "sealed",
        Message(N_("It is sealed: who signed it can be told only when it is open.")),
        Message(N_("Open it with haidang open, which verifies the sender, too.")),
        severity="warning",
    )
    return DocumentVerdict(str(path), "sealed", reasons=(reason,))
