"""What stands about a rule: keys that are almost right, values of a wrong kind, dates that are none.

Other tools of Sigma refuse a rule for these; here it still loads, so that nothing else would say it.
The kinds are those of the Sigma specification 2.1, "Components"; keys of one's own are allowed.
"""

from __future__ import annotations

import difflib
import re
from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from haidang.i18n import N_
from haidang.workshop.checks import ERROR, WARNING, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Issue, Pack, Subject

__all__ = ["CHECKS", "LISTS", "run"]

KIND = Check("metadata-kind", ERROR, N_("a key holds another kind of value than the specification says"))
DATE = Check("date-invalid", ERROR, N_("a date is no day of the calendar, written as year-month-day"))
ORDER = Check("date-order", WARNING, N_("the rule was changed before it was made"))
KEY = Check("key-spelling", WARNING, N_("a key is almost, but not quite, one of the specification"))
RELATED = Check("related", ERROR, N_("an entry of 'related' is not an id with a type"))
CHECKS = (KIND, DATE, ORDER, KEY, RELATED)

_TEXTS = ("title", "name", "taxonomy", "description", "license", "author")
LISTS = ("references", "tags", "falsepositives", "fields", "scope")
"""Keys that hold lists of texts."""
_DATES = ("date", "modified")
_RELATIONS = ("derived", "obsolete", "merged", "renamed", "similar")
_KEYS = (
    *("title", "id", "name", "taxonomy", "status", "description", "license", "author", "references"),
    *("date", "modified", "logsource", "detection", "correlation", "filter", "fields", "falsepositives"),
    *("level", "tags", "scope", "related"),
)
_OFTEN_MEANT = {"reference": "references", "tag": "tags", "falsepositive": "falsepositives"}
_NO_LIST = N_("'{key}' must be a list: begin its lines with a dash")
_DAY = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})")


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each key that is not as the specification says."""
    for subject in pack.subjects:
        yield from _kinds(subject)
        yield from _dates(subject)
        yield from _keys(subject)
        yield from _related(subject)


def _kinds(subject: Subject) -> Iterator[Issue]:
    document = subject.written.document
    for key in _TEXTS:
        if document.get(key) is not None and not isinstance(document[key], str):
            yield subject.issue(KIND, (key,), N_("'{key}' must be a text"), key=key)
    for key in LISTS:
        value = document.get(key)
        if value is None:
            continue
        if not isinstance(value, list):
            yield subject.issue(KIND, (key,), _NO_LIST, key=key)
            continue
        for at, one in enumerate(value):
            if isinstance(one, dict | list):
                yield subject.issue(KIND, (key, at), N_("an entry of '{key}' must be a text"), key=key)


def _dates(subject: Subject) -> Iterator[Issue]:
    days = {}
    for key in _DATES:
        value = subject.written.document.get(key)
        if value is None:
            continue
        days[key] = _day(str(value))
        if days[key] is None:
            template = N_("'{value}' is no day of the calendar, written as year-month-day")
            yield subject.issue(DATE, (key,), template, value=value)
    made, changed = days.get("date"), days.get("modified")
    if made is not None and changed is not None and changed < made:
        yield subject.issue(ORDER, ("modified",))


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return None


def _keys(subject: Subject) -> Iterator[Issue]:
    document = subject.written.document
    for key in map(str, document):
        if key in _KEYS:
            continue
        close = difflib.get_close_matches(key.lower(), _KEYS, n=1, cutoff=0.8)
        meant = _OFTEN_MEANT.get(key.lower()) or (close[0] if close else "")
        if meant and meant not in document:
            template = N_("the key '{key}' is not one of the specification; is '{meant}' meant?")
            yield subject.issue(KEY, (key,), template, key=key, meant=meant)


def _related(subject: Subject) -> Iterator[Issue]:
    related = subject.written.document.get("related")
    if related is None:
        return
    if not isinstance(related, list):
        yield subject.issue(KIND, ("related",), _NO_LIST, key="related")
        return
    for at, one in enumerate(related):
        if not isinstance(one, dict) or not _is_id(one.get("id")):
            template = N_("an entry of 'related' needs the id of a rule, a UUID")
            yield subject.issue(RELATED, ("related", at), template)
        elif one.get("type") not in _RELATIONS:
            template = N_("the type {word} of 'related' is not one of the specification: {words}")
            word = repr(one.get("type"))
            yield subject.issue(RELATED, ("related", at), template, word=word, words=", ".join(_RELATIONS))


def _is_id(value: Any) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
