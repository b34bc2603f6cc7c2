"""Questions to logs that need no rules: what happened on a host, what a folder holds, where a text occurs.

    from haidang.inquiry import Question, search, statistics, timeline

    for entry in timeline(Question(("logs/",), hosts=("WS01",))):
        print(entry.time, entry.kind, entry.user, entry.text)

- ``timeline`` yields what is notable (:mod:`haidang.inquiry.notability`, data in ``notable/``) in order of
  time, with logon sessions joined and findings among it.
- ``statistics`` counts: sources, hosts, spans, gaps, event ids.
- ``search`` yields the events in which a text or an expression occurs.

All read as a scan does, one event after the other, in bounded memory, and give the same account of what could
not be read (``Question.reports``).
"""

from __future__ import annotations

from haidang.inquiry.questions import Question
from haidang.inquiry.searching import Pattern, search
from haidang.inquiry.statistics import Statistics, statistics
from haidang.inquiry.timelines import Entry, timeline

__all__ = ["Entry", "Pattern", "Question", "Statistics", "search", "statistics", "timeline"]
