"""The process that detects: from the spool, through the rules, to alerts. It ends on SIGTERM or SIGINT."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

from haidang import load_rules
from haidang.console.alerts.intake import AlertSink
from haidang.console.alerts.rulebook import RULEBOOK
from haidang.console.rules import catalogue
from haidang.console.service import places
from haidang.console.service.chores import Chores
from haidang.console.service.starting import settle
from haidang.ingest.archive import ArchivePosition
from haidang.ingest.detecting import Detector
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool
from haidang.intel.place import store_folder
from haidang.intel.store import Store
from haidang.scanning.live import LiveMatcher

if TYPE_CHECKING:
    from haidang.console.service.configuration import Configuration
    from haidang.intel.store import Intel

__all__ = ["detect"]

_LOG = logging.getLogger(__name__)


def detect(configuration: Configuration) -> None:
    """Work off what comes until told to stop.

    Raises:
        ConfigurationError: The rules cannot be loaded.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ruleset = load_rules(
        *configuration.rules,
        builtin=True if configuration.builtin else None,
        intel=_indicators(configuration),
    )
    catalogue.announce(configuration)
    _LOG.info("rules loaded", extra={"rules": len(ruleset), "refused": len(ruleset.refused)})
    # Rules are millions of objects, none of them garbage.
    settle(100_000)
    RULEBOOK.know(ruleset.infos)  # Who is told by mail reads titles in their language.
    matcher = LiveMatcher(ruleset)
    spool, quarantine = Spool(places.spool()), Quarantine(places.quarantine())
    try:
        sink = AlertSink(looks_back=matcher.looks_back)
        follower = ArchivePosition(places.archive()) if configuration.archive else None
        with Chores():
            Detector(spool, matcher, sink, quarantine=quarantine, follower=follower).run(stop)
    finally:
        spool.close()
        quarantine.close()


def _indicators(configuration: Configuration) -> Intel | None:
    """Return the indicators that ``haidang intel`` keeps for this user, as they are at the start."""
    folder = store_folder(os.environ) if configuration.intel else None
    if folder is None or not folder.is_dir():
        return None
    store = Store(folder)
    return store.compiled() if store.names() else None
