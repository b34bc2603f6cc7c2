"""What is done beside detection, in a thread of its process: telling, listening for silence, tidying up.

While the database is away, it is asked again and again; whatever else fails is logged, and tried again.
"""

from __future__ import annotations

import logging
import time

from django.db import close_old_connections, connection, connections
from django.utils import timezone

from haidang.console.alerts.notify.sending import forget_sent, send_due
from haidang.console.service import places
from haidang.console.service.beside import Beside
from haidang.console.sources.health import forget_minutes
from haidang.console.sources.quiet import check_quiet
from haidang.errors import HaidangError
from haidang.ingest.counting import Counters

__all__ = ["Chores", "look_at_indexes"]

_LOG = logging.getLogger(__name__)
_SECONDS = 1.0
_QUIET_SECONDS = 30.0
_TIDY_SECONDS = 3600.0
_ROWS_LOOKED_AT = 1000
"""Of each index, to see how its values are spread."""


class Chores(Beside):
    """Does what is due again and again; a context manager that ends it."""

    def __init__(self) -> None:
        """Begin with the start of the service."""
        super().__init__("haidang-chores")
        self._started = timezone.now()
        self._looked = self._tidied = time.monotonic()

    def _keep(self) -> None:
        while not self._ending.wait(_SECONDS):
            try:
                close_old_connections()
                send_due()
                if time.monotonic() - self._looked >= _QUIET_SECONDS:
                    self._looked = time.monotonic()
                    self._listen()
                if time.monotonic() - self._tidied >= _TIDY_SECONDS:
                    self._tidied = time.monotonic()
                    forget_minutes(timezone.now())
                    forget_sent(timezone.now())
                    look_at_indexes()
            except Exception:  # noqa: BLE001 -- a chore that fails must not end the others
                _LOG.exception("a chore fails and is tried again")
        connections.close_all()

    def _listen(self) -> None:
        counters = Counters(places.counters())
        try:
            heard = {source: counts.seen for source, counts in counters.all().items()}
        except HaidangError:
            heard = {}  # What detection has seen counts alone.
        finally:
            counters.close()
        check_quiet(timezone.now(), started=self._started, heard=heard)


def look_at_indexes() -> None:
    """Have SQLite see how values are spread, so that it picks the right index; PostgreSQL does by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit = {_ROWS_LOOKED_AT}")
            cursor.execute("PRAGMA optimize")
