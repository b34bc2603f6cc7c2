"""The compiled form of rules: plain tuples and frozen records, with no trace of YAML or pySigma.

A condition is a nested tuple:

    ("and", c, c, …)   ("or", c, c, …)   ("not", c)   ("true",)   ("false",)
    ("is", test)       one test on one field

A test is a plain 4-tuple (field, kind, value, cased), plain so that ``marshal`` can keep it; ``Test(*t)``
names its parts. ``field`` is the Sigma field name; None means keywords: the
test holds when it holds for any value anywhere in the event. Kinds and their values:

    str        tuple of parts: str literals, ANY (``*``) and ONE (``?``); the whole value must match
    re         (pattern, flags) with flags out of "ims"; searched, not anchored
    cidr       text of the network
    num        int or float; equals the number, or a string that spells the same number
    bool       True or False; also the strings "true" and "false" in any case
    lt lte gt gte ne   a number; the value must be a number or spell one
    null       None: the field is absent or null
    exists     True or False: whether the field is present (null counts as absent)
    fieldref   (other field, "equals" | "startswith" | "endswith" | "contains")
    time       (part, operator, number): part of the field's timestamp in UTC; part out of minute hour
               day week month year; operator out of eq lt lte gt gte ne
    differs    (kind, value, cased) of a test: the value is there and that test does not hold for it
    any        tuple of (kind, value, cased): any of those tests holds
    covers     text of a network: the value is a network in which all of it lies

``cased`` makes str, re (without "i") and fieldref case-sensitive; otherwise both sides are compared
after ``str.lower()``. A list value holds when any element does (objects inside lists likewise for
nested names); a number is compared with a str test by its decimal spelling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import msgspec

__all__ = [
    "ANY",
    "LEVELS",
    "ONE",
    "STATUSES",
    "Condition",
    "CorrelationRule",
    "EventRule",
    "LogSource",
    "LogsourceEntry",
    "LogsourceMap",
    "RuleInfo",
    "RuleWords",
    "Test",
]

ANY = 0
"""A ``*`` inside the parts of a str test: any characters, or none."""
ONE = 1
"""A ``?`` inside the parts of a str test: exactly one character."""

LEVELS = ("informational", "low", "medium", "high", "critical")
STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")


class Test(NamedTuple):
    """One test on one field; see the module's docstring."""

    field: str | None
    kind: str
    value: Any
    cased: bool = False


Condition: TypeAlias = tuple[Any, ...]


class LogSource(NamedTuple):
    """Where a rule looks; "" for a part that the rule leaves open."""

    product: str = ""
    category: str = ""
    service: str = ""


class RuleWords(msgspec.Struct, frozen=True, array_like=True):
    """What a rule says in one language; "" for what it leaves to the rule's own words."""

    lang: str
    title: str = ""
    description: str = ""
    """What a finding means."""
    advice: str = ""
    """What to do first."""


class RuleInfo(msgspec.Struct, frozen=True, array_like=True):
    """What people know of a rule; it travels with each finding."""

    key: str
    """Unique in a ruleset: the rule's id, or file and title where it has none."""
    id: str
    """The rule's UUID, or "" where it has none."""
    name: str
    """The rule's ``name`` (what correlations may call it), or ""."""
    title: str
    level: str
    """informational, low, medium, high or critical; "medium" where the rule says nothing."""
    status: str
    tags: tuple[str, ...]
    description: str
    author: str
    references: tuple[str, ...]
    falsepositives: tuple[str, ...]
    path: str
    line: int
    date: str
    modified: str
    correlation: bool = False
    generate: bool = True
    """False for a rule that only feeds correlations and reports nothing by itself."""
    words: tuple[RuleWords, ...] = ()
    """What it says in other languages; see ``wording``."""


@dataclass(frozen=True, slots=True)
class EventRule:
    """A rule on single events."""

    info: RuleInfo
    logsource: LogSource
    condition: Condition
    fields: tuple[str, ...]
    """Every field that the condition mentions, in order of first mention."""


@dataclass(frozen=True, slots=True)
class CorrelationRule:
    """A rule on several events or on what other correlations found."""

    info: RuleInfo
    type: str
    """event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile or
    value_median."""
    rules: tuple[str, ...]
    """Keys of the rules it refers to, in the order of the rule (the order counts for temporal_ordered)."""
    group_by: tuple[str, ...]
    aliases: dict[str, dict[str, str]]
    """Alias to (rule key to the field that carries it in that rule's events)."""
    timespan_ns: int
    operators: tuple[tuple[str, float], ...]
    """What must hold of the number: pairs such as ("gte", 10.0), all of them; empty for temporal."""
    value_fields: tuple[str, ...]
    """The field or fields whose value is counted, summed …; empty for event_count and temporal."""
    percentile: float
    """0 to 100, for value_percentile."""
    expression: Condition | None
    """For temporal rules with a condition of their own: and/or/not over ("rule", key)."""


@dataclass(frozen=True, slots=True)
class LogsourceEntry:
    """Where the events of one Sigma logsource are, in one family of logs."""

    logsource: LogSource
    when: dict[str, tuple[str, ...]]
    """Field of the event to accepted values, lower-cased; all must hold (a list holds by any element, a
    number by any spelling).
    Only fields of the map's ``route_by`` may be named."""
    fields: dict[str, tuple[str, ...]]
    """Field of the rules to fields of the event, the first present counts. A text with braces is a
    template over event fields: ``{ObjectName}\\{ObjectValueName}`` (:mod:`haidang.sigma.templates`).
    Unmapped fields keep their name."""
    values: dict[str, dict[str, str]]
    """Field of the rules to (value of the event, lower-cased, to the value that rules use). A value that ends
    in ``*`` is a beginning, which alone is replaced; one that begins with it is an ending, which stands for
    the whole value."""
    absent: tuple[str, ...] = ()
    """Fields of the rules that these events never have; "*" for all that ``fields`` does not name."""


@dataclass(frozen=True, slots=True)
class LogsourceMap:
    """One product's map, from ``sigma/logsources/<product>.yml`` or a user's file."""

    origin: str
    """The family of logs it speaks of (``events.model.Origin.name``)."""
    product: str
    route_by: tuple[str, ...]
    """Event fields whose values select the route."""
    recognise: tuple[tuple[str, ...], ...]
    """For JSON and CSV of unknown origin: sets of field names (dots descend); an event that has all of one
    set is of this origin."""
    entries: tuple[LogsourceEntry, ...]
    path: str = ""
    claims: bool = True
    """Whether the rules of its log sources are for its events alone. With False they also meet events of
    which nothing is known; so do, in any case, rules that name no product."""
    routing: dict[str, tuple[tuple[str, ...], dict[str, str]]] = field(default_factory=dict)
    """Of the fields in ``route_by`` that are not the event's own: where they are, and their values."""
    route_depth: int = 2
    """How many of ``route_by`` make the route; a ``when`` on the others is tested on each event."""
    time_fields: tuple[str, ...] = ()
    """Event fields that hold the time, for events of which only this map knows anything."""
    host_fields: tuple[str, ...] = ()
    """The same for the host."""
