"""What outputs for other programs say of ATT&CK: the ids of tactics, the names of techniques.

Names come from ``attack_techniques.json``, which says its source and licence. A rule may name a technique
that is younger than that list: it then has its id alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from haidang.findings.words import TACTIC_WORDS

__all__ = ["TACTIC_IDS", "is_withdrawn", "tactic_name", "technique_names"]

TACTIC_IDS = {
    "reconnaissance": "TA0043",
    "resource-development": "TA0042",
    "initial-access": "TA0001",
    "execution": "TA0002",
    "persistence": "TA0003",
    "privilege-escalation": "TA0004",
    "defense-evasion": "TA0005",
    "credential-access": "TA0006",
    "discovery": "TA0007",
    "lateral-movement": "TA0008",
    "collection": "TA0009",
    "command-and-control": "TA0011",
    "exfiltration": "TA0010",
    "impact": "TA0040",
}
"""Tactic to its id, for those that all versions of the matrix agree on."""

_TECHNIQUES = Path(__file__).parent / "attack_techniques.json"


def tactic_name(tactic: str) -> str:
    """Return the English name of a tactic."""
    return TACTIC_WORDS.get(tactic, tactic)


@cache
def technique_names() -> dict[str, str]:
    """Return the name of each technique and sub-technique by its id."""
    techniques: dict[str, str] = msgspec.json.decode(_TECHNIQUES.read_bytes())["techniques"]
    return techniques


@cache
def _in_a_tactic() -> frozenset[str]:
    tactics: dict[str, list[str]] = msgspec.json.decode(_TECHNIQUES.read_bytes())["tactics"]
    return frozenset(technique for techniques in tactics.values() for technique in techniques)


def is_withdrawn(technique: str) -> bool:
    """Return whether a technique that once was stands under no tactic any more, as T1086 does."""
    return technique in technique_names() and technique.partition(".")[0] not in _in_a_tactic()
