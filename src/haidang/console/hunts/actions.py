"""What people do with hunts: the same for the console's pages and the API.

Rules:

- Somebody sees its own hunts alone, and is answered from the sources that it may see: all of them where it
  works for all units, else those of its unit and below. Whoever may see less by now sees no older answer.
- One hunt at a time for each person; each is on the audit log before it begins, and so is each look at what
  it found.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.alerts.alarms import is_alarm
from haidang.console.audit.record import record
from haidang.console.hunts.models import Hunt
from haidang.console.hunts.questions import Question, Value
from haidang.console.hunts.running import forget_old, give_up_stale, launch
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.service import places
from haidang.console.sources.models import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.console.alerts.models import Alert
    from haidang.console.people.access import Request
    from haidang.console.people.models import User
    from haidang.sigma.ir import RuleInfo

__all__ = [
    "MOST_DAYS",
    "MOST_RULE_TEXT",
    "MOST_SQL",
    "Asked",
    "ask",
    "ask_before",
    "cancel",
    "has_archive",
    "hunt_of",
    "hunts_of",
    "latest_about",
    "look_at",
]

MOST_DAYS = 3650
MOST_SQL = 10_000
MOST_RULE_TEXT = 256 << 10
_MOST_WORDS = 8
_MOST_VALUES = 5
_LEAST_VALUE = 4
_LONGEST_VALUE = 2000
_TELL_LITTLE = frozenset(
    {"eventid", "channel", "provider_name", "level", "task", "opcode", "logontype", "status", "initiated"}
)
"""Fields whose values are the same in most events."""


class Asked(NamedTuple):
    """What somebody asks, as it was entered."""

    kind: str
    days: int = 7
    source: int | None = None
    words: str = ""
    field: str = ""
    value: str = ""
    sql: str = ""
    rule: str = ""
    rule_text: str = ""


def has_archive() -> bool:
    """Return whether there is an archive here to look into."""
    return places.archive().is_dir()


def ask(request: Request, asked: Asked) -> Hunt:
    """Begin a hunt.

    Raises:
        MissingError: The source or the rule is not there for this person.
        RefusedError: Something is missing or wrong, or the person has a hunt that has not ended.
    """
    if not 1 <= asked.days <= MOST_DAYS:
        raise RefusedError(_("Days go from 1 to {most}.").format(most=MOST_DAYS), field="days")
    since = timezone.now() - dt.timedelta(days=asked.days)
    question = _QUESTIONS[asked.kind](asked, since)
    return _begin(request, question, _sources(request.user, asked.source))


def ask_before(request: Request, alert: Alert, *, days: int = 90) -> Hunt:
    """Begin to look for what an alert says in what came before; see :func:`ask` for errors."""
    if not 1 <= days <= MOST_DAYS:
        raise RefusedError(_("Days go from 1 to {most}.").format(most=MOST_DAYS), field="days")
    if is_alarm(alert):
        raise RefusedError(_("This alert is of no rule that looks at logs."))
    findings = [one.finding for one in alert.examples.all()[:20] if isinstance(one.finding, dict)]
    question = Question(
        kind="before",
        since=timezone.now() - dt.timedelta(days=days),
        rule=alert.rule,
        entity=alert.entity,
        entity_kind=alert.entity_kind,
        values=tuple(_values(findings, alert.entity)),
        before=alert.first_seen,
    )
    return _begin(request, question, _sources(request.user, None), alert)


def cancel(request: Request, key: int) -> Hunt:
    """End a hunt of one's own; one that has ended stays as it is."""
    hunt = hunt_of(request, key)
    if hunt.pending:
        with transaction.atomic():
            now = timezone.now()
            rows = Hunt.objects.filter(pk=key, state__in=[Hunt.State.WAITING, Hunt.State.RUNNING])
            if rows.update(state=Hunt.State.CANCELLED, ended=now):
                record(request, "archive.cancel", hunt)
        hunt.refresh_from_db()
    return hunt


def hunts_of(user: User) -> Any:
    """Return the hunts of a person that it may still see, the newest first."""
    give_up_stale()
    rows = Hunt.objects.filter(by=user).select_related("alert").defer("answer")
    return [one for one in rows if _may_see(user, one)]


def hunt_of(request: Request, key: int) -> Hunt:
    """Return a hunt of one's own.

    Raises:
        MissingError: There is none, or the person may not see its sources any more.
    """
    give_up_stale()
    hunt = Hunt.objects.filter(by=request.user, pk=key).select_related("alert").first()
    if hunt is None or not _may_see(request.user, hunt):
        raise MissingError([key])
    return hunt


def look_at(request: Request, key: int) -> Hunt:
    """Return a hunt, and record that somebody looked at what it found."""
    hunt = hunt_of(request, key)
    if hunt.state == Hunt.State.DONE:
        record(request, "archive.see", hunt)
    return hunt


def latest_about(user: User, alert: Alert) -> Hunt | None:
    """Return the newest hunt of a person about an alert."""
    hunt = Hunt.objects.filter(by=user, alert=alert).first()
    return hunt if hunt is not None and _may_see(user, hunt) else None


def _begin(
    request: Request, question: Question, sources: list[int] | None, alert: Alert | None = None
) -> Hunt:
    if not has_archive():
        raise RefusedError(_("There is no archive here."))
    give_up_stale()
    if Hunt.objects.filter(by=request.user, state__in=[Hunt.State.WAITING, Hunt.State.RUNNING]).exists():
        raise RefusedError(_BUSY)
    told = msgspec.to_builtins(question)
    try:
        with transaction.atomic():
            hunt = Hunt.objects.create(
                by=request.user, kind=question.kind, question=told, sources=sources, alert=alert
            )
            record(request, "archive.search", hunt, None, {**told, "sources": sources})
            forget_old(request.user.pk)
            transaction.on_commit(partial(launch, hunt.pk))
    except IntegrityError:
        raise RefusedError(_BUSY) from None
    return hunt


_BUSY = _("One of your searches still runs. Wait for it, or cancel it.")


def _sources(user: User, chosen: int | None) -> list[int] | None:
    if chosen is not None:
        if not Source.objects.visible_to(user).filter(pk=chosen).exists():
            raise MissingError([chosen])
        return [chosen]
    if user.sees_everything:
        return None
    return sorted(Source.objects.visible_to(user).values_list("pk", flat=True))


def _may_see(user: User, hunt: Hunt) -> bool:
    if user.sees_everything:
        return True
    if hunt.sources is None:
        return False
    visible = set(Source.objects.visible_to(user).values_list("pk", flat=True))
    return visible.issuperset(hunt.sources)


def _of_words(asked: Asked, since: dt.datetime) -> Question:
    words = tuple(_words(asked.words))
    field, value = asked.field.strip(), asked.value.strip()
    if value and not field:
        words, value = (*words, value), ""
    if field and not value:
        raise RefusedError(_("Say which value the field has; * is any text."), field="value")
    if not words and not field:
        raise RefusedError(_("Say what to look for."), field="words")
    if len(words) > _MOST_WORDS:
        raise RefusedError(
            _("That are too many words: take up to {most}.").format(most=_MOST_WORDS), field="words"
        )
    return Question(kind="words", since=since, words=words, field=field, value=value)


def _of_sql(asked: Asked, since: dt.datetime) -> Question:
    sql = asked.sql.strip().removesuffix(";")
    if not sql:
        raise RefusedError(_("Write one SELECT … FROM events …"), field="sql")
    if len(sql) > MOST_SQL:
        raise RefusedError(_("The query is too long."), field="sql")
    return Question(kind="sql", since=since, sql=sql)


def _of_rules(asked: Asked, since: dt.datetime) -> Question:
    from haidang.console.rules.actions import pasted
    from haidang.console.rules.catalogue import loaded

    if asked.rule_text.strip():
        pasted(asked.rule_text)
        return Question(kind="rules", since=since, rule_text=asked.rule_text)
    rule = asked.rule.strip()
    if not rule:
        raise RefusedError(_("Name a rule, or paste one."), field="rule")
    known = loaded().by_name
    if rule not in known:
        titled = [name for name, info in known.items() if rule.lower() in _titles(info)]
        if len(titled) != 1:
            raise MissingError([rule])
        rule = titled[0]
    return Question(kind="rules", since=since, rule=rule)


def _titles(info: RuleInfo) -> set[str]:
    """Return what a rule is called, in every language, in lower case."""
    return {title.lower() for title in (info.title, *(words.title for words in info.words)) if title}


_QUESTIONS = {"words": _of_words, "sql": _of_sql, "rules": _of_rules}


def _words(text: str) -> Iterable[str]:
    """Yield the words of a text; what stands between quotation marks is one."""
    for at, part in enumerate(text.split('"')):
        if at % 2:
            yield from filter(None, [part.strip()])
        else:
            yield from part.split()


def _values(findings: Iterable[dict[str, Any]], entity: str) -> Iterable[Value]:
    """Yield values that a rule matched and that tell something: the longest first."""
    found: dict[Value, None] = {}
    for finding in findings:
        for match in finding.get("matched") or ():
            value, field = match.get("value"), str(match.get("field") or "")
            text = value if isinstance(value, str) else ""
            if field.lower() in _TELL_LITTLE or str(match.get("test", "")).startswith("group-by"):
                continue
            if _LEAST_VALUE <= len(text) <= _LONGEST_VALUE and text.lower() != entity:
                found[Value(field, text)] = None
    return sorted(found, key=lambda one: -len(one.value))[:_MOST_VALUES]
