"""What somebody asks of the archive, and what they are told, as they go between the processes.

No Django here: the process that answers does without.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 -- msgspec asks for it
from typing import Any

import msgspec

__all__ = ["KINDS", "Answer", "Day", "Host", "Job", "Question", "RuleCount", "Said", "Value", "ValueSeen"]

KINDS = ("words", "sql", "rules", "before")


class Value(msgspec.Struct, frozen=True):
    """A value that a rule matched."""

    field: str
    """"" for anywhere in the record."""
    value: str


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is asked: of one kind, with what belongs to that kind."""

    kind: str
    since: datetime
    until: datetime | None = None
    words: tuple[str, ...] = ()
    """Texts that the record holds, all of them."""
    field: str = ""
    value: str = ""
    """Of that field; ``*`` is any text."""
    sql: str = ""
    rule: str = ""
    """How alerts name a loaded rule."""
    rule_text: str = ""
    """YAML of rules in place of it."""
    entity: str = ""
    """Whom findings are to be about, as alerts name them; "" for anybody."""
    entity_kind: str = ""
    values: tuple[Value, ...] = ()
    """What is looked for besides, each by itself."""
    before: datetime | None = None
    """The moment before which it is to have happened."""


class Job(msgspec.Struct, frozen=True):
    """A question with what the process needs to answer it."""

    question: Question
    archive: str
    """Its folder."""
    sources: tuple[str, ...] | None
    """Ids of the sources that may be looked at; None for all."""
    names: dict[str, str] = {}
    """Id of a source to its name."""
    rules: tuple[str, ...] = ()
    """Paths of the service's rules."""
    builtin: bool | None = None
    intel: bool = False
    """Whether kept indicators are rules, too."""
    offset: int = 0
    """Seconds by which local days begin before those of UTC."""


class Day(msgspec.Struct, frozen=True, array_like=True):
    """How often on a day."""

    day: str
    number: int


class Host(msgspec.Struct, frozen=True, array_like=True):
    """How often on a host."""

    host: str
    number: int


class Said(msgspec.Struct):
    """When, where and how often something was."""

    number: int = 0
    earlier: int = 0
    """Of them, before the question's ``before``."""
    first: str = ""
    last: str = ""
    days: list[Day] = []
    hosts: list[Host] = []
    """The commonest."""
    host_number: int = 0


class ValueSeen(msgspec.Struct):
    """What became of a value that was looked for."""

    field: str
    value: str
    said: Said


class RuleCount(msgspec.Struct):
    """How often a rule found something."""

    rule: str
    title: str
    level: str
    number: int


class Answer(msgspec.Struct):
    """What was found; of what the question's kind does not give, nothing."""

    said: Said | None = None
    columns: list[str] = []
    rows: list[list[Any]] = []
    """Of a query in SQL."""
    records: list[dict[str, Any]] = []
    """The newest that were found."""
    findings: list[dict[str, Any]] = []
    """The newest, as in the findings' NDJSON contract."""
    rules: list[RuleCount] = []
    values: list[ValueSeen] = []
    complete: bool = True
    """Whether everything that was found is here."""
    stopped: bool = False
    """Whether time ended before rules had looked at everything."""
    looked_at: int = 0
    """Percent of the files that rules looked at."""
    covered: int = 0
    """Days of the stretch that the archive holds something of."""
    unknown: str = ""
    """A rule that is not loaded."""
    refused: list[str] = []
    """Rules that cannot be used, and why."""
    events: int = 0
    """How many events rules were tried on."""
    seconds: float = 0.0
