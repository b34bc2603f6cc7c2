"""A hunt as pages show it: the question in words, the answer with a drawing of its days.

What was found is quoted from logs and untrusted: everything here is plain text, which templates escape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from django.utils import timezone
from django.utils.translation import gettext as _

from haidang.console.alerts import evidence
from haidang.console.alerts.rulebook import RULEBOOK
from haidang.console.hunts.questions import Answer, Question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.console.hunts.models import Hunt
    from haidang.console.hunts.questions import Day, Said

__all__ = ["Bars", "Record", "Shown", "ShownFinding", "asked_for", "bars", "shown"]

_WIDTH, _HEIGHT = 720, 60
_NARROW = 400
_MOST_BARS = 400
_BRIEF = 5


class Bar(NamedTuple):
    """A day, or several."""

    x: float
    width: float
    y: float
    height: float
    day: date
    number: int


class Bars(NamedTuple):
    """How often on each day."""

    width: int
    height: int
    most: int
    bars: list[Bar]
    first: date
    last: date


class Counted(NamedTuple):
    """What was counted, with its moments and its drawing."""

    said: Said
    first: datetime | None
    last: datetime | None
    bars: Bars | None


class Record(NamedTuple):
    """A record of the archive."""

    at: datetime | None
    host: str
    source: str
    said: str
    fields: list[evidence.Field]
    hit: evidence.Field | None
    """The first field that holds what was looked for."""
    place: str


class ShownFinding(NamedTuple):
    """A finding with its evidence."""

    at: datetime | None
    title: str
    host: str
    proofs: list[evidence.Proof]
    rest: list[evidence.Field]
    place: str


class SeenValue(NamedTuple):
    """A value that was looked for."""

    field: str
    value: str
    counted: Counted


@dataclass(slots=True)
class Shown:
    """A hunt as its page has it."""

    question: str
    since: datetime
    until: datetime
    answer: Answer | None = None
    counted: Counted | None = None
    records: list[Record] = field(default_factory=list)
    findings: list[ShownFinding] = field(default_factory=list)
    values: list[SeenValue] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    brief: bool = False

    @property
    def listed(self) -> list[ShownFinding]:
        """The findings that are shown."""
        return self.findings[:_BRIEF] if self.brief else self.findings

    @property
    def each_day(self) -> float:
        """How often on a day of which the archive holds something."""
        if self.answer is None or self.counted is None or not self.answer.covered:
            return 0.0
        return self.counted.said.number / self.answer.covered


def shown(hunt: Hunt, *, brief: bool = False) -> Shown:
    """Return a hunt as its page has it; ``brief`` where it is a part of another page."""
    question = msgspec.convert(hunt.question, Question)
    until = question.until or hunt.created
    found = Shown(_in_words(question, hunt), question.since, until, brief=brief and question.kind == "before")
    if hunt.answer is None:
        return found
    answer = msgspec.convert(hunt.answer, Answer)
    found.answer = answer
    found.counted = _counted(answer.said, found) if answer.said is not None else None
    found.records = [_record(one, question) for one in answer.records]
    found.findings = [_finding(one) for one in answer.findings]
    found.values = [
        SeenValue(one.field, evidence.shown(one.value), _counted(one.said, found)) for one in answer.values
    ]
    found.rows = [["–" if cell is None else evidence.shown(cell) for cell in row] for row in answer.rows]
    return found


def asked_for(hunt: Hunt) -> str:
    """Return what was asked in a line."""
    return _in_words(msgspec.convert(hunt.question, Question), hunt)


def bars(days: Iterable[Day], since: date, until: date, whole: int = _WIDTH) -> Bars | None:
    """Return the drawing of days; None where there is nothing, or too much to be told apart."""
    numbers = {date.fromisoformat(one.day): one.number for one in days}
    if not numbers:
        return None
    # Events may claim any day; what is drawn is the stretch that was asked for.
    inside = {day: number for day, number in numbers.items() if since <= day <= until}
    length = (until - since).days + 1
    if not inside or length > _MOST_BARS:
        since, until = min(numbers), max(numbers)
        length, inside = (until - since).days + 1, numbers
    if length > _MOST_BARS:
        return None
    step, most = whole / length, max(inside.values())
    drawn = []
    for day, number in sorted(inside.items()):
        height = max(2.0, _HEIGHT * number / most)
        at = (day - since).days * step
        width = min(step * 0.84, 40.0)
        drawn.append(Bar(at + (step - width) / 2, width, _HEIGHT - height, height, day, number))
    return Bars(whole, _HEIGHT, most, drawn, since, until)


def _counted(said: Said, found: Shown) -> Counted:
    first, last = timezone.localdate(found.since), timezone.localdate(found.until)
    return Counted(
        said,
        _moment(said.first),
        _moment(said.last),
        bars(said.days, first, last, _NARROW if found.brief else _WIDTH),
    )


def _record(told: dict[str, Any], question: Question) -> Record:
    fields = told.get("fields")
    pairs = fields.items() if isinstance(fields, dict) else ()
    shown_fields = [
        evidence.Field(evidence.visible(str(name)), evidence.shown(value)) for name, value in pairs
    ]
    return Record(
        _moment(told.get("time")),
        evidence.visible(str(told.get("host") or "")),
        str(told.get("source_name") or told.get("source") or ""),
        evidence.shown(told.get("raw") or ""),
        shown_fields,
        next((one for one in shown_fields if _holds(one, question)), None),
        f"{told.get('source')}/{told.get('batch')} : {told.get('record')}",
    )


def _holds(one: evidence.Field, question: Question) -> bool:
    low = one.value.lower()
    return one.name == question.field or any(word.lower() in low for word in question.words)


def _finding(told: dict[str, Any]) -> ShownFinding:
    source, rule = told.get("source") or {}, told.get("rule") or {}
    return ShownFinding(
        _moment(told.get("time")),
        RULEBOOK.title(str(rule.get("id") or ""), evidence.visible(str(rule.get("title") or ""))),
        evidence.visible(str(told.get("host") or "")),
        evidence.proofs(told),
        evidence.rest(told),
        f"{source.get('path', '')} : {source.get('record', '')}",
    )


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) and text else None
    except ValueError:
        return None
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _in_words(question: Question, hunt: Hunt) -> str:
    if question.kind == "sql":
        return question.sql
    if question.kind == "rules":
        return RULEBOOK.title(question.rule, question.rule) if question.rule else _("a rule of one's own")
    if question.kind == "before":
        title = RULEBOOK.title(question.rule, hunt.alert.title if hunt.alert else question.rule)
        return f"{title} · {question.entity}"
    parts = [f'"{word}"' if " " in word else word for word in question.words]
    if question.field:
        parts.append(f"{question.field} = {question.value}")
    return " · ".join(parts)
