"""Indicators of attacks: from feeds to what events are looked at for.

    feed bytes ─▶ Reading (feeds/) ─▶ Source (store) ─▶ IndicatorIndex and patterns ─▶ haidang.detect

Nothing here knows rules of events or files of logs; only ``remote`` and ``taxii`` open a network connection, and
only when the user asks for an update.
"""

from __future__ import annotations

from haidang.intel.index import IndicatorIndex
from haidang.intel.model import Indicator, Reading, Refusal
from haidang.intel.store import Intel, Source, Store, compile_sources, default_store

__all__ = [
    "Indicator",
    "IndicatorIndex",
    "Intel",
    "Reading",
    "Refusal",
    "Source",
    "Store",
    "compile_sources",
    "default_store",
]
