"""Indicators for one run or one Python program: files that are named, kept sources, or both.

from haidang.intel.loading import load_intel

rules = haidang.load_rules(intel=load_intel("indicators.json"))
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError
from haidang.intel.collecting import read_path
from haidang.intel.remote import is_url
from haidang.intel.store import compile_sources
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from haidang.intel.model import Indicator
    from haidang.intel.store import Intel, Source, Store

__all__ = ["load_intel", "with_files"]


def load_intel(*paths: str | Path, limits: Limits = DEFAULT_LIMITS) -> Intel:
    """Return the indicators in files: STIX, MISP, CSV, plain lists, and warninglists that guard them.

    Raises:
        InputError: One cannot be read, or is of no format that is known.
    """
    return with_files(None, (), [str(path) for path in paths], int(time.time()), limits)


def with_files(
    store: Store | None, names: Sequence[str], files: Sequence[str], now: int, limits: Limits = DEFAULT_LIMITS
) -> Intel:
    """Return the indicators of kept sources and of files; kept warninglists guard them all."""
    sources: list[tuple[Source, list[Indicator]]] = []
    lists: list[tuple[str, bytes]] = []
    for name in store.names() if store is not None else ():
        source = store.source(name)  # type: ignore[union-attr] # there is one, or no name
        if source.kind == "warninglist":
            lists.append((name, store.warninglist(name)))  # type: ignore[union-attr] # likewise
        elif name in names:
            sources.append((source, store.indicators(name)))  # type: ignore[union-attr] # likewise
    for path in files:
        if is_url(path):
            raise ConfigurationError(
                f"--intel {path}: a scan opens no network connection", hint=f"First: haidang intel add {path}"
            )
        source, body = read_path(path, limits, now)
        if isinstance(body, bytes):
            lists.append((source.name, body))
        else:
            sources.append((source, body))
    return compile_sources(sources, lists)
