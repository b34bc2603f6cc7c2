"""The process that detects: from the spool, through the rules, to alerts. It ends on SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from haidang.console.alerts.intake import AlertSink
from haidang.console.service import places
from haidang.console.service.chores import Chores
from haidang.console.service.loading import Kept
from haidang.console.service.updating import Updates
from haidang.ingest.archive import ArchivePosition
from haidang.ingest.detecting import Detector
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool
from haidang.scanning.live import LiveMatcher

if TYPE_CHECKING:
    from haidang.console.service.configuration import Configuration

__all__ = ["detect"]


def detect(configuration: Configuration) -> None:
    """Work off what comes until told to stop.

    Raises:
        ConfigurationError: The rules cannot be loaded.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    kept = Kept(configuration)
    matcher = LiveMatcher(kept.ruleset)
    spool, quarantine = Spool(places.spool()), Quarantine(places.quarantine())
    try:
        sink = AlertSink(looks_back=matcher.looks_back)
        follower = ArchivePosition(places.archive()) if configuration.archive else None
        detector = Detector(spool, matcher, sink, quarantine=quarantine, follower=follower)
        del matcher
        with Chores(), kept.serve(detector, sink), Updates(configuration):
            detector.run(stop)
    finally:
        spool.close()
        quarantine.close()
