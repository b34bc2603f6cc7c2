"""The MIME around a sealed mail (RFC 8551): built byte by byte, since a signature is over the exact bytes.

What is read is not trusted: parts are found by their boundary, and nothing but what is needed is parsed.
"""

from __future__ import annotations

import base64
import mimetypes
import re
import secrets
from contextlib import contextmanager
from email.errors import MessageError
from email.header import Header, decode_header, make_header
from email.parser import BytesHeaderParser, BytesParser
from email.policy import default
from typing import TYPE_CHECKING
from urllib.parse import quote

from haidang.errors import SealError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "attachment",
    "attachment_in",
    "enveloped",
    "enveloped_in",
    "header_lines",
    "headers_of",
    "is_body_of",
    "is_signed_as_written",
    "readable",
    "signed",
    "signed_in",
]

_BOUNDARY = re.compile(r"[\w'()+,./:=?-]{1,70}", re.ASCII)
_PARSER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MessageError,
    TypeError,
    ValueError,
)
_FOLD = re.compile(rb"\n(?=[ \t])")


def headers_of(subject: str, date: str) -> list[str]:
    """Return the header lines that say what a mail is about, and when it was sealed; folded."""
    coded = Header(subject, "utf-8", header_name="Subject").encode(linesep="\r\n") if subject else ""
    return [*([f"Subject: {coded}"] if coded else []), f"Date: {date}"]


def attachment(name: str, content: bytes, headers: Sequence[str]) -> bytes:
    """Return a file as a MIME entity with CRLF line ends, which carries the mail's ``headers`` (RFC 9788).

    A program that knows header protection shows these, and not what somebody wrote around the mail. They are
    outside as well, as they are inside: ``HP-Outer`` says so.
    """
    kind = mimetypes.guess_type(name, strict=False)[0] or "application/octet-stream"
    return _entity(
        [
            *headers,
            *(f"HP-Outer: {line}" for line in headers),
            f'Content-Type: {kind}; hp="cipher"',
            f"Content-Disposition: attachment; filename*=UTF-8''{quote(name, safe='')}",
        ],
        content,
    )


def signed(entity: bytes, signature: bytes, digest: str, boundary: str = "") -> bytes:
    """Return a ``multipart/signed`` entity over ``entity`` (RFC 1847); its boundary is fresh if not given."""
    boundary = boundary or f"haidang-{secrets.token_hex(16)}"
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


def enveloped(content: bytes, kind: str, headers: Sequence[str]) -> bytes:
    """Return a mail that carries CMS; ``kind`` is its smime-type. Its header is the same for any content."""
    return _entity(
        [
            *headers,
            "MIME-Version: 1.0",
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
    with _parsing(_no_mail()):
        message = BytesParser(policy=default).parsebytes(mail)
        kind, content = message.get_content_type(), message.get_payload(decode=True)
    if kind not in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        raise _no_mail()
    if not isinstance(content, bytes) or not content:
        raise _no_mail()
    return content


def signed_in(entity: bytes) -> tuple[bytes, bytes]:
    """Return the signed part of a ``multipart/signed`` entity, byte by byte, and the signature.

    Raises:
        SealError: It is no such entity.
    """
    entity = entity.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    with _parsing(_not_signed()):
        message = BytesHeaderParser(policy=default).parsebytes(entity)
        kind, boundary = message.get_content_type(), message.get_boundary()
    if kind != "multipart/signed" or not boundary or not _BOUNDARY.fullmatch(boundary):
        raise _not_signed()
    _, *parts = (b"\r\n" + entity).split(f"\r\n--{boundary}".encode())
    # The two parts, and what stands behind the last boundary.
    if len(parts) != 3 or not parts[2].startswith(b"--") or not parts[0].startswith(b"\r\n"):
        raise _not_signed()
    with _parsing(_not_signed()):
        part = BytesParser(policy=default).parsebytes(parts[1].removeprefix(b"\r\n"))
        signature = part.get_payload(decode=True)
    if not isinstance(signature, bytes) or not signature:
        raise _not_signed()
    return parts[0].removeprefix(b"\r\n"), signature


def is_signed_as_written(inside: bytes, entity: bytes, signature: bytes) -> bool:
    """Return whether ``inside`` is what :func:`signed` writes, if :func:`signed_in` found these two in it."""
    message = BytesHeaderParser(policy=default).parsebytes(inside)
    digest = str(message.get_param("micalg")).replace("-", "")
    return inside == signed(entity, signature, digest, message.get_boundary() or "")


def header_lines(mail: bytes) -> list[bytes]:
    """Return the lines of the header of a mail, unfolded; its lines end with CRLF or with LF."""
    header = mail.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return _FOLD.sub(b"", header).split(b"\n")


def is_body_of(mail: bytes, content: bytes) -> bool:
    """Return whether the body of a mail is ``content`` in base64 and nothing else, in lines of any length."""
    body = mail.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return body.replace(b"\n", b"") == base64.b64encode(content)


def readable(value: bytes) -> str:
    """Return the value of a header line as people read it; as it is where it cannot be decoded."""
    text = value.decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(text)))
    except _PARSER_ERRORS:
        return text


def attachment_in(entity: bytes) -> tuple[str, bytes]:
    """Return the name and content of the file that an entity is; the name is not checked.

    Raises:
        SealError: It is not one file.
    """
    with _parsing(_not_one_file()):
        message = BytesParser(policy=default).parsebytes(entity)
        name, content = message.get_filename("message.txt"), message.get_payload(decode=True)
    if message.is_multipart() or not isinstance(content, bytes):
        raise _not_one_file()
    return name, content


def _entity(headers: list[str], content: bytes) -> bytes:
    lines = base64.encodebytes(content).replace(b"\n", b"\r\n")
    head = "\r\n".join([*headers, "Content-Transfer-Encoding: base64"])
    return head.encode() + b"\r\n\r\n" + lines.removesuffix(b"\r\n")


@contextmanager
def _parsing(refusal: SealError) -> Iterator[None]:
    """Refuse what the standard library's parser fails on, as it does e.g. on a parameter without a value."""
    try:
        yield
    except _PARSER_ERRORS as error:
        raise refusal from error


def _not_one_file() -> SealError:
    return SealError(
        N_("The mail does not hold exactly one file."), hint=N_("Open it with a program for mail.")
    )


def _no_mail() -> SealError:
    return SealError(N_("This is not a sealed mail (S/MIME)."), hint=N_("haidang verify says what it is."))


def _not_signed() -> SealError:
    return SealError(
        N_("What is inside the sealed mail is not signed as it should be."),
        hint=N_("Ask the sender to sign it before sealing it."),
    )
