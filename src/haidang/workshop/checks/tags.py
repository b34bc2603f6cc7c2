"""Tags of MITRE ATT&CK: tactics that exist, techniques that are written as such, and both of them.

Tactics are those of the enterprise matrix, under their names before and after defence evasion was parted
into stealth and defense impairment. Nothing is fetched: techniques are looked up in the list that findings
take their names from. It may be older than the rule, so that one it does not know is a note, not an error.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from haidang.findings.attack import is_withdrawn, technique_names
from haidang.i18n import N_
from haidang.workshop.checks import ERROR, NOTE, WARNING, Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Issue, Pack, Subject

__all__ = ["CHECKS", "TACTICS", "run"]

WRONG = Check("attack-tag", ERROR, N_("a tag of ATT&CK is neither tactic nor technique"))
NO_TACTIC = Check("attack-no-tactic", NOTE, N_("techniques are tagged, but no tactic"))
UNKNOWN = Check("attack-unknown", NOTE, N_("a technique is not in the list of ATT&CK that is known here"))
WITHDRAWN = Check("attack-withdrawn", WARNING, N_("a technique was withdrawn from ATT&CK"))
NO_NAMESPACE = Check("tag-namespace", ERROR, N_("a tag has no namespace before a dot"))
CHECKS = (WRONG, NO_TACTIC, UNKNOWN, WITHDRAWN, NO_NAMESPACE)

TACTICS = frozenset(
    {
        "reconnaissance",
        "resource-development",
        "initial-access",
        "execution",
        "persistence",
        "privilege-escalation",
        "defense-evasion",
        "stealth",
        "defense-impairment",
        "credential-access",
        "discovery",
        "lateral-movement",
        "collection",
        "command-and-control",
        "exfiltration",
        "impact",
    }
)
_OBJECT = re.compile(r"t\d{4}(?:\.\d{3})?|[gsmc]\d{4}|d[sc]\d{4}|ta\d{4}", re.IGNORECASE)
_PREFIX = "attack."


def run(pack: Pack) -> Iterator[Issue]:
    """Yield an issue for each tag that is wrong."""
    for subject in pack.subjects:
        yield from _of(subject)


def _of(subject: Subject) -> Iterator[Issue]:
    techniques = tactics = False
    for at, tag in enumerate(subject.written.info.tags):
        name = tag.lower()
        if "." not in name:
            template = N_("the tag {tag} has no namespace, such as attack. or cve., before it")
            yield subject.issue(NO_NAMESPACE, ("tags", at), template, tag=repr(tag))
        if not name.startswith(_PREFIX):
            continue
        name = name.removeprefix(_PREFIX)
        techniques = techniques or name.startswith("t1")
        tactics = tactics or name in TACTICS
        if name in TACTICS or _OBJECT.fullmatch(name):
            yield from _technique(subject, at, tag, name.upper())
            continue
        meant = difflib.get_close_matches(name.replace("_", "-"), TACTICS, n=1, cutoff=0.7)
        template = (
            N_("{tag} is no tactic, technique, group or software of ATT&CK; is {meant} meant?")
            if meant
            else N_("{tag} is no tactic, technique, group or software of ATT&CK")
        )
        values = {"tag": tag, "meant": _PREFIX + meant[0] if meant else ""}
        yield subject.issue(WRONG, ("tags", at), template, **values)
    if techniques and not tactics:
        yield subject.issue(NO_TACTIC, ("tags",))


def _technique(subject: Subject, at: int, tag: str, number: str) -> Iterator[Issue]:
    """Yield an issue for a technique that ATT&CK does not have, or no longer has."""
    if number[1:2] != "1":
        return
    if number not in technique_names():
        yield subject.issue(
            UNKNOWN, ("tags", at), N_("{tag} is not among the techniques known here"), tag=tag
        )
    elif is_withdrawn(number):
        template = N_("{tag} ({name}) was withdrawn from ATT&CK; see its page there for what took its place")
        yield subject.issue(WITHDRAWN, ("tags", at), template, tag=tag, name=technique_names()[number])
