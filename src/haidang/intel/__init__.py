"""Indicators of attacks: from feeds to what events are looked at for.

    feed bytes ─▶ Reading (feeds/) ─▶ Source (store) ─▶ IndicatorIndex and patterns ─▶ haidang.detect

    from haidang.intel.loading import load_intel

    rules = haidang.load_rules(intel=load_intel("indicators.json"))

Nothing here knows rules of events or files of logs; only ``remote`` opens a network connection, and only when
the user adds or updates a source. The package itself imports nothing: every scan passes through it.
"""

from __future__ import annotations
