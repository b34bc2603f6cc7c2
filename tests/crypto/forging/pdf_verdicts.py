"""A forged PDF file, and the verdict that it must get."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from haidang.crypto.trust import Trust

__all__ = ["LATER", "Forged", "failed"]

LATER = MOMENT + dt.timedelta(days=1)
"""When most of them are verified."""


class Forged(NamedTuple):
    """One file and the verdict that it must get."""

    name: str
    content: bytes
    indication: str
    subindication: str
    """Of the worst signature; empty where the document as a whole has a reason."""
    code: str
    """A reason that must be among those of the verdict."""
    trust: Trust
    now: dt.datetime = LATER


def failed(name: str, content: bytes, subindication: str, code: str) -> Forged:
    return Forged(name, content, "TOTAL-FAILED", subindication, code, small_pki().trust())
