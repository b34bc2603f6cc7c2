"""Small logs of our own for the tests of inquiry: Windows events as NDJSON, syslog, the audit log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SECURITY", "SYSMON", "windows", "write"]

SECURITY = "Security"
SYSMON = "Microsoft-Windows-Sysmon/Operational"


def windows(
    channel: str, identifier: int, time: str, host: str = "WS01.haivan.example", **fields: Any
) -> str:
    """Return one event as a line; ``time`` is the time of day on 1 March 2026."""
    moment = f"2026-03-01T{time}.000Z"
    return json.dumps(
        {"Channel": channel, "EventID": identifier, "@timestamp": moment, "Hostname": host, **fields}
    )


def write(path: Path, *lines: str) -> str:
    """Write lines to a file; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)
