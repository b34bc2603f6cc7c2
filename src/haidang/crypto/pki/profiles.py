"""Certificate profiles: what a root, a person or a server may do, for how long. They are data.

The built-in ones are ``profiles.toml``; a file of the same form adds to them or replaces some.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from haidang.crypto.files import read_bounded
from haidang.errors import ConfigurationError

__all__ = ["Profile", "load_profiles"]

_BUILT_IN = Path(__file__).with_name("profiles.toml")
_LARGEST = 1 << 20

_KEY_USAGES = frozenset(
    {
        "digitalSignature",
        "nonRepudiation",
        "keyEncipherment",
        "dataEncipherment",
        "keyAgreement",
        "keyCertSign",
        "cRLSign",
    }
)
_NAMES = frozenset({"CN", "O", "OU", "serialNumber", "C", "L", "ST", "emailAddress", "title"})


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One profile."""

    days: int
    """How long its certificates are valid."""
    key_usage: tuple[str, ...]
    extended: tuple[str, ...] = ()
    """Extended key usages: names of RFC 5280, or OIDs in dots."""
    authority: bool = False
    path_length: int | None = None
    names: tuple[str, ...] = ("CN",)
    """What its subjects must have."""
    no_check: bool = False
    """Whether it needs no revocation check (RFC 6960, section 4.2.2.2.1)."""


def load_profiles(path: Path | None = None) -> dict[str, Profile]:
    """Return the built-in profiles by name, and over them those of ``path``.

    Raises:
        InputError: ``path`` cannot be read.
        ConfigurationError: It is not sound.
    """
    profiles = _read(_BUILT_IN)
    return profiles if path is None else profiles | _read(path)


def _read(path: Path) -> dict[str, Profile]:
    try:
        data = tomllib.loads(read_bounded(path, _LARGEST).decode())
        profiles = msgspec.convert(data, dict[str, Profile], strict=True)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"{path} is not a file of certificate profiles: {error}",
            hint="See the reference page on certificate profiles.",
        ) from error
    for name, profile in profiles.items():
        wrong = [*(set(profile.key_usage) - _KEY_USAGES), *(set(profile.names) - _NAMES)]
        if wrong or not 1 <= profile.days <= 36_500:
            raise ConfigurationError(
                f"{path}: profile {name} is wrong: {', '.join(wrong) or f'{profile.days} days'}",
                hint="See the reference page on certificate profiles.",
            )
    return profiles
