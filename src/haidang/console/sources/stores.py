"""The databases of the receivers, as the console reads them: what waits, was counted, was broken."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from haidang.console.service import places
from haidang.ingest.counting import Counters
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["counters", "quarantine", "spool"]


def spool() -> Spool:
    """Return the spool."""
    return _spool(places.spool())


def counters() -> Counters:
    """Return what was counted of each source, by its id."""
    return _counters(places.counters())


def quarantine() -> Quarantine:
    """Return the broken lines."""
    return _quarantine(places.quarantine())


@cache
def _spool(path: Path) -> Spool:
    return Spool(path)


@cache
def _counters(path: Path) -> Counters:
    return Counters(path)


@cache
def _quarantine(path: Path) -> Quarantine:
    return Quarantine(path)
