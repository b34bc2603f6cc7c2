"""What loading itself says: rules that are refused, and what is odd about those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.workshop.checks import ERROR, WARNING, Check, Issue
from haidang.workshop.messages import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.errors import RuleError
    from haidang.workshop.checks import Pack

__all__ = ["CHECKS", "run"]

REFUSED = Check("refused", ERROR, N_("the rule cannot be loaded"))
ODD = Check("odd", WARNING, N_("the rule is loaded, but something about it is not understood"))
CHECKS = (REFUSED, ODD)

_DUPLICATE = "already belongs to"
"""Says a refusal of which ``identity`` tells more."""
_SPELLED = ("the level ", "the status ", "the id ")
"""So begin the notes of which ``spelling`` and ``identity`` tell more."""


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each refusal and note."""
    joined = pack.written.joined
    if joined is None:
        return
    for error in joined.refused:
        if _DUPLICATE not in error.reason:
            yield _issue(REFUSED, error, N_("the rule cannot be loaded: {reason}"))
    for note in joined.notes:
        if not note.reason.startswith(_SPELLED):
            yield _issue(ODD, note, "{reason}")


def _issue(check: Check, error: RuleError, template: str) -> Issue:
    message = Message(template, {"reason": error.reason})
    return Issue(check.code, check.severity, message, error.path, error.line, error.rule)
