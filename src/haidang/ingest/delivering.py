"""Handing over to the intake what cannot be sent back: it waits until there is room.

A sender over HTTP is told to come back later. Syslog and files cannot be told; their receivers stop reading
and try again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from haidang.errors import StorageError
from haidang.ingest.model import TooMuchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.ingest.model import Source

__all__ = ["Taking", "deliver"]

_LOG = logging.getLogger(__name__)
_SHORTEST = 0.05
_LONGEST = 5.0
"""Seconds between two attempts."""


class Taking(Protocol):
    """What an intake does."""

    async def take(
        self,
        source: Source,
        data: bytes,
        *,
        format: str,  # noqa: A002 - as everywhere
        count: int,
        alone: bool = False,
        marks: Mapping[str, bytes] | None = None,
    ) -> None:
        """Return when ``data``, and ``marks`` in the same transaction, are on disk.

        Args:
            source: Whose records they are.
            data: Records, joined by line feeds.
            format: Name of the reader.
            count: How many records there are.
            alone: Whether they begin with header lines that hold for them alone.
            marks: What is to be remembered.

        Raises:
            TooMuchError: The source sends more than it may.
            StorageError: Nothing was written.
        """


async def deliver(
    intake: Taking,
    source: Source,
    data: bytes,
    *,
    format: str,  # noqa: A002 - as everywhere
    count: int,
    alone: bool = False,
    marks: Mapping[str, bytes] | None = None,
) -> None:
    """Return when the batch is on disk, however long that takes."""
    waited = False
    while True:
        try:
            await intake.take(source, data, format=format, count=count, alone=alone, marks=marks)
        except TooMuchError as error:
            seconds = error.retry_after
        except StorageError as error:
            seconds = 1.0
            if not waited:
                _LOG.warning("waiting for the spool", extra={"source": source.name, "reason": str(error)})
        else:
            return
        waited = True
        await asyncio.sleep(min(max(seconds, _SHORTEST), _LONGEST))
