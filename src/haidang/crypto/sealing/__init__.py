"""Seals files and folders to named people and units, and opens them: age files that hold a signed container.

A sealed file is an age v1 file (the ``age`` program opens it). Its plaintext is an ASiC-E container that the
sender signed: ``envelope.json`` (who, to whom, when, how it is marked) and the content below ``content/``.

    seal(Path("report"), Path("report.age"), signatory, recipients, now=now)
    opened = open_sealed(Path("report.age"), keys, trust, folder=Path("inbox"), now=now)
"""

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
