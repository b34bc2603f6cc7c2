"""From findings that people call false to a Sigma filter that drops them and keeps every true one.

Rules of this module:

- A filter is a few selections, each a few fields with one value; a finding is dropped where one selection
  holds in whole. No selection may hold for a finding that is known to be true: that is not weighed, it is so.
- The selection that drops most comes first, then the one that drops most of what is left. Among those that
  drop the same, the one with fewer fields wins, then whole values before beginnings and ends, then fields
  that usually tell most, then longer text.
- A field that is new in every event (times, numbers of records and processes) says nothing of the next false
  finding, and is never used.
- With no true finding at hand, anything would be safe, and what every finding of the rule shares would
  silence it. The proposal then says so, uses no field that tells the kind of the event, keeps to two fields
  at least where there are such, and demands one that the rule itself does not look at.

The findings are untrusted.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from haidang.detect.naive import evaluate
from haidang.detect.semantics import lookup
from haidang.sigma.documents import NOT_IN_FILTERS, Compiler, read_logsource
from haidang.sigma.translate import Refusal
from haidang.sigma.yaml_source import documents
from haidang.workshop.writing import as_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from haidang.sigma.ir import LogSource
    from haidang.workshop.verdicts import Judged

__all__ = [
    "ENVELOPE",
    "TELLING",
    "VOLATILE",
    "Proposal",
    "Trait",
    "confirmed",
    "escaped",
    "propose",
    "selection_keys",
]

VOLATILE = re.compile(
    r"(?:.*(?:guid|processid|threadid|logonid|recordid|time(?:stamp)?|hashes?|md5|sha1|sha256|imphash)"
    r"|ts|uid|id|pid|ppid|record|serial|.*port|utctime|creationutctime)",
    re.IGNORECASE,
)
"""Names of fields that are new in every event, dots and underscores left out."""
ENVELOPE = frozenset(
    {
        "Keywords",
        "Task",
        "Opcode",
        "Level",
        "Version",
        "Provider_Name",
        "Provider_Guid",
        "EventSourceName",
        "Channel",
        "UserSid",
        "RuleName",
        "EventType",
        "_path",
        "facility",
        "severity",
        # What shippers (NXLog, Winlogbeat, Logstash) add.
        "SourceName",
        "Category",
        "Severity",
        "SeverityValue",
        "OpcodeValue",
        "TaskValue",
        "SourceModuleName",
        "SourceModuleType",
        "AccountType",
        "Domain",
        "UserID",
        "Message",
        "message",
        "@version",
        "host",
        "port",
        "tags",
    }
)
"""Fields that say how an event was logged, not what happened."""
_KINDS = frozenset({"EventID", "EventCode", "event_id", "event.code", "winlog.event_id", "eventName", "type"})
"""Fields that say what kind of event it is: a filter of these alone would silence the whole rule."""
TELLING = (
    "CommandLine",
    "Image",
    "ParentImage",
    "OriginalFileName",
    "ScriptBlockText",
    "TargetFilename",
    "TargetObject",
    "Details",
    "QueryName",
    "PipeName",
    "EventID",
    "query",
    "uri",
    "user_agent",
    "exe",
    "eventName",
    "message",
    "ParentCommandLine",
    "User",
    "SubjectUserName",
    "TargetUserName",
    "SourceImage",
    "TargetImage",
    "ImageLoaded",
    "DestinationHostname",
    "DestinationIp",
)
"""Fields that usually tell most, most first."""
_MOST_TRAITS = 60
"""Traits that combinations are made of, the commonest first."""
_SHORTEST = 4
"""Characters that a beginning or end has at least."""
_LONGEST = 1_000


class Trait(NamedTuple):
    """One field with one value; ``how`` is "" for the whole value, "startswith" or "endswith"."""

    field: str
    how: str
    value: str

    def holds(self, event: dict[str, Any]) -> bool:
        """Return whether an event has it."""
        found = event.get(self.field)
        items = found if isinstance(found, list) else [found]
        return any(self._of(_text(item)) for item in items if item is not None)

    def _of(self, value: str) -> bool:
        mine, value = self.value.lower(), value.lower()
        if self.how == "startswith":
            return value.startswith(mine)
        return value.endswith(mine) if self.how == "endswith" else value == mine


@dataclass(slots=True)
class Proposal:
    """A filter for one rule."""

    rule_id: str
    rule_title: str
    selections: list[tuple[Trait, ...]] = field(default_factory=list)
    dropped: list[Judged] = field(default_factory=list)
    """False findings that it drops."""
    left: list[Judged] = field(default_factory=list)
    """False findings that it does not."""
    kept: int = 0
    """True findings, all of which it keeps."""

    def as_yaml(
        self, logsource: LogSource, today: str, new_id: Callable[[], str] = lambda: str(uuid4())
    ) -> str:
        """Return the filter rule."""
        names = (
            ["selection"]
            if len(self.selections) == 1
            else [f"selection_{number}" for number in range(1, len(self.selections) + 1)]
        )
        detection: dict[str, Any] = {"rules": [self.rule_id]}
        for name, traits in zip(names, self.selections, strict=True):
            detection[name] = selection_keys(traits)
        detection["condition"] = f"not {'selection' if len(names) == 1 else '1 of selection_*'}"
        document = {
            "title": f"Known Good for {self.rule_title}"[:110],
            "id": new_id(),
            "status": "experimental",
            "description": (
                f"Leaves out {len(self.dropped)} findings that were judged false, and none of {self.kept} "
                "true ones."
            ),
            "date": today,
            "logsource": {key: part for key, part in logsource._asdict().items() if part},
            "filter": detection,
        }
        return as_yaml(document)


def propose(
    true: Sequence[Judged], false: Sequence[Judged], *, most_selections: int = 3, most_fields: int = 3
) -> Proposal:
    """Return a filter for the findings of one rule; without selections where none is safe.

    Args:
        true: Findings that must stay.
        false: Findings that should go.
        most_selections: How many selections there may be.
        most_fields: How many fields in each.
    """
    first = (*false, *true)[0]
    found = Proposal(first.rule_id, first.rule_title, left=list(false), kept=len(true))
    while found.left and len(found.selections) < most_selections:
        best = _best(found.left, true, most_fields)
        if best is None:
            break
        found.selections.append(best)
        found.dropped += [one for one in found.left if _all(best, one)]
        found.left = [one for one in found.left if not _all(best, one)]
    return found


def _best(false: Sequence[Judged], true: Sequence[Judged], most_fields: int) -> tuple[Trait, ...] | None:
    """Return the selection that drops most false findings and no true one."""
    counted = Counter(trait for one in false for trait in set(_traits(one.event)))
    if not true:
        counted = Counter({trait: number for trait, number in counted.items() if trait.field not in _KINDS})
    common = sorted(counted, key=lambda trait: (-counted[trait], *_rank(trait)))[:_MOST_TRAITS]
    holds_false = {trait: _bits(trait, false) for trait in common}
    holds_true = {trait: _bits(trait, true) for trait in common}
    least = 1 if true else 2
    looked_at = frozenset[str]().union(*(one.looked_at for one in false))
    best: tuple[Any, ...] | None = None
    for size in range(1, most_fields + 1):
        for traits in combinations(common, size):
            if len({trait.field for trait in traits}) < size:
                continue
            if not true and looked_at.issuperset(trait.field for trait in traits):
                continue
            dropped = holds_false[traits[0]]
            hurt = holds_true[traits[0]]
            for trait in traits[1:]:
                dropped &= holds_false[trait]
                hurt &= holds_true[trait]
            if hurt or not dropped:
                continue
            key = (-dropped.bit_count(), max(size, least) - size, size, *map(_rank, traits))
            if best is None or key < best[0]:
                best = (key, traits)
        if best is not None and size >= least and -best[0][0] == len(false):
            break
    return None if best is None else tuple(sorted(best[1]))


def _bits(trait: Trait, findings: Sequence[Judged]) -> int:
    """Return in which findings a trait holds, as the bits of a number."""
    return sum(1 << at for at, one in enumerate(findings) if trait.holds(one.event))


def _rank(trait: Trait) -> tuple[int, int, int, str]:
    return (1 if trait.how else 0, 0 if trait.field in TELLING else 1, -len(trait.value), trait.field)


def _all(traits: tuple[Trait, ...], one: Judged) -> bool:
    return all(trait.holds(one.event) for trait in traits)


def _traits(event: dict[str, Any]) -> Iterator[Trait]:
    for name, value in event.items():
        if name in ENVELOPE or VOLATILE.fullmatch(name.replace(".", "").replace("_", "")):
            continue
        for item in value if isinstance(value, list) else [value]:
            words = _text(item)
            if not words or len(words) > _LONGEST or not _is_text(name + words):
                continue
            yield Trait(name, "", words)
            if isinstance(item, str):
                yield from _edges(name, words)


def _is_text(words: str) -> bool:
    """Return whether a file can hold that; half of a surrogate pair is no character of any file."""
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return True


def _edges(name: str, value: str) -> Iterator[Trait]:
    """Yield beginnings and ends of a value where a path, an address or a command is parted."""
    if "\n" in value:
        return
    for match in re.finditer(r"[\\/]", value):
        if match.start() + 1 >= _SHORTEST and match.end() < len(value):
            yield Trait(name, "startswith", value[: match.end()])
        if len(value) - match.start() >= _SHORTEST and match.start():
            yield Trait(name, "endswith", value[match.start() :])
    for match in re.finditer(r"\s", value):
        if match.start() >= _SHORTEST:
            yield Trait(name, "startswith", value[: match.end()])
        if len(value) - match.start() >= _SHORTEST:
            yield Trait(name, "endswith", value[match.start() :])


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def selection_keys(traits: Sequence[Trait]) -> dict[str, Any]:
    """Return a selection as it is written: field and modifier to value."""
    found: dict[str, Any] = {}
    for trait in traits:
        key = f"{trait.field}|{trait.how}" if trait.how else trait.field
        plain = trait.value.isdecimal() and str(int(trait.value)) == trait.value
        found[key] = int(trait.value) if plain and not trait.how else escaped(trait.value)
    return found


def escaped(value: str) -> str:
    r"""Return a value as a rule writes it: what would be read as wildcard or escape is escaped."""
    return re.sub(r"(\\*)([*?]?)", _escape, value)


def _escape(match: re.Match[str]) -> str:
    backslashes, wildcard = match.groups()
    if len(backslashes) > 1 or wildcard:
        backslashes *= 2
    return backslashes + (f"\\{wildcard}" if wildcard else "")


def confirmed(text: str, true: Sequence[Judged], proposal: Proposal) -> bool:
    """Return whether a filter as written does what is said of it, found out as a scan would."""
    compiler = Compiler()
    (document,) = documents(text.encode())
    try:
        condition, _ = compiler.condition(
            document, "filter", read_logsource(document), leave_out=NOT_IN_FILTERS
        )
    except Refusal:
        return False

    def stays(one: Judged) -> bool:
        return evaluate(condition, partial(lookup, one.event), one.event)

    return all(map(stays, true)) and not any(map(stays, proposal.dropped))
