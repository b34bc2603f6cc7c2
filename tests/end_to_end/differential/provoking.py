"""Events made from the rules themselves: of what a rule looks for, and of what only nearly is that.

Recordings satisfy few rules. Here every rule gets events that hold a random choice of its selections, with
the case of letters changed, a character wrong, a field missing or the filters fulfilled as well. Whether a
rule is satisfied is not known here; that is for the two engines to agree on. The same rule always
gets the same events.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sigma.conditions import ConditionAND
from sigma.rule import SigmaDetection, SigmaDetectionItem
from sigma.types import (
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)

from tests.end_to_end.differential.expressions import sample
from tests.end_to_end.differential.recordings import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sigma.rule import SigmaRule

    from haidang.sigma.ir import LogsourceEntry
    from tests.end_to_end.differential.peer import Logsource

__all__ = ["made_events"]

_FILLERS = ("", "", "x", "7", " ", "a b", "\\", "_", "%", "C:\\Windows\\", "é", "\n")
_SLOT = re.compile(r"\{([^{}]+)\}")


def made_events(logsource: Logsource, each: int) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield ``each`` events for every rule, as the log source's entries would write them."""
    for rule in logsource.rules:
        chance = random.Random(str(rule.id))
        for number in range(1, each + 1):
            fields = _Maker(chance).event(rule)
            yield Place(str(rule.id), number), _written(fields, chance.choice(logsource.entries), chance)


@dataclass
class _Wanted:
    """What one field must hold, put together from several items."""

    whole: Any = None
    first: str = ""
    inside: list[str] = field(default_factory=list)
    last: str = ""

    def value(self) -> Any:
        return self.first + " ".join(self.inside) + self.last if self.whole is None else self.whole


class _Maker:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.wanted: dict[str, _Wanted] = {}
        self.absent: set[str] = set()

    def event(self, rule: SigmaRule) -> dict[str, Any]:
        for name, detection in rule.detection.detections.items():
            if self.chance.random() < (0.2 if name.startswith("filter") else 0.85):
                self._detection(detection)
        fields = {name: wanted.value() for name, wanted in self.wanted.items() if name not in self.absent}
        return {name: self._spoilt(value) for name, value in fields.items() if self.chance.random() > 0.04}

    def _detection(self, detection: SigmaDetection) -> None:
        items: list[Any] = list(detection.detection_items)
        if detection.item_linking is not ConditionAND:
            items = [self.chance.choice(items)]
        for item in items:
            if isinstance(item, SigmaDetection):
                self._detection(item)
            else:
                self._item(item)

    def _item(self, item: SigmaDetectionItem) -> None:
        values = list(item.value)
        if item.value_linking is not ConditionAND and values:
            values = [self.chance.choice(values)]
        for value in values:
            self._value(
                item.field or self.chance.choice(["Message", "Whatever"]), value, keyword=not item.field
            )

    def _value(self, name: str, value: Any, *, keyword: bool) -> None:
        wanted = self.wanted.setdefault(name, _Wanted())
        match value:
            case SigmaString():
                self._text(wanted, value, keyword=keyword)
            case SigmaExpansion():
                self._value(name, self.chance.choice(value.values), keyword=keyword)
            case SigmaCompareExpression():
                near = int(getattr(value.number, "number", 0)) + self.chance.choice([-1, 0, 1])
                wanted.whole = self.chance.choice([near, str(near)])
            case SigmaNumber():
                number = value.number
                wanted.whole = self.chance.choice([number, str(number), f"0{number}", str(number) + "1"])
            case SigmaBool():
                wanted.whole = self.chance.choice(["true", "True", "FALSE", "false", True, False])
            case SigmaNull():
                self.absent.add(name)
            case SigmaExists():
                wanted.whole = "x"
            case SigmaRegularExpression():
                wanted.inside.append(sample(str(value.regexp), self.chance))
            case SigmaCIDRExpression():
                address = value.network.network_address + self.chance.choice([0, 1, 5])
                wanted.whole = str(address)
            case SigmaFieldReference():
                wanted.whole = self.wanted.setdefault(value.field, _Wanted(whole="some")).value()

    def _text(self, wanted: _Wanted, value: SigmaString, *, keyword: bool) -> None:
        pieces = [
            self.chance.choice(_FILLERS)
            if part == SpecialChars.WILDCARD_MULTI
            else self.chance.choice("xé7")
            if part == SpecialChars.WILDCARD_SINGLE
            else str(getattr(part, "name", part))
            for part in value.s
        ]
        opened = bool(value.s) and value.s[0] == SpecialChars.WILDCARD_MULTI
        closed = bool(value.s) and value.s[-1] == SpecialChars.WILDCARD_MULTI
        made = "".join(pieces)
        if keyword or (opened and closed):
            wanted.inside.append(made)
        elif opened:
            wanted.last = made
        elif closed:
            wanted.first = made
        else:
            wanted.whole = made

    def _spoilt(self, value: Any) -> Any:
        if not isinstance(value, str) or not value:
            return value
        at = self.chance.randrange(len(value))
        how = self.chance.random()
        if how < 0.15:
            return value.swapcase()
        if how < 0.25:
            return value.upper()
        if how < 0.31:
            return value[:at] + self.chance.choice("xé\n *") + value[at:]
        return value[:at] + value[at + 1 :] if how < 0.35 else value


def _written(fields: dict[str, Any], entry: LogsourceEntry, chance: random.Random) -> dict[str, Any]:
    """Return an event in the entry's own names that the rules see with these fields, as far as can be."""
    event: dict[str, Any] = {}
    for name, value in fields.items():
        source = chance.choice(entry.fields.get(name, (name,)))
        slots = _SLOT.findall(source)
        if not slots:
            event[source] = value
        else:
            parts = str(value).rsplit("\\", len(slots) - 1)
            event.update(zip(slots, parts, strict=False))
    event.setdefault("EventID", 1)
    event.setdefault("Channel", "Application")
    for name, accepted in entry.when.items():
        value = chance.choice(accepted)
        event[name] = int(value) if name == "EventID" and chance.random() < 0.5 else value
    return event
