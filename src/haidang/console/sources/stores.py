"""The databases of the receivers, as the console reads them: what waits, was counted, was broken."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from haidang.ingest.counting import Counters
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["QUARANTINE", "SPOOL", "counters", "quarantine", "spool"]

SPOOL = "spool.sqlite3"
QUARANTINE = "quarantine.sqlite3"
"""Names of the files in the data folder."""


def spool() -> Spool:
    """Return the spool."""
    return _spool(settings.DATA / SPOOL)


def counters() -> Counters:
    """Return what was counted of each source, by its id; it is kept beside the spool's batches."""
    return _counters(settings.DATA / SPOOL)


def quarantine() -> Quarantine:
    """Return the broken lines."""
    return _quarantine(settings.DATA / QUARANTINE)


@cache
def _spool(path: Path) -> Spool:
    return Spool(path)


@cache
def _counters(path: Path) -> Counters:
    return Counters(path)


@cache
def _quarantine(path: Path) -> Quarantine:
    return Quarantine(path)
