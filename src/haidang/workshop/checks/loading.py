"""What loading itself says: rules that are refused, and what is odd about those that are not.

Loading stops at the first fault of a rule; of those in its detection or correlation, all are told here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.sigma.correlations import read_section
from haidang.sigma.joining import NOT_LOADED
from haidang.workshop.checks import ERROR, NOTE, WARNING, Check, Issue
from haidang.workshop.faults import correlation_faults, faults
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
        if _DUPLICATE not in error.reason and not error.reason.endswith(NOT_LOADED):
            yield _issue(REFUSED, error, _REASON)
    names = _names(pack)
    for subject in pack.subjects:
        yield from _all_faults(subject, pack)
        if "correlation" in subject.written.document:
            yield from _of_correlation(subject, names)
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


def _names(pack: Pack) -> frozenset[str]:
    """Return what correlations may call the rules that are loaded, and the correlations that are right."""
    joined = pack.written.joined
    infos = [rule.info for rule in joined.rules] if joined is not None else []
    for subject in pack.subjects:
        document = subject.written.document
        if "correlation" in document and not any(correlation_faults(document)):
            infos.append(subject.written.info)
    return frozenset(name for info in infos for name in (info.id.lower(), info.name) if name)


def _of_correlation(subject: Subject, names: frozenset[str]) -> Iterator[Issue]:
    """Yield an issue for each fault of a correlation, and for each rule that it names and is not there."""
    section = subject.written.document["correlation"]
    found = list(correlation_faults(subject.written.document))
    for refusal in found:
        yield subject.issue(REFUSED, refusal.place, _REASON, reason=refusal.reason)
    written = section.get("rules") if isinstance(section, dict) else None
    named = (written if isinstance(written, list) else [written]) if found else read_section(section).rules
    for at, name in enumerate(named):
        if isinstance(name, str) and name and name not in names and name.lower() not in names:
            place = ("rules", at) if isinstance(written, list) else ("rules",) if written else ("condition",)
            yield subject.issue(
                REFUSED, ("correlation", *place), _REASON, reason=f"the rule {name!r} {NOT_LOADED}"
            )


def _issue(check: Check, error: RuleError, template: str) -> Issue:
    message = Message(template, {"reason": error.reason})
    return Issue(check.code, check.severity, message, error.path, error.line, error.rule)
