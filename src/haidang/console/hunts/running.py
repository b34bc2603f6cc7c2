"""Who runs hunts: a thread for each, some at a time, beside the pages and never in their way.

A hunt that nobody gives a sign of any more, as after the end of the service, has failed.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import close_old_connections, connections
from django.utils import timezone
from django.utils.translation import gettext_noop

from haidang.console.hunts.models import STALE, Hunt
from haidang.console.hunts.process import messages
from haidang.console.hunts.questions import Job, Question
from haidang.console.rules import catalogue
from haidang.console.service import places
from haidang.console.sources.models import Source

if TYPE_CHECKING:
    from django.db.models import QuerySet

__all__ = ["SAID", "forget_old", "give_up_stale", "launch", "run"]

_LOG = logging.getLogger(__name__)
_AT_ONCE = 2
_KEPT_EACH = 20
"""Hunts of a person that are kept."""
_slots = threading.BoundedSemaphore(_AT_ONCE)

ENDED = gettext_noop("The service ended before there was an answer. Ask again.")
SILENT = gettext_noop("The search ended without an answer: it took more time or memory than it may.")
SAID = frozenset({ENDED, SILENT})


def launch(key: int) -> None:
    """Run a hunt in a thread of its own."""
    threading.Thread(target=_launched, args=(key,), name=f"haidang-hunt-{key}", daemon=True).start()


def _launched(key: int) -> None:
    try:
        while not _slots.acquire(timeout=1.0):
            close_old_connections()
            if not _row(key).update(beat=timezone.now()):
                return
        try:
            run(key)
        finally:
            _slots.release()
    except Exception:  # noqa: BLE001 -- whatever it is, whoever waits is told
        _LOG.exception("a hunt fails")
        _row(key).update(state=Hunt.State.FAILED, ended=timezone.now(), problem=ENDED)
    finally:
        connections.close_all()


def run(key: int) -> None:
    """Have a hunt answered; it ends early when it is cancelled."""
    now = timezone.now()
    hunt = _row(key).first()
    if hunt is None or not _row(key).update(state=Hunt.State.RUNNING, started=now, beat=now):
        return
    ended: dict[str, Any] = {}
    told = messages(_job(hunt))
    try:
        for message in told:
            changed: dict[str, Any] = {}
            if "progress" in message:
                changed["done"], changed["total"] = message["progress"]
            if "answer" in message:
                ended = {"state": Hunt.State.DONE, "answer": message["answer"]}
            elif "refused" in message:
                ended = {"state": Hunt.State.FAILED, "problem": str(message["refused"])[:2000]}
            beat = timezone.now()
            # Once a second is enough for whoever looks on.
            if not ended and not changed and (beat - now).total_seconds() < 1:
                continue
            now = beat
            if not _row(key).update(beat=beat, **changed):
                return
    finally:
        told.close()
    ended = ended or {"state": Hunt.State.FAILED, "problem": SILENT}
    _row(key).update(ended=timezone.now(), **ended)


def give_up_stale() -> None:
    """Say of hunts that nobody runs any more that they failed."""
    old = timezone.now() - STALE
    _pending().filter(beat__lt=old).update(state=Hunt.State.FAILED, ended=timezone.now(), problem=ENDED)


def forget_old(user_id: int) -> None:
    """Remove what somebody asked long ago."""
    kept = Hunt.objects.filter(by_id=user_id).order_by("-id").values_list("pk", flat=True)[:_KEPT_EACH]
    Hunt.objects.filter(by_id=user_id).exclude(pk__in=list(kept)).delete()


def _pending() -> QuerySet[Hunt]:
    return Hunt.objects.filter(state__in=[Hunt.State.WAITING, Hunt.State.RUNNING])


def _row(key: int) -> QuerySet[Hunt]:
    """Return a hunt as long as it is to be answered."""
    return _pending().filter(pk=key)


def _job(hunt: Hunt) -> Job:
    question = msgspec.convert(hunt.question, Question)
    found = catalogue.origin()
    known = not question.rule or question.rule in catalogue.loaded(found).by_name
    offset = timezone.localtime().utcoffset()
    return Job(
        question=question,
        archive=str(places.archive()),
        sources=None if hunt.sources is None else tuple(map(str, hunt.sources)),
        names={str(key): name for key, name in Source.objects.values_list("pk", "name")},
        rules=tuple(map(str, found.paths)),
        builtin=found.builtin,
        # Indicators are no files that the catalogue knows; they are loaded where an alert may be of one.
        intel=catalogue.configuration().intel and not known,
        offset=int(offset.total_seconds()) if offset else 0,
    )
