"""From a question to its answer, over the archive: in the process that is made for it.

Rules of this module:

- Only the sources that the job names are looked at; SQL is held to them by :mod:`haidang.ingest.hunting`.
- Everything is counted; what is shown of it is bounded in number and size.
- Where rules take longer than they may, what they found by then is the answer, and it says so.

What the archive holds is untrusted, and so is what somebody asks.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.console.alerts.entities import entity_of
from haidang.console.alerts.storing import storable, storable_finding
from haidang.console.hunts.questions import Answer, RuleCount, ValueSeen
from haidang.console.hunts.tallies import Tally
from haidang.findings.model import ScanSummary
from haidang.ingest.hunting import Hunt, written
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.console.hunts.questions import Job, Question, Value
    from haidang.findings.model import Finding
    from haidang.limits import Limits
    from haidang.scanning import Ruleset

__all__ = ["answer"]

_LONGEST_CELL = 4_000
"""Characters of a cell that are shown."""
_GROUPS = 200_000
"""Days and hosts that are counted apart."""


class _TimeIsUp(Exception):  # noqa: N818 -- it is no error
    """Rules have had the time that they may take."""


def answer(
    job: Job,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    limits: Limits = DEFAULT_LIMITS,
) -> Answer:
    """Answer a question.

    Raises:
        HaidangError: It cannot be answered; the message says why.
    """
    begun = time.monotonic()
    hunt = Hunt(Path(job.archive), sources=job.sources, limits=limits)
    question = job.question
    if question.kind == "sql":
        found = _sql(hunt, question, limits)
    elif question.kind == "words":
        found = _words(hunt, job, limits)
    else:
        found = _rules(hunt, job, on_progress, limits)
    found.covered = len(hunt.days(since=question.since, until=question.until))
    found.seconds = round(time.monotonic() - begun, 2)
    return found


def _sql(hunt: Hunt, question: Question, limits: Limits) -> Answer:
    told = hunt.ask(question.sql, most=limits.hunt_shown, since=question.since, until=question.until)
    rows, whole = _within([[_cell(cell) for cell in row] for row in told.rows], limits)
    return Answer(columns=told.columns, rows=rows, complete=told.complete and whole)


def _words(hunt: Hunt, job: Job, limits: Limits) -> Answer:
    """Look for records by what they hold."""
    question = job.question
    parameters: list[Any] = []
    conditions = [f"({_holds(word, parameters)})" for word in question.words]
    if question.field:
        conditions.append(f"{_field(question.field, parameters)} LIKE ${len(parameters) + 1} ESCAPE '^'")
        parameters.append(_like(question.value))
    where = " AND ".join(conditions)
    (tally,) = _counted(hunt, job, [where], parameters)
    told = hunt.ask(
        'SELECT "time", received, source, batch, record, format, host, raw, fields FROM events '  # noqa: S608 -- conditions hold numbers of parameters alone  # nosec B608
        f'WHERE {where} ORDER BY "time" DESC, batch DESC, record DESC LIMIT {limits.hunt_shown + 1:d}',
        parameters=parameters,
        since=question.since,
        until=question.until,
        most=limits.hunt_shown,
    )
    records = [dict(zip(told.columns, map(_value, row), strict=True)) for row in told.rows]
    for record in records:
        record["source_name"] = job.names.get(str(record["source"]), "")
    records, whole = _within(records, limits)
    return Answer(said=tally.said(), records=records, complete=told.complete and whole)


def _field(name: str, parameters: list[Any]) -> str:
    """Return what a field is in SQL; its name becomes a parameter."""
    if name in {"host", "format", "origin"}:
        return f"lower({name})"
    parameters.append(name)
    return f"lower(fields[${len(parameters)}])"


def _like(pattern: str) -> str:
    """Return a pattern with ``*`` as LIKE takes it, ``^`` before what is meant as it is."""
    quoted = "".join(f"^{one}" if one in "^%_" else one for one in pattern.lower())
    return quoted.replace("*", "%")


def _counted(hunt: Hunt, job: Job, conditions: Sequence[str], parameters: Sequence[Any]) -> list[Tally]:
    """Count what fulfils each of some conditions, by local day and host, in one look."""
    question = job.question
    tallies = [Tally(question.before, job.offset) for _ in conditions]
    names = [f"c{at}" for at in range(len(conditions))]
    held = ", ".join(f"({one}) AS {name}" for one, name in zip(conditions, names, strict=True))
    told = hunt.ask(
        f'SELECT CAST("time" + to_seconds({job.offset:d}) AS DATE) AS day, host, count(*), '  # noqa: S608 -- likewise  # nosec B608
        f'count(*) FILTER ("time" < ${len(parameters) + 1}::TIMESTAMP), min("time"), max("time"), '
        f'{", ".join(names)} FROM (SELECT "time", host, {held} FROM events) '
        f"WHERE {' OR '.join(names)} GROUP BY ALL",
        parameters=[*parameters, _naive(question.before)],
        since=question.since,
        until=question.until,
        most=_GROUPS,
    )
    for day, host, number, earlier, first, last, *flags in told.rows:
        for tally, flag in zip(tallies, flags, strict=True):
            if flag:
                moments = (first.replace(tzinfo=UTC), last.replace(tzinfo=UTC))
                tally.add_some(day, host, number, earlier, *moments)
    return tallies


def _rules(hunt: Hunt, job: Job, on_progress: Callable[[int, int], None], limits: Limits) -> Answer:
    """Look with rules, and for the values that one matched."""
    found = Answer()
    ruleset = _ruleset(job, found)
    if ruleset is not None:
        _find(hunt, job, ruleset, found, on_progress, limits)
    values = job.question.values
    if values:
        parameters: list[Any] = []
        conditions = [_meets(one, parameters) for one in values]
        tallies = _counted(hunt, job, conditions, parameters)
        found.values = [
            ValueSeen(one.field, one.value, tally.said()) for one, tally in zip(values, tallies, strict=True)
        ]
    return found


def _meets(one: Value, parameters: list[Any]) -> str:
    """Return the condition that an event has a value; what it compares with becomes parameters."""
    if one.field:
        place = _field(one.field, parameters)
        parameters.append(one.value.lower())
        return f"{place} = ${len(parameters)}"
    return _holds(one.value, parameters)


def _holds(text: str, parameters: list[Any]) -> str:
    """Return the condition that a record holds a text anywhere."""
    first = len(parameters) + 1
    parameters += written(text)
    return " OR ".join(f"contains(lower(raw), ${at})" for at in range(first, len(parameters) + 1))


def _ruleset(job: Job, found: Answer) -> Ruleset | None:
    from haidang.scanning import load_rules
    from haidang.scanning._ruleset import Selection

    question = job.question
    if question.rule_text:
        with TemporaryDirectory(prefix="haidang-rule-") as folder:
            path = Path(folder) / "rule.yml"
            path.write_text(question.rule_text, encoding="utf-8", errors="replace")
            ruleset = load_rules(path, builtin=False, cache=False)
            found.refused = [f"{one.line}: {one.reason}" for one in ruleset.refused][:50]
            return ruleset
    if not question.rule:
        return None
    ruleset = load_rules(
        *job.rules,
        builtin=job.builtin,
        selection=Selection(include=(question.rule,)),
        intel=_indicators() if job.intel else None,
    )
    if not len(ruleset):
        found.unknown = question.rule
        return None
    return ruleset


def _indicators() -> Any:
    from haidang.intel.store import default_store

    store = default_store()
    return store.compiled() if store is not None and store.names() else None


def _find(
    hunt: Hunt,
    job: Job,
    ruleset: Ruleset,
    found: Answer,
    on_progress: Callable[[int, int], None],
    limits: Limits,
) -> None:
    question = job.question
    ends = time.monotonic() + limits.hunt_rule_seconds

    def progress(done: int, whole: int) -> None:
        found.looked_at = 100 * done // max(1, whole)
        if time.monotonic() > ends:
            raise _TimeIsUp
        on_progress(done, whole)

    tally, counts = Tally(question.before, job.offset), Counter[str]()
    newest: deque[Finding] = deque(maxlen=limits.hunt_shown)
    infos: dict[str, Any] = {}
    summary = ScanSummary()
    at = question.since
    try:
        for finding in hunt.findings(
            ruleset,
            since=question.since,
            until=question.until,
            naming=_naming(question),
            on_progress=progress,
            summary=summary,
        ):
            at = _moment(finding) or at
            if not _is_about(finding, job):
                continue
            tally.add(_moment(finding) or at, finding.host)
            name = finding.rule.id or finding.rule.title
            counts[name] += 1
            infos.setdefault(name, finding.rule)
            newest.append(finding)
    except _TimeIsUp:
        found.stopped = True
    found.said, found.events = tally.said(), summary.events
    found.rules = [
        RuleCount(name, infos[name].title, infos[name].level, number)
        for name, number in counts.most_common(50)
    ]
    kept = sorted(newest, key=lambda one: one.time or "", reverse=True)
    shown = [storable_finding(one) for one in kept]
    found.findings, whole = _within(shown, limits)
    found.complete = whole and len(found.findings) == tally.said().number


def _naming(question: Question) -> tuple[str, ...]:
    """Return texts without which no finding is about the entity; none where that cannot be told."""
    if not question.entity or question.entity_kind == "source" or "…" in question.entity:
        return ()
    if question.entity_kind == "group":
        return tuple(part for part in question.entity.split(", ") if part)
    return (question.entity,)


def _is_about(finding: Finding, job: Job) -> bool:
    entity = job.question.entity
    if not entity:
        return True
    source = finding.source.path.partition("/")[0]
    return entity_of(finding, job.names.get(source, "")).name == entity


def _moment(finding: Finding) -> datetime | None:
    try:
        at = datetime.fromisoformat(finding.time or "")
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _naive(at: datetime | None) -> datetime | None:
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None)


def _within(things: list[Any], limits: Limits) -> tuple[list[Any], bool]:
    """Return as many things as the answer has room for, and whether that is all."""
    size = 0
    for at, one in enumerate(things):
        size += len(msgspec.json.encode(one))
        if size > limits.hunt_answer_bytes:
            return things[:at], False
    return things, True


def _value(value: Any) -> Any:
    """Return a value of a record as JSON has it."""
    if isinstance(value, dict):
        return {storable(str(key)): _cut(str(one)) for key, one in value.items()}
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat()
    return _cut(value) if isinstance(value, str) else value


def _cell(value: Any) -> Any:
    """Return a cell of a query's answer: a number, a text, nothing."""
    if value is None or isinstance(value, bool | int | float):
        return storable(value) if not isinstance(value, int) or abs(value) < 2**53 else str(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, bytes):
        return _cut(value.decode(errors="replace"))
    if isinstance(value, dict | list | tuple):
        return _cut(", ".join(_texts(value)))
    return _cut(str(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{key}={one}" for key, one in value.items())
    else:
        yield from map(str, value)


def _cut(text: str) -> str:
    text = text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"
    told: str = storable(text)
    return told
