"""Signed mails (S/MIME, RFC 8551): ``multipart/signed`` with a signature beside the text, or one around it.

What is signed is the first part as it was sent: its bytes between the boundaries, with line ends CRLF. A mail
that was kept with other line ends is brought back to them. What mail programs show beside the signed part
(subject, sender, further parts) is not signed, and the verdict says so.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from haidang.crypto.files import read_bounded
from haidang.crypto.verdicts import DocumentVerdict, Reason
from haidang.crypto.verifying.options import DEFAULT_OPTIONS, Options, with_needs
from haidang.i18n import N_
from haidang.messages import Message

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from haidang.crypto.trust import Trust

__all__ = ["LARGEST_MAIL", "recognises", "signed_parts", "verify_file"]

LARGEST_MAIL = 64 << 20
"""Bytes."""
KIND = "mail"

_SIGNED = re.compile(rb"^content-type:[ \t]*multipart/signed\b", re.IGNORECASE | re.MULTILINE)
_AROUND = re.compile(rb"^content-type:[ \t]*application/(?:x-)?pkcs7-mime\b", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb'\bboundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)


def recognises(head: bytes, path: Path) -> int:
    """Return how sure it is that this is a signed mail."""
    del path
    return 85 if _SIGNED.search(head) or _AROUND.search(head) else 0


def verify_file(
    path: Path, trust: Trust, *, now: dt.datetime, options: Options = DEFAULT_OPTIONS
) -> DocumentVerdict:
    """Return what holds of the signature of a mail.

    Raises:
        InputError: It cannot be read, or is too large.
    """
    from haidang.crypto.verifying import unsigned
    from haidang.crypto.verifying.cms import verify_signers

    parts = signed_parts(read_bounded(path, LARGEST_MAIL))
    if parts is None:
        return unsigned(path, KIND)
    content, signature = parts
    digest = None if content is None else lambda name: hashlib.new(name, content).digest()
    verdicts = verify_signers(signature, digest, trust, now=now)
    note = Reason(
        "mail-headers",
        Message(
            N_("Subject, sender and date of the mail are not signed; only its text and attachments are.")
        ),
        severity="note",
    )
    return with_needs(DocumentVerdict(str(path), KIND, verdicts, (note,)), options)


def signed_parts(mail: bytes) -> tuple[bytes | None, bytes] | None:
    """Return what is signed (None: it is inside the signature) and the signature; None if there is none."""
    mail = re.sub(rb"\r?\n", b"\r\n", mail)
    head, _, body = mail.partition(b"\r\n\r\n")
    if _AROUND.search(head):
        return None, _decoded(body)
    boundary = _BOUNDARY.search(head)
    if not _SIGNED.search(head) or boundary is None:
        return None
    line = b"\r\n--" + (boundary[1] or boundary[2])
    parts = (b"\r\n" + body).split(line)
    if len(parts) != 4 or not parts[3].startswith(b"--"):
        # RFC 1847: exactly two parts; what comes after them is not signed, and must not look so.
        return None
    content = parts[1].removeprefix(b"\r\n")
    _, _, signature = parts[2].removeprefix(b"\r\n").partition(b"\r\n\r\n")
    return content, _decoded(signature)


def _decoded(text: bytes) -> bytes:
    """Return what lines of base64 hold; what is anything else comes to nothing, and is judged as such."""
    text = text.replace(b"\r\n", b"")
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return found if base64.b64encode(found) == text else b""
