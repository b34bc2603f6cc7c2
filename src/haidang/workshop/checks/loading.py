"""What loading itself says: rules that are refused, and what is odd about those that are not.

Loading stops at the first fault of a rule; of those in its detection, all are told here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.workshop.checks import ERROR, NOTE, WARNING, Check, Issue
from haidang.workshop.faults import faults
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.errors import RuleError
    from haidang.workshop.checks import Pack, Subject

__all__ = ["CHECKS", "run"]

REFUSED = Check("refused", ERROR, N_("the rule cannot be loaded"))
ODD = Check("odd", WARNING, N_("the rule is loaded, but something about it is not understood"))
NO_RULE = Check("no-rule", NOTE, N_("the YAML file holds no rule"))
CHECKS = (REFUSED, ODD, NO_RULE)

_DUPLICATE = "already belongs to"
"""Says a refusal of which ``identity`` tells more."""
_SPELLED = ("the level ", "the status ", "the id ")
"""So begin the notes of which ``spelling`` and ``identity`` tell more."""
_REASON = N_("the rule cannot be loaded: {reason}")


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each refusal and note."""
    for path in pack.written.skipped:
        yield Issue(NO_RULE.code, NO_RULE.severity, Message(NO_RULE.summary), path, 1)
    joined = pack.written.joined
    if joined is None:
        return
    for error in joined.refused:
        if _DUPLICATE not in error.reason:
            yield _issue(REFUSED, error, _REASON)
    for subject in pack.subjects:
        yield from _all_faults(subject, pack)
    for note in joined.notes:
        if not note.reason.startswith(_SPELLED):
            yield _issue(ODD, note, "{reason}")


def _all_faults(subject: Subject, pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each fault of a rule that was not loaded; the first of them is told twice."""
    document = subject.written.document
    if subject.rule is not None or not document.keys() & {"detection", "filter"}:
        return
    for refusal in faults(document, pack.written.compiler):
        yield subject.issue(REFUSED, refusal.place, _REASON, reason=refusal.reason)


def _issue(check: Check, error: RuleError, template: str) -> Issue:
    message = Message(template, {"reason": error.reason})
    return Issue(check.code, check.severity, message, error.path, error.line, error.rule)
