"""The MIME around a sealed mail (RFC 8551): built byte by byte, since a signature is over the exact bytes.

What is read is not trusted: parts are found by their boundary, and nothing but what is needed is parsed.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
import secrets
from email.header import Header
from email.parser import BytesHeaderParser, BytesParser
from email.policy import default
from urllib.parse import quote

from haidang.errors import SealError
from haidang.i18n import N_

__all__ = ["attachment", "attachment_in", "enveloped", "enveloped_in", "signed", "signed_in"]

_BOUNDARY = re.compile(r"[\w'()+,./:=?-]{1,70}", re.ASCII)


def attachment(name: str, content: bytes) -> bytes:
    """Return a file as a MIME entity with CRLF line ends."""
    kind = mimetypes.guess_type(name, strict=False)[0] or "application/octet-stream"
    return _entity(
        [
            f"Content-Type: {kind}",
            f"Content-Disposition: attachment; filename*=UTF-8''{quote(name, safe='')}",
        ],
        content,
    )


def signed(entity: bytes, signature: bytes, digest: str) -> bytes:
    """Return a ``multipart/signed`` entity over ``entity`` (RFC 1847)."""
    boundary = f"haidang-{secrets.token_hex(16)}"
    mark = boundary.encode()
    head = (
        f'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
        f' micalg={digest.replace("sha", "sha-")}; boundary="{boundary}"\r\n\r\n'
    )
    part = _entity(
        [
            'Content-Type: application/pkcs7-signature; name="smime.p7s"',
            'Content-Disposition: attachment; filename="smime.p7s"',
        ],
        signature,
    )
    return b"".join(
        (
            head.encode(),
            b"--",
            mark,
            b"\r\n",
            entity,
            b"\r\n--",
            mark,
            b"\r\n",
            part,
            b"\r\n--",
            mark,
            b"--\r\n",
        )
    )


def enveloped(content: bytes, *, kind: str, subject: str, date: str) -> bytes:
    """Return a mail that carries CMS; ``kind`` is its smime-type."""
    coded = Header(subject, "utf-8", header_name="Subject").encode(linesep="\r\n") if subject else ""
    headers = [f"Date: {date}", "MIME-Version: 1.0"]
    if coded:
        headers.insert(0, f"Subject: {coded}")
    return _entity(
        [
            *headers,
            f'Content-Type: application/pkcs7-mime; smime-type={kind}; name="smime.p7m"',
            'Content-Disposition: attachment; filename="smime.p7m"',
        ],
        content,
    )


def enveloped_in(mail: bytes) -> bytes:
    """Return the CMS that a mail carries, or ``mail`` itself where it is CMS already.

    Raises:
        SealError: It carries none.
    """
    if mail.startswith(b"0"):
        return mail
    message = BytesParser(policy=default).parsebytes(mail)
    if message.get_content_type() not in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        raise _no_mail()
    content = message.get_payload(decode=True)
    if not isinstance(content, bytes) or not content:
        raise _no_mail()
    return content


def signed_in(entity: bytes) -> tuple[bytes, bytes]:
    """Return the signed part of a ``multipart/signed`` entity, byte by byte, and the signature.

    Raises:
        SealError: It is no such entity.
    """
    entity = entity.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    message = BytesHeaderParser(policy=default).parsebytes(entity)
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/signed" or not boundary or not _BOUNDARY.fullmatch(boundary):
        raise _not_signed()
    _, *parts = (b"\r\n" + entity).split(f"\r\n--{boundary}".encode())
    # The two parts, and what stands behind the last boundary.
    if len(parts) != 3 or not parts[2].startswith(b"--") or not parts[0].startswith(b"\r\n"):
        raise _not_signed()
    part = BytesParser(policy=default).parsebytes(parts[1].removeprefix(b"\r\n"))
    try:
        signature = part.get_payload(decode=True)
    except (binascii.Error, ValueError):
        signature = None
    if not isinstance(signature, bytes) or not signature:
        raise _not_signed()
    return parts[0].removeprefix(b"\r\n"), signature


def attachment_in(entity: bytes) -> tuple[str, bytes]:
    """Return the name and content of the file that an entity is; the name is not checked.

    Raises:
        SealError: It is not one file.
    """
    message = BytesParser(policy=default).parsebytes(entity)
    content = message.get_payload(decode=True)
    if message.is_multipart() or not isinstance(content, bytes):
        raise SealError(
            N_("The mail does not hold exactly one file."), hint=N_("Open it with a program for mail.")
        )
    return message.get_filename("message.txt"), content


def _entity(headers: list[str], content: bytes) -> bytes:
    lines = base64.encodebytes(content).replace(b"\n", b"\r\n")
    head = "\r\n".join([*headers, "Content-Transfer-Encoding: base64"])
    return head.encode() + b"\r\n\r\n" + lines.removesuffix(b"\r\n")


def _no_mail() -> SealError:
    return SealError(N_("This is not a sealed mail (S/MIME)."), hint=N_("haidang verify says what it is."))


def _not_signed() -> SealError:
    return SealError(
        N_("What is inside the sealed mail is not signed as it should be."),
        hint=N_("Ask the sender to sign it before sealing it."),
    )
