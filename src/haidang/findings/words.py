"""The words that outputs for people share: levels, ATT&CK tactics and what tags say of them, rules.

Rules:

- A tag ``attack.<tactic>`` or ``attack.<technique>`` is read as the Sigma tag specification has it.
- Tactics are listed in the order of the ATT&CK matrix. ``defense-evasion`` stays beside the two tactics
  that took its place, because rules of both ages are in use.
- A rule speaks the reader's language where it has words in it (its ``haidang`` attribute).
- The values are message ids (English) for :mod:`haidang.i18n`.

Rules are made by others: an unknown level or tag is shown as it is or left out, and never raises.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from haidang.i18n import N_
from haidang.sigma.ir import RuleWords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.findings.model import FindingRule, ScanSummary
    from haidang.sigma.ir import RuleInfo

__all__ = ["LEVEL_WORDS", "TACTIC_WORDS", "level_rank", "rule_title", "rule_words", "tactics", "techniques"]

LEVEL_WORDS = {
    "critical": N_("critical"),
    "high": N_("high"),
    "medium": N_("medium"),
    "low": N_("low"),
    "informational": N_("informational"),
}
"""Level to message id, the most severe first."""

TACTIC_WORDS = {
    "reconnaissance": N_("Reconnaissance"),
    "resource-development": N_("Resource Development"),
    "initial-access": N_("Initial Access"),
    "execution": N_("Execution"),
    "persistence": N_("Persistence"),
    "privilege-escalation": N_("Privilege Escalation"),
    "defense-evasion": N_("Defense Evasion"),
    "stealth": N_("Stealth"),
    "defense-impairment": N_("Defense Impairment"),
    "credential-access": N_("Credential Access"),
    "discovery": N_("Discovery"),
    "lateral-movement": N_("Lateral Movement"),
    "collection": N_("Collection"),
    "command-and-control": N_("Command and Control"),
    "exfiltration": N_("Exfiltration"),
    "impact": N_("Impact"),
}
"""Tactic to message id, in the order of the ATT&CK matrix."""

_TECHNIQUE = re.compile(r"t\d{4}(?:\.\d{3})?", re.ASCII)
_RANKS = {level: rank for rank, level in enumerate(LEVEL_WORDS)}


def rule_words(rule: FindingRule, summary: ScanSummary, lang: str) -> RuleWords:
    """Return a rule's title, description and advice in ``lang``; its own words where it has none in it."""
    known = summary.words.get(rule.id or rule.title, ())
    said = next((words for words in known if words.lang == lang), RuleWords(lang))
    return RuleWords(lang, said.title or rule.title, said.description or rule.description, said.advice)


def rule_title(info: RuleInfo, lang: str) -> str:
    """Return a loaded rule's title in ``lang``; its own where it has none in it."""
    return next((words.title for words in info.words if words.lang == lang and words.title), info.title)


def level_rank(level: str) -> int:
    """Return 0 for critical, 1 for high …; an unknown level comes last."""
    return _RANKS.get(level, len(_RANKS))


def tactics(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tactics that ``tags`` name, in the order of the matrix."""
    named = {name.replace("_", "-") for name in _attack(tags)}
    return tuple(tactic for tactic in TACTIC_WORDS if tactic in named)


def techniques(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the ATT&CK technique ids that ``tags`` name, such as ``T1059.001``, in their order."""
    found = (name.upper() for name in _attack(tags) if _TECHNIQUE.fullmatch(name))
    return tuple(dict.fromkeys(found))


def _attack(tags: Iterable[str]) -> list[str]:
    return [tag[7:].lower() for tag in tags if tag[:7].lower() == "attack."]
