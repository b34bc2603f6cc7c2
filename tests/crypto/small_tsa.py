"""A time stamping authority for tests: the real one, in this process, with a clock that a test sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.timestamps.authority import TimestampAuthority
from tests.crypto.small_pki import MOMENT, SmallPki, small_pki

if TYPE_CHECKING:
    import datetime as dt

    from haidang.crypto.signers import Signatory

__all__ = ["SmallTsa", "small_tsa"]


class SmallTsa(NamedTuple):
    """An authority whose tokens say ``moment``."""

    signatory: Signatory
    stamper: Any
    """A pyHanko ``TimeStamper``."""


def small_tsa(moment: dt.datetime = MOMENT, *, pki: SmallPki | None = None, **options: Any) -> SmallTsa:
    """Return an authority of the small PKI whose clock stands at ``moment``."""
    pki = pki or small_pki()
    signatory = pki.signatory("Dấu thời gian Tỉnh Mẫu", "timestamp", unit="", **options)
    return SmallTsa(signatory, TimestampAuthority(signatory, clock=lambda: moment).timestamper())
