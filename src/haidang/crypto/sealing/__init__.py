"""Seals files and folders to named people and units, and opens them: age files that hold a signed container.

A sealed file is an age v1 file (the ``age`` program opens it). Its plaintext is an ASiC-E container that the
sender signed: ``envelope.json`` (who, to whom, when, how it is marked) and the content below ``content/``.

    seal(Path("report"), Path("report.age"), signatory, recipients, now=now)
    opened = open_sealed(Path("report.age"), keys, trust, folder=Path("inbox"), now=now)

Importing the package brings none of it in: who seals does not load what opening takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haidang.crypto.sealing.acceptance import OpenOptions, RefusedError
    from haidang.crypto.sealing.envelope import SealedEnvelope
    from haidang.crypto.sealing.opening import NotForYouError, Opened, open_sealed
    from haidang.crypto.sealing.recipients import Recipient
    from haidang.crypto.sealing.sealing import SealOptions, seal

__all__ = [
    "NotForYouError",
    "OpenOptions",
    "Opened",
    "Recipient",
    "RefusedError",
    "SealOptions",
    "SealedEnvelope",
    "open_sealed",
    "seal",
]

_PLACES = {
    "NotForYouError": "opening",
    "OpenOptions": "acceptance",
    "Opened": "opening",
    "Recipient": "recipients",
    "RefusedError": "acceptance",
    "SealOptions": "sealing",
    "SealedEnvelope": "envelope",
    "open_sealed": "opening",
    "seal": "sealing",
}


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    place = _PLACES.get(name)
    if place is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value: object = getattr(import_module(f"{__name__}.{place}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
