"""The sources that may send, out of the database, answered from memory.

Receivers ask for every request; the database is asked each second, in a thread of its own. While it is away,
what was known last holds.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, NamedTuple

from django.db import Error, close_old_connections

from haidang.console.service.beside import Beside
from haidang.console.sources.models import Source as Row
from haidang.ingest.model import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
__all__ = ["SourcesBook"]

_LOG = logging.getLogger(__name__)
_SECONDS = 1.0


class _Known(NamedTuple):
    by_token: Mapping[str, Source]
    by_certificate: Mapping[str, Source]
    by_name: Mapping[str, Source]


class SourcesBook(Beside):
    """Knows the sources; a context manager that keeps what it knows up to date."""

    def __init__(self) -> None:
        """Know nobody yet: :meth:`refresh` is for the time before the block."""
        super().__init__("haidang-sources")
        self._known = _Known({}, {}, {})

    def by_token(self, token: str) -> Source | None:
        """Return the source that a token belongs to."""
        return self._known.by_token.get(hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest())

    def by_certificate(self, fingerprint_sha256: str) -> Source | None:
        """Return the source of a certificate by its fingerprint."""
        return self._known.by_certificate.get(fingerprint_sha256.lower())

    def by_name(self, name: str) -> Source | None:
        """Return the source of a name."""
        return self._known.by_name.get(name)

    def refresh(self) -> None:
        """Ask the database now."""
        rows = [(row, _source(row)) for row in Row.objects.all()]
        self._known = _Known(
            {row.token_digest: source for row, source in rows if row.token_digest},
            {row.certificate.lower(): source for row, source in rows if row.certificate},
            {row.name: source for row, source in rows},
        )

    def _keep(self) -> None:
        away = False
        while not self._ending.wait(_SECONDS):
            try:
                close_old_connections()
                self.refresh()
                away = False
            except Error as error:
                if not away:
                    _LOG.warning(
                        "the database is away: sources stay as they were", extra={"reason": str(error)}
                    )
                away = True


def _source(row: Row) -> Source:
    return Source(
        id=str(row.pk),
        name=row.name,
        unit=str(row.unit_id),
        format=row.format,
        rate=float(row.rate),
        body_bytes=row.body_bytes,
        enabled=row.enabled,
    )
