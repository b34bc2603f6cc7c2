"""What people do with rules: switch them with a reason, try them on events."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from haidang.console.audit.record import record
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.rules.catalogue import loaded, one_rule
from haidang.console.rules.models import RuleState
from haidang.errors import HaidangError

if TYPE_CHECKING:
    from haidang.console.people.access import Request
    from haidang.events.model import Problem
    from haidang.findings.model import Finding
    from haidang.scanning import Ruleset

__all__ = ["MOST_EVENTS_BYTES", "Tried", "pasted", "switch", "try_on_events"]

MOST_EVENTS_BYTES = 1 << 20
MOST_RULE_BYTES = 256 << 10
MOST_FINDINGS = 200
_LONGEST_REASON = 2000


class Tried(NamedTuple):
    """What rules found in pasted events."""

    format: str
    """Name of the reader; "" where the format was not recognised."""
    records: int
    problems: list[Problem]
    """What could not be read."""
    findings: list[Finding]
    """Up to :data:`MOST_FINDINGS`."""
    total: int
    """How many findings there were."""


def switch(request: Request, rule: str, *, enabled: bool, reason: str) -> RuleState:
    """Switch a rule on or off for everybody.

    Raises:
        MissingError: It is not loaded.
        RefusedError: There is no reason, or the person works for one unit alone.
    """
    if rule not in loaded().by_name:
        raise MissingError([rule])
    if not request.user.sees_everything:
        raise RefusedError(_("A rule is switched for all units: ask somebody who works for all of them."))
    reason = reason.strip()
    if not reason or len(reason) > _LONGEST_REASON:
        raise RefusedError(_("Say why."), field="reason")
    with transaction.atomic():
        before = RuleState.objects.select_for_update(of=("self",)).filter(rule=rule).first()
        state, _made = RuleState.objects.update_or_create(
            rule=rule, defaults={"enabled": enabled, "reason": reason, "by": request.user}
        )
        record(
            request,
            "rule.switch",
            state,
            {"enabled": before.enabled if before else True, "reason": before.reason if before else ""},
            {"enabled": enabled, "reason": reason},
        )
    return state


def try_on_events(events: str, *, format_name: str = "", rule: str = "", text: str = "") -> Tried:
    """Look for findings in pasted events; nothing is kept.

    Args:
        events: Lines as a log has them.
        format_name: A reader's name; "" has them recognised.
        rule: Which loaded rule; "" for all that are loaded.
        text: YAML of rules that are tried instead of those that are loaded.

    Raises:
        MissingError: The rule is not loaded.
        RefusedError: The events are too many, or the text is no rule.
    """
    from haidang.events.readers import readers
    from haidang.scanning.live import LiveMatcher

    data = events.encode("utf-8", "replace")
    if not data.strip() or len(data) > MOST_EVENTS_BYTES:
        raise RefusedError(_("Paste events, up to 1 MiB."), field="events")
    if format_name and format_name not in readers():
        raise RefusedError(
            _("There is no format {name}; see haidang formats.").format(name=format_name), field="format"
        )
    ruleset = pasted(text) if text.strip() else _chosen(rule)
    piece = LiveMatcher(ruleset).match(data, format_name, path="pasted")
    return Tried(
        piece.report.format,
        piece.report.records,
        list(piece.report.problems.values()),
        piece.findings[:MOST_FINDINGS],
        len(piece.findings),
    )


def _chosen(rule: str) -> Ruleset:
    rules = loaded()
    if not rule:
        return rules.ruleset
    if rule not in rules.by_name:
        raise MissingError([rule])
    return one_rule(rule)


def pasted(text: str) -> Ruleset:
    """Return the rules in a text.

    Raises:
        RefusedError: It is too long, or no rule that can be used.
    """
    from haidang.scanning import load_rules

    if len(text) > MOST_RULE_BYTES:
        raise RefusedError(_("The rule is too long."), field="rule_text")
    with tempfile.TemporaryDirectory(prefix="haidang-rule-") as folder:
        path = Path(folder) / "rule.yml"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            ruleset = load_rules(path, builtin=False, cache=False)
        except HaidangError as error:
            raise RefusedError(error.message, field="rule_text") from None
        refused = [
            f"{error.line}: {error.reason}" if error.line else error.reason for error in ruleset.refused
        ]
        if refused:
            raise RefusedError(_("This is no rule that can be used."), errors={"rule_text": refused})
        if not len(ruleset):
            raise RefusedError(_("This is no rule that can be used."), field="rule_text")
        return ruleset
