"""Keywords: they are looked for anywhere, so that wildcards around them say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.workshop.checks import ERROR, WARNING, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Issue, Pack, Subject

__all__ = ["CHECKS", "run"]

WILDCARD = Check("keyword-wildcard", WARNING, N_("a keyword is written with needless wildcards"))
ANYTHING = Check("keyword-anything", ERROR, N_("a keyword is nothing but wildcards, and matches every event"))
CHECKS = (WILDCARD, ANYTHING)


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each keyword with wildcards at its ends."""
    for subject in pack.subjects:
        detection = subject.written.document.get("detection")
        if subject.outline is None or not isinstance(detection, dict):
            continue
        for name in subject.outline.selections:
            yield from _of(subject, name, detection.get(name))


def _of(subject: Subject, name: str, definition: object) -> Iterator[Issue]:
    listed = definition if isinstance(definition, list) else [definition]
    for at, keyword in enumerate(listed):
        if not isinstance(keyword, str):
            continue
        place = ("detection", name, at) if isinstance(definition, list) else ("detection", name)
        if not keyword.strip("*?"):
            yield subject.issue(ANYTHING, place)
        elif keyword.startswith("*") or (keyword.endswith("*") and not keyword.endswith("\\*")):
            template = N_("the keyword {keyword} is looked for anywhere; wildcards at its ends say nothing")
            yield subject.issue(WILDCARD, place, template, keyword=repr(keyword))
