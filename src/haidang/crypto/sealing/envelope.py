"""``envelope.json``: what a sealed file says of itself, inside the part that the sender signed.

The recipients stand in it. Whoever gets a sealed file can take it apart and encrypt the signed container to
somebody else ("surreptitious forwarding"); the new receiver then finds that it was not meant for them.

``docs/reference/sealed-envelope.schema.json`` is its JSON Schema. What is read is not trusted until the
signature over it holds.
"""

from __future__ import annotations

import datetime as dt  # noqa: TC003 -- msgspec reads the annotations
from typing import Any, Final

import msgspec

from haidang.crypto.containers.member_names import check_name
from haidang.errors import ProtectError, SealError
from haidang.i18n import N_

__all__ = [
    "CONTENT",
    "ENVELOPE",
    "LARGEST_ENVELOPE",
    "ContentFile",
    "NamedKey",
    "SealedContent",
    "SealedEnvelope",
    "Sender",
    "decode_envelope",
    "encode_envelope",
    "envelope_schema",
]

ENVELOPE: Final = "envelope.json"
"""Its name in the container."""
CONTENT: Final = "content/"
"""What the names of the content begin with in the container."""
LARGEST_ENVELOPE = 48 << 20
"""Bytes; about 100,000 files of long names."""

_FORMAT: Final = "haidang-sealed"


class Sender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who sealed it."""

    name: str
    certificate: str
    """SHA-256 of the certificate that signed, in hexadecimal."""
    unit: str = ""
    organisation: str = ""


class NamedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recipient: one key of a person or unit."""

    name: str
    key: str
    """The public key, ``age1…``."""
    unit: str = ""
    certificate: str = ""
    """SHA-256 of the recipient's certificate, in hexadecimal; "" where the sender does not know one."""


class ContentFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file."""

    path: str
    """Below ``content/``, with slashes; it begins with the name of the content."""
    bytes: int
    modified: dt.datetime


class SealedContent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is sealed: one file, or one folder with all that is in it."""

    name: str
    folder: bool
    files: tuple[ContentFile, ...]
    folders: tuple[str, ...] = ()
    """Every folder, also empty ones, by path."""

    @property
    def bytes(self) -> int:
        """How large all files are together."""
        return sum(one.bytes for one in self.files)


class SealedEnvelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    sender: Sender
    recipients: tuple[NamedKey, ...]
    created: dt.datetime
    content: SealedContent
    expires: dt.datetime | None = None
    """After this the content is not to be used any more: a wish of the sender's, not a lock."""
    labels: tuple[str, ...] = ()
    """Markings, e.g. ``TLP:AMBER``."""
    for_your_eyes: bool = False
    """For the named recipients in person."""
    subject: str = ""
    """What it is about, in the sender's words."""
    format: str = _FORMAT
    version: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return told


def encode_envelope(envelope: SealedEnvelope) -> bytes:
    """Return it as the container holds it."""
    return msgspec.json.format(msgspec.json.encode(envelope), indent=1) + b"\n"


def decode_envelope(content: bytes) -> SealedEnvelope:
    """Return the envelope that ``content`` spells.

    Raises:
        SealError: It is not sound: another format, no zone in a time, a name that is not safe.
    """
    try:
        envelope = msgspec.json.decode(content, type=SealedEnvelope, strict=True)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _unsound(str(error)) from error
    if envelope.format != _FORMAT or envelope.version != 1:
        raise SealError(
            N_("This is a sealed file of another version ({format} {version})."),
            hint=N_("Open it with a newer Hải Đăng."),
            format=envelope.format[:40],
            version=envelope.version,
        )
    _check(envelope)
    return envelope


def envelope_schema() -> dict[str, Any]:
    """Return the JSON Schema of an envelope."""
    schema: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(SealedEnvelope)))
    return schema


def _check(envelope: SealedEnvelope) -> None:
    content = envelope.content
    times = [envelope.created, envelope.expires, *(one.modified for one in content.files)]
    if any(time is not None and time.tzinfo is None for time in times):
        raise _unsound("a time has no zone")
    # A hidden name in a home folder could be a program's settings.
    if "/" in content.name or content.name.startswith(".") or any(one.bytes < 0 for one in content.files):
        raise _unsound("content")
    below = f"{content.name}/"
    files = [one.path for one in content.files]
    paths = [*files, *content.folders]
    try:
        for path in (content.name, *paths):
            check_name(path)
    except ProtectError as error:
        raise _unsound(str(error)) from error
    if content.folder:
        inside = all(path.startswith(below) for path in paths if path != content.name)
        inside = inside and content.name not in files
    else:
        inside = [content.name] == paths
    if not inside or len(set(paths)) != len(paths) or any(path.endswith("/") for path in paths):
        raise _unsound("content")


def _unsound(reason: str) -> SealError:
    return SealError(
        N_("The envelope inside the sealed file is not sound: {reason}."),
        hint=N_("Ask the sender to seal it again."),
        reason=reason,
    )
