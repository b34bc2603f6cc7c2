"""What a scan is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.intel.store import Intel

__all__ = ["ScanOptions"]


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """Everything that a scan depends on; times are nanoseconds since the epoch, UTC."""

    paths: tuple[str, ...]
    """Files, folders, archives, or "-" for standard input."""
    rules: tuple[str, ...] = ()
    """Files, folders or zips of Sigma rules."""
    builtin: bool = False
    """Whether the built-in pack is used too."""
    pipelines: tuple[str, ...] = ()
    placeholders: tuple[str | Path, ...] = ()
    logsource_maps: tuple[str, ...] = ()
    intel: Intel | None = None
    """Indicators that events are looked at for besides the rules."""
    input_format: str | None = None
    password: bytes | None = None
    min_level: str | None = None
    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    """Ids, names, titles or globs of the only rules to report."""
    exclude: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    full_event: bool = False
    things: bool = False
    """Whether findings carry who and what their event is about, beside what the rule looked at."""
    processes: int = 1
    cache: bool = True
    limits: Limits = DEFAULT_LIMITS
    strict: bool = False
    """Whether a refused rule ends the run before anything is read."""
    trails: bool = False
    """Whether process starts and moves between hosts are gathered, for outputs that show them."""
    outputs: tuple[str, ...] = ()
    """Files that will be written: where a folder that is read holds them, they are no logs."""
