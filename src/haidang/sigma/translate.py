"""pySigma's view of a detection section, translated to the plain conditions of ``sigma.ir``.

Rules of this module:

- pySigma gives the meaning of modifiers; what it holds afterwards is written down here, nothing else.
- Keywords look anywhere in a value, so they get a wildcard on both sides.
- ``re`` searches; with ``startswith`` or ``endswith`` it is anchored on that side.
- What cannot be expressed is refused with the place in the rule, never left out.

The content of rules is untrusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang.sigma.condition import ConditionSyntaxError, parse, resolve
from haidang.sigma.ir import ANY, ONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections

    from haidang.sigma.ir import Condition

__all__ = ["Refusal", "Translator", "condition_fields"]


class Refusal(Exception):  # noqa: N818 - it is not an error of the program
    """Something in a rule cannot be supported: why, and where (keys and indices from the top)."""

    def __init__(self, reason: str, *place: str | int) -> None:
        """Keep the reason and the place."""
        super().__init__(reason)
        self.reason = reason
        self.place = place


class Translator:
    """Turns detection sections into conditions; one for a whole load, since it imports pySigma."""

    def __init__(self) -> None:
        """Bring pySigma's types, at the 0.2 s that only loading should pay."""
        from sigma import conditions, modifiers, types

        self._and = conditions.ConditionAND
        self._cased_string = types.SigmaCasedString
        self._placeholder = types.Placeholder
        self._wildcards: dict[Any, int] = {
            types.SpecialChars.WILDCARD_MULTI: ANY,
            types.SpecialChars.WILDCARD_SINGLE: ONE,
        }
        self._comparisons = {
            operator: "ne" if operator.name == "NEQ" else operator.name.lower()
            for operator in types.CompareOperators
        }
        self._flags = types.SigmaRegularExpression.sigma_to_re_flag
        self._starts = modifiers.SigmaStartswithModifier
        self._ends = modifiers.SigmaEndswithModifier
        self._cased = modifiers.SigmaCaseSensitiveModifier
        self._by_type: dict[Any, Callable[[str | None, Any, SigmaDetectionItem], Condition]] = {
            types.SigmaString: self._text,
            types.SigmaCasedString: self._text,
            types.SigmaNumber: self._number,
            types.SigmaBool: lambda field, value, _: ("is", (field, "bool", value.boolean, False)),
            types.SigmaNull: self._null,
            types.SigmaExists: lambda field, value, _: ("is", (field, "exists", value.exists, False)),
            types.SigmaRegularExpression: self._regular,
            types.SigmaCIDRExpression: lambda field, value, _: (
                "is",
                (field, "cidr", str(value.network), False),
            ),
            types.SigmaCompareExpression: self._compare,
            types.SigmaTimestampPart: self._time,
            types.SigmaFieldReference: self._reference,
            types.SigmaExpansion: self._expansion,
        }

    def condition(self, detections: SigmaDetections) -> Condition:
        """Return the whole condition of a detection section; raise Refusal with the place in it."""
        known: dict[str, Condition | None] = {}

        def detection(name: str) -> Condition | None:
            if name not in known:
                try:
                    known[name] = self._detection(detections.detections[name])
                except Refusal as refusal:
                    raise Refusal(refusal.reason, name, *refusal.place) from None
            return known[name]

        parts = []
        for parsed in detections.parsed_condition:  # Pipelines change these, not ``detections.condition``.
            try:
                parts.append(resolve(parse(parsed.condition), detections.detections, detection))
            except ConditionSyntaxError as error:
                raise Refusal(str(error), "condition") from None
        joined = [part for part in parts if part is not None]
        if not joined:
            raise Refusal("nothing is left of the detection after the pipelines", "condition")
        return joined[0] if len(joined) == 1 else ("or", *joined)

    def item(self, item: SigmaDetectionItem) -> tuple[Condition, tuple[Condition, ...]]:
        """Return the condition of one item of a selection, and those of its values; raise Refusal."""
        return self._item(item), tuple(self._value(item.field, value, item) for value in item.value)

    def _detection(self, detection: SigmaDetection) -> Condition | None:
        parts = []
        item: Any
        for item in detection.detection_items:
            part = self._detection(item) if hasattr(item, "detection_items") else self._item(item)
            if part is not None:
                parts.append(part)
        if len(parts) > 1:
            return ("and" if detection.item_linking is self._and else "or", *parts)
        return parts[0] if parts else None

    def _item(self, item: SigmaDetectionItem) -> Condition:
        parts = [self._value(item.field, value, item) for value in item.value]
        if not parts:
            # Only a pipeline can leave no value; pySigma takes that for null.
            parts = [self._null(item.field, None, item)]
        condition = parts[0]
        if len(parts) > 1:
            condition = ("and" if item.value_linking is self._and else "or", *parts)
        return ("not", condition) if item.negated else condition

    def _value(self, field: str | None, value: Any, item: SigmaDetectionItem) -> Condition:
        translate = self._by_type.get(type(value))
        if translate is None:
            raise Refusal(f"a value of the kind {type(value).__name__} is not supported")
        return translate(field, value, item)

    def _text(self, field: str | None, value: Any, _item: SigmaDetectionItem) -> Condition:
        parts = self._parts(value)
        if field is None:
            parts = [ANY, *parts, ANY]
        return ("is", (field, "str", _merged(parts), type(value) is self._cased_string))

    def _parts(self, value: Any) -> list[str | int]:
        wildcards = self._wildcards
        try:
            return [part if isinstance(part, str) else wildcards[part] for part in value.s]
        except (KeyError, TypeError):  # A placeholder is neither text nor wildcard, and not hashable.
            names = [f"%{part.name}%" for part in value.s if isinstance(part, self._placeholder)]
            raise Refusal(f"no values are given for the placeholder {', '.join(names)}") from None

    def _number(self, field: str | None, value: Any, _item: SigmaDetectionItem) -> Condition:
        if field is None:
            return ("is", (None, "str", (ANY, str(value.number), ANY), False))
        return ("is", (field, "num", value.number, False))

    @staticmethod
    def _null(field: str | None, _value: Any, _item: SigmaDetectionItem) -> Condition:
        if field is None:
            raise Refusal("null needs a field")
        return ("is", (field, "null", None, False))

    def _regular(self, field: str | None, value: Any, item: SigmaDetectionItem) -> Condition:
        if value.contains_placeholder():
            raise Refusal(f"no values are given for the placeholders in {value.regexp}")
        pattern = str(value.regexp)
        flags = "".join(sorted(self._flags[flag] for flag in value.flags))
        if self._starts in item.modifiers:
            pattern = rf"\A(?:{pattern})"
        if self._ends in item.modifiers:
            pattern = rf"(?:{pattern})$"
        return ("is", (field, "re", (pattern, flags), "i" not in flags))

    def _compare(self, field: str | None, value: Any, _item: SigmaDetectionItem) -> Condition:
        operator = self._comparisons[value.op]
        part = getattr(value.number, "timestamp_part", None)
        if part is None:
            return ("is", (field, operator, value.number.number, False))
        return ("is", (field, "time", (part.name.lower(), operator, value.number.number), False))

    @staticmethod
    def _time(field: str | None, value: Any, _item: SigmaDetectionItem) -> Condition:
        return ("is", (field, "time", (value.timestamp_part.name.lower(), "eq", value.number), False))

    def _reference(self, field: str | None, value: Any, item: SigmaDetectionItem) -> Condition:
        if field is None:
            raise Refusal("the modifier 'fieldref' needs a field")
        how = {
            (False, False): "equals",
            (True, False): "startswith",
            (False, True): "endswith",
            (True, True): "contains",
        }[value.starts_with, value.ends_with]
        return ("is", (field, "fieldref", (value.field, how), self._cased in item.modifiers))

    def _expansion(self, field: str | None, value: Any, item: SigmaDetectionItem) -> Condition:
        parts = [self._value(field, inner, item) for inner in value.values]
        return parts[0] if len(parts) == 1 else ("or", *parts)


def _merged(parts: list[str | int]) -> tuple[str | int, ...]:
    """Join neighbouring literals, drop empty ones and repeated ``*``."""
    merged: list[str | int] = []
    for part in parts:
        if part == "":
            continue
        last = merged[-1] if merged else None
        if isinstance(part, str) and isinstance(last, str):
            merged[-1] = last + part
        elif isinstance(part, str) or part == ONE or last is None or isinstance(last, str) or last != ANY:
            merged.append(part)
    return tuple(merged)


def condition_fields(condition: Condition) -> tuple[str, ...]:
    """Return every field that a condition mentions, in order of first mention."""
    found: dict[str, None] = {}
    stack = [condition]
    while stack:
        node = stack.pop()
        if node[0] == "is":
            field, kind, value, _ = node[1]
            if field is not None:
                found[field] = None
            if kind == "fieldref":
                found[value[0]] = None
        elif node[0] in {"and", "or", "not"}:
            stack.extend(reversed(node[1:]))
    return tuple(found)
