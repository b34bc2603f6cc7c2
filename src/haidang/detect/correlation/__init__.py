"""Correlation: what several events say together (Sigma correlation rules, specification 2.1).

    correlator = Correlator(ruleset.correlations, limits)
    for hit in hits_in_order_of_time:
        for found in correlator.feed(hit):
            print(found.rule.info.title, found.group, found.count)
    for found in correlator.finish():
        ...

What a correlation means, where the specification leaves it open (see also decision record 0003):

- Window. A window of a group ends with one of its hits and holds all hits of the timespan before it,
  both ends included. Order is event time, then position in the run. A window is *full* when the next
  hit of the group, or the end, makes it lose its oldest hit.
- Condition. Counts and sums with gt or gte only, and temporal types without "not", are judged at every
  hit. All other conditions (lt, lte, eq, neq, ranges, averages, medians, percentiles, "not") are judged
  at full windows: "fewer than 5" is not reported because a flood has only just begun.
- Finding. Satisfied windows of a group that share a hit are one burst, and a burst is one finding with
  its true count: 10,000 failed logons are one finding, not 9,991. Findings of a rule and group never
  share an event. A burst is over when a timespan has passed since its last hit.
- Counting. An event counts once, even if several of the referenced rules hold for it. A hit without
  time, without a value for every group-by field (null is no value), or without the measured value is not
  counted; ``Correlator.dropped`` says how many.
- Values. Groups and distinct values ignore case, and 4624 is "4624". A list is one value. Numbers may be
  spelled in decimal; sums and averages are exact. Percentiles interpolate linearly between ranks.
- temporal needs all referenced rules in a window, in any order; a condition may say how many, or be an
  expression. temporal_ordered needs them in the order of the rule, each a later event than the one
  before, and is judged at hits that complete the order.
- Chains. A correlation that another one refers to is an event at each moment its condition holds (for
  temporal types) or at the moment it begins to hold (for types that count), with the time of the hit
  that made it so; its fields are its group, and for other fields the values of that hit.

State is bounded by ``Limits.correlation_events``, ``correlation_groups`` and ``correlation_members``.
"""

from __future__ import annotations

from haidang.detect.correlation.engine import Correlator
from haidang.detect.correlation.model import Correlated, Hit

__all__ = ["Correlated", "Correlator", "Hit"]
