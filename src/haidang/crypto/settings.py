"""``settings.toml`` of a :class:`~haidang.crypto.home.Home`: what differs from body to body.

    [timestamps]
    authorities = ["https://tsa.example.vn", "https://tsa2.example.vn"]   # asked in this order
    timeout = 10            # seconds for each
    clock_skew = 300        # seconds by which a token may differ from this machine's clock

    [marking]
    cleared = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED", "LƯU HÀNH NỘI BỘ"]
    forbidden = ["MẬT", "TỐI MẬT", "TUYỆT MẬT"]    # this system must refuse them
    sealed = ["RED", "AMBER+STRICT"]               # may leave only sealed

    [horizons]
    quantum = 2035-01-01    # when what a quantum computer breaks must have moved
    warn_days = 90          # how long before its end a certificate is reported

A missing file or section means the defaults of the classes below.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import TYPE_CHECKING

import msgspec

from haidang.crypto.files import read_bounded
from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DEFAULT_MARKING", "Horizons", "Marking", "Settings", "Timestamps", "load_settings"]

_LARGEST = 1 << 20


class Timestamps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which time stamping authorities are asked, in order."""

    authorities: tuple[str, ...] = ()
    timeout: float = 10
    """Seconds that each gets to answer."""
    clock_skew: float = 300
    """Seconds by which a token's time may differ from this machine's clock."""


class Marking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which labels may be on this system, and which must be sealed."""

    labels: tuple[str, ...] = ()
    """The body's own labels, beside TLP 2.0 and the three of state secrets."""
    forbidden: tuple[str, ...] = ("MẬT", "TỐI MẬT", "TUYỆT MẬT")
    """A system must be cleared for state secrets (Law 29/2018/QH14) before it may hold any."""
    sealed: tuple[str, ...] = ("AMBER+STRICT", "RED")
    """What may leave only sealed to named recipients."""


DEFAULT_MARKING = Marking()


class Horizons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when what is in use may be."""

    quantum: dt.date = dt.date(2035, 1, 1)
    """When what a quantum computer breaks must have moved (NIST IR 8547: disallowed after 2035)."""
    classical_112: dt.date = dt.date(2031, 1, 1)
    """When 112 bits of strength end (RSA-2048, P-224; NIST IR 8547: deprecated after 2030)."""
    warn_days: int = 90
    """How many days before its end something is reported as about to lapse."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them."""

    timestamps: Timestamps = Timestamps()
    marking: Marking = Marking()
    horizons: Horizons = Horizons()


def load_settings(path: Path) -> Settings:
    """Return the settings in ``path``, the defaults where there is no such file.

    Raises:
        InputError: It cannot be read.
        ConfigurationError: It is not sound; the error names the place.
    """
    if not path.exists():
        return Settings()
    try:
        data = tomllib.loads(read_bounded(path, _LARGEST).decode())
        return msgspec.convert(data, Settings, strict=True)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"{path} is wrong: {error}", hint="See the reference page on the settings of haidang protect."
        ) from error
