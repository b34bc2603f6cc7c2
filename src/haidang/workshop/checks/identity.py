"""Ids and titles: each rule has its own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from haidang.i18n import N_
from haidang.workshop.checks import ERROR, WARNING, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Issue, Pack, Subject

__all__ = ["CHECKS", "run"]

DUPLICATE_ID = Check("duplicate-id", ERROR, N_("two rules have the same id"))
DUPLICATE_TITLE = Check("duplicate-title", WARNING, N_("two rules have the same title"))
NO_UUID = Check("id-format", ERROR, N_("the id is not a UUID"))
CHECKS = (DUPLICATE_ID, DUPLICATE_TITLE, NO_UUID)


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each rule whose id or title an earlier one has."""
    ids: dict[str, Subject] = {}
    titles: dict[str, Subject] = {}
    for subject in pack.subjects:
        info = subject.written.info
        if info.id:
            if not _is_uuid(info.id):
                yield subject.issue(NO_UUID, ("id",), N_("the id {id} is not a UUID"), id=info.id)
            yield from _repeated(subject, ids, info.id.lower(), DUPLICATE_ID, "id")
        yield from _repeated(subject, titles, " ".join(info.title.lower().split()), DUPLICATE_TITLE, "title")


def _repeated(
    subject: Subject, seen: dict[str, Subject], value: str, check: Check, key: str
) -> Iterator[Issue]:
    first = seen.setdefault(value, subject)
    if first is not subject:
        info = first.written.info
        template = (
            N_("this id already belongs to {title} ({path}:{line})")
            if check is DUPLICATE_ID
            else N_("this title already belongs to {title} ({path}:{line})")
        )
        line = first.written.line(key)
        yield subject.issue(check, (key,), template, title=repr(info.title), path=info.path, line=line)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
