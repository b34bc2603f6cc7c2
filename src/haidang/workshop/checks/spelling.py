"""Spelling: what ``--fix`` corrects, since it changes nothing of what a rule finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.workshop.checks import NOTE, WARNING, Check, Issue
from haidang.workshop.fixing import corrections
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Pack

__all__ = ["CHECKS", "run"]

CHECKS = (
    Check("whitespace", NOTE, N_("a line ends with spaces, or the file without a line break"), fixable=True),
    Check("tag-case", NOTE, N_("a tag is not in lower case"), fixable=True),
    Check("date-format", WARNING, N_("a date is not written as year-month-day"), fixable=True),
    Check("id-missing", WARNING, N_("the rule has no id"), fixable=True),
    Check("level-spelling", WARNING, N_("the level is not one of the specification"), fixable=True),
    Check("status-spelling", WARNING, N_("the status is not one of the specification"), fixable=True),
)

_BY_CODE = {check.code: check for check in CHECKS}
_UNKNOWN_TEMPLATES = {
    "level": ("level-spelling", N_("the level {word} is not one of the specification")),
    "status": ("status-spelling", N_("the status {word} is not one of the specification")),
}


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each line that ``--fix`` would change, and each level and status that it cannot."""
    fixed: set[tuple[str, str, int]] = set()
    for path, data in pack.written.files.items():
        subjects = [subject for subject in pack.subjects if subject.written.info.path == path]
        if not subjects:
            continue
        for one in corrections(data):
            check = _BY_CODE[one.code]
            fixed.add((path, one.code, one.line))
            info = max(
                (subject.written.info for subject in subjects if subject.written.info.line <= one.line),
                key=lambda info: info.line,
                default=subjects[0].written.info,
            )
            yield Issue(
                check.code,
                check.severity,
                one.message or Message(check.summary),
                path,
                one.line,
                info.title,
                info.id,
                fixable="!" not in path,
            )
    yield from _beyond_fixing(pack, fixed)


def _beyond_fixing(pack: Pack, fixed: set[tuple[str, str, int]]) -> Iterator[Issue]:
    joined = pack.written.joined
    for note in joined.notes if joined is not None else ():
        for key, (code, template) in _UNKNOWN_TEMPLATES.items():
            if note.reason.startswith(f"the {key} ") and (note.path, code, note.line) not in fixed:
                word = note.reason.split("'")[1] if "'" in note.reason else ""
                message = Message(template, {"word": repr(word)})
                yield Issue(code, WARNING, message, note.path, note.line, note.rule)
