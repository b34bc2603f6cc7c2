"""What an inventory holds: assets, and what is to be said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import datetime as dt

    from haidang.messages import Message

__all__ = ["Asset", "Concern", "Inventory", "Kind"]

Kind: TypeAlias = Literal[
    "certificate", "private-key", "public-key", "signature", "sealed-file", "timestamp", "crl", "request"
]


class Asset(NamedTuple):
    """One thing that was found in one place."""

    kind: Kind
    where: str
    """The file it is in."""
    name: str
    """Whose it is: a subject, a recipient kind, a key id; "" where nothing says."""
    algorithm: str
    """Of its key, or of what protects it; "" where it cannot be known without unlocking it."""
    digest: str = ""
    """Which digest was signed; "" where there is none."""
    begins: dt.datetime | None = None
    ends: dt.datetime | None = None
    key_id: str = ""
    """SHA-256 of its SubjectPublicKeyInfo, hexadecimal; joins a key and its certificate."""
    issuer: str = ""
    serial: str = ""
    protection: str = ""
    """Of a private key: ``argon2id``, ``pbkdf2-2048``, ``token``, ``none``, …"""
    authority: bool = False
    """Whether it is an authority's certificate."""
    open_to_others: bool = False
    """Whether others on the machine can read the file."""


class Concern(NamedTuple):
    """Something that must, or will have to, be done about an asset."""

    code: str
    severity: Literal["note", "warning", "error"]
    message: Message
    asset: Asset
    due: dt.date | None = None
    """By when."""


class Inventory(NamedTuple):
    """All that was found."""

    assets: tuple[Asset, ...]
    concerns: tuple[Concern, ...]
    unread: tuple[tuple[str, str], ...] = ()
    """Files that could not be read, with the reason."""
    files: int = 0
    """How many files were looked at."""
