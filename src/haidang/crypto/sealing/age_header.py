"""The header of an age v1 file (C2SP, "The age file encryption format"): to whom its file key is wrapped.

Rules:

- Written for X25519 only; of what is read, only X25519 stanzas are tried, others are for other keys.
- What is read is not trusted: it has one spelling, its size is bounded, and it is believed only when its MAC
  holds under the file key that it wraps.
- A passphrase (scrypt) must be the only stanza of its file.

The primitives are pyca/cryptography's; the age vectors of C2SP hold this to the format.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

__all__ = ["FILE_KEY_SIZE", "LARGEST_HEADER", "HeaderError", "NoMatchError", "derive", "read_header", "wrap"]

FILE_KEY_SIZE: Final = 16
"""Bytes of a file key."""
LARGEST_HEADER = 1 << 20
"""Bytes; about 9,000 recipients."""

_INTRODUCTION: Final = b"age-encryption.org/v1\n"
_X25519: Final = b"X25519"
_LABEL: Final = b"age-encryption.org/v1/X25519"
_NONCE: Final = bytes(12)
_COLUMNS: Final = 64
_ARGUMENTS = re.compile(rb"-> ([!-~]+(?: [!-~]+)*)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*")


class HeaderError(Exception):
    """It is not a sound header, or it was altered."""


class NoMatchError(HeaderError):
    """None of the keys unwraps it."""


class _Stanza(NamedTuple):
    """One wrapped file key."""

    kind: bytes
    arguments: tuple[bytes, ...]
    body: bytes


def wrap(file_key: bytes, recipients: Sequence[bytes]) -> bytes:
    """Return a header that wraps ``file_key`` to the public keys ``recipients`` (32 bytes each)."""
    lines = [_INTRODUCTION]
    for recipient in recipients:
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
        body = ChaCha20Poly1305(derive(shared, share + recipient, _LABEL)).encrypt(_NONCE, file_key, None)
        lines += (b"-> X25519 ", _encoded(share), b"\n", _encoded(body), b"\n")
    covered = b"".join(lines) + b"---"
    return covered + b" " + _encoded(_mac(file_key, covered)) + b"\n"


def read_header(source: IO[bytes], secrets: Sequence[bytes]) -> bytes:
    """Read the header in front of ``source``; return the file key, and leave the stream behind the header.

    Args:
        source: from its first byte.
        secrets: secret keys (32 bytes each); one that fits is enough.

    Raises:
        NoMatchError: None fits.
        HeaderError: It is not a sound header, or it was altered.
    """
    covered, stanzas, mac = _parsed(source)
    if any(one.kind == b"scrypt" for one in stanzas) and len(stanzas) > 1:
        raise HeaderError("a passphrase beside other keys")
    wrapped = [one for one in stanzas if one.kind == _X25519]
    keys = [X25519PrivateKey.from_private_bytes(secret) for secret in secrets]
    file_key = next((found for key in keys for one in wrapped if (found := _unwrapped(one, key))), None)
    if file_key is None:
        raise NoMatchError("no key matches")
    if not hmac.compare_digest(mac, _mac(file_key, covered)):
        raise HeaderError("the header was altered")
    return file_key


def derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA-256."""
    return HKDF(SHA256(), 32, salt, info).derive(secret)


def _mac(file_key: bytes, covered: bytes) -> bytes:
    return hmac.digest(derive(file_key, b"", b"header"), covered, "sha256")


def _unwrapped(stanza: _Stanza, key: X25519PrivateKey) -> bytes | None:
    share = _decoded(stanza.arguments[0]) if len(stanza.arguments) == 1 else b""
    if len(share) != 32 or len(stanza.body) != FILE_KEY_SIZE + 16:
        raise HeaderError("an X25519 stanza is malformed")
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError:
        # A point of low order: all keys would agree on the same secret (RFC 7748, section 6.1).
        raise HeaderError("an X25519 share is of low order") from None
    salt = share + key.public_key().public_bytes_raw()
    try:
        return ChaCha20Poly1305(derive(shared, salt, _LABEL)).decrypt(_NONCE, stanza.body, None)
    except InvalidTag:
        return None


def _parsed(source: IO[bytes]) -> tuple[bytes, list[_Stanza], bytes]:
    """Return what the MAC covers, the stanzas and the MAC."""
    lines = _lines(source)
    covered = next(lines)
    if covered + b"\n" != _INTRODUCTION:
        raise HeaderError("not age v1")
    covered += b"\n"
    stanzas: list[_Stanza] = []
    for line in lines:
        if line.startswith(b"---"):
            mac = _decoded(line[4:]) if line[3:4] == b" " else b""
            if len(mac) != 32 or not stanzas:
                raise HeaderError("the MAC is malformed")
            return covered + b"---", stanzas, mac
        begin = _ARGUMENTS.fullmatch(line)
        if begin is None:
            raise HeaderError("a stanza is malformed")
        kind, *arguments = begin[1].split(b" ")
        body = [b""]
        while len(body) == 1 or len(body[-1]) == _COLUMNS:
            body.append(next(lines, b"?"))
        if any(len(one) > _COLUMNS for one in body):
            raise HeaderError("a line is too long")
        stanzas.append(_Stanza(kind, tuple(arguments), b"".join(map(_decoded, body))))
        covered += b"\n".join((line, *body[1:], b""))
    raise HeaderError("cut off")


def _lines(source: IO[bytes]) -> Iterator[bytes]:
    left = LARGEST_HEADER
    while left:
        line = source.readline(left)
        left -= len(line)
        if not line.endswith(b"\n"):
            raise HeaderError("cut off, or too large")
        yield line[:-1]


def _encoded(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    """Return what unpadded Base64 spells, if it is the one spelling (RFC 4648, section 3.5)."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise HeaderError("malformed Base64") from None
    if not _BASE64.fullmatch(text) or _encoded(data) != text:
        raise HeaderError("malformed Base64")
    return data
