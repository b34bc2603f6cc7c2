"""Where the service keeps its files, all in one folder."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

__all__ = ["archive", "configuration", "counters", "positions", "quarantine", "spool"]


def _data() -> Path:
    return Path(settings.DATA)


def spool() -> Path:
    """Return the file of events that wait for detection."""
    return _data() / "spool.sqlite3"


def counters() -> Path:
    """Return the file of what receivers counted: the spool's, so that both are written together."""
    return _data() / "counters.sqlite3"


def quarantine() -> Path:
    """Return the file of lines that could not be read."""
    return _data() / "quarantine.sqlite3"


def positions() -> Path:
    """Return the file of how far files were followed."""
    return _data() / "positions.sqlite3"


def archive() -> Path:
    """Return the folder of raw events."""
    return _data() / "archive"


def configuration() -> Path:
    """Return the file of what is listened for, where no other is named."""
    return _data() / "serve.toml"
