"""The process that archives: raw events from the spool into Parquet. It ends on SIGTERM or SIGINT."""

from __future__ import annotations

import gc
import signal
import threading
from typing import TYPE_CHECKING

from haidang.console.service import places
from haidang.ingest.archive import Archive, run_archive
from haidang.ingest.spool import Spool

if TYPE_CHECKING:
    from haidang.ingest.archive import Retention

__all__ = ["keep_archive"]


def keep_archive(retention: Retention) -> None:
    """Archive what comes until told to stop.

    Raises:
        StorageError: The folder of the archive cannot be used.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # Events are many small objects that live as long as their file takes, none of them garbage.
    gc.set_threshold(100_000, 50, 100)
    spool = Spool(places.spool())
    try:
        run_archive(spool, Archive(places.archive(), retention=retention), stop)
    finally:
        spool.close()
