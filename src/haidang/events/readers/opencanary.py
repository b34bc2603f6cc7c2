"""OpenCanary: what a honeypot on the own network was asked, one JSON object a line.

Rules of this module:

- The lines are JSON lines and handed over undecoded, as the reader of NDJSON does; this reader is there for
  the names of time and host, which are OpenCanary's own.
- Input is untrusted.

Fields (origin ``opencanary``): OpenCanary's own; ``logtype`` is the number by which SigmaHQ's rules tell
what was done, ``logdata`` an object that differs with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.events.model import Origin
from haidang.events.readers.ndjson import JsonLinesReader

if TYPE_CHECKING:
    from haidang.events.readers import Head

__all__ = ["ORIGIN", "READER", "OpenCanaryReader"]

ORIGIN = Origin(
    "opencanary", time_fields=("utc_time", "local_time_adjusted", "local_time"), host_fields=("node_id",)
)

_HEAD_LINES = 100
_NAMES = ('"logtype":', '"logdata":', '"node_id":')


class OpenCanaryReader(JsonLinesReader):
    """Reads OpenCanary's log."""

    name = "opencanary"
    title = "OpenCanary (JSON lines)"
    origins: tuple[Origin, ...] = (ORIGIN,)

    def recognises(self, head: Head) -> int:
        """Return 86 where at least half of the first lines are objects with OpenCanary's names."""
        lines = head.lines[:_HEAD_LINES]
        alike = sum(
            line.lstrip("\x00 ").startswith("{") and all(name in line for name in _NAMES) for line in lines
        )
        return 86 if alike and alike * 2 >= len(lines) else 0


READER = OpenCanaryReader()
