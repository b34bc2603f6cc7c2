"""The detection section of a rule, from plain YAML values to pySigma's objects, each fault at its place.

Rules of this module:

- pySigma's modifiers do the work; the walk is our own so that a fault is known to the key that it is in.
- ``utf16le`` is added to pySigma's modifiers, and the encodings keep characters beyond ASCII.
- What would match nothing or everything by accident is refused: an unknown modifier, an empty list, an
  empty selection, an empty keyword, a missing condition.

The content of rules is untrusted.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from haidang.sigma.translate import Refusal

if TYPE_CHECKING:
    from sigma.modifiers import SigmaModifier
    from sigma.policy import SigmaPolicy
    from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections

__all__ = ["build_detections"]

_NOT_DETECTIONS = frozenset({"condition", "timeframe"})
_PLAIN = (str, int, float, bool, type(None))


def build_detections(section: Any, *, leave_out: frozenset[str] = frozenset()) -> SigmaDetections:
    """Return pySigma's form of a ``detection`` (or ``filter``) section; raise Refusal with the place."""
    from sigma.rule import SigmaDetections  # noqa: PLC0415 - 0.2 s that only loading should pay

    if not isinstance(section, dict):
        raise Refusal("the detection section must be a map")
    detections = {
        str(name): _placed(str(name), definition)
        for name, definition in section.items()
        if name not in _NOT_DETECTIONS and name not in leave_out
    }
    if not detections:
        raise Refusal("the detection section holds no selection")
    return SigmaDetections(detections=detections, condition=_conditions(section), policy=_tools().policy)


def _conditions(section: dict[Any, Any]) -> list[str]:
    condition = section.get("condition")
    if condition is None:
        raise Refusal("the condition is missing")
    if section.get("timeframe") is not None:
        raise Refusal("'timeframe' belongs to Sigma 1; write a correlation rule instead", "timeframe")
    conditions = condition if isinstance(condition, list) else [condition]
    if not conditions or not all(isinstance(text, str) and text.strip() for text in conditions):
        raise Refusal("the condition must be a text", "condition")
    return conditions


def _placed(name: str, definition: Any) -> SigmaDetection:
    try:
        return _detection(definition)
    except Refusal as refusal:
        raise Refusal(refusal.reason, name, *refusal.place) from None


def _detection(definition: Any) -> SigmaDetection:
    tools = _tools()
    if isinstance(definition, dict):
        if not definition:
            raise Refusal("a selection is empty")
        return tools.detection([_item(str(key), value) for key, value in definition.items()])
    if isinstance(definition, _PLAIN):
        return tools.detection([_keywords([definition])])
    if isinstance(definition, list):
        if not definition:
            raise Refusal("a selection is empty")
        if all(isinstance(value, _PLAIN) for value in definition):
            return tools.detection([_keywords(definition)])
        return tools.detection([_member(index, value) for index, value in enumerate(definition)])
    raise Refusal(f"a selection cannot be a {type(definition).__name__}")


def _member(index: int, definition: Any) -> SigmaDetection:
    try:
        return _detection(definition)
    except Refusal as refusal:
        raise Refusal(refusal.reason, index, *refusal.place) from None


def _keywords(values: list[Any]) -> SigmaDetectionItem:
    for index, value in enumerate(values):
        if value is None or value == "":
            raise Refusal("an empty keyword would match every event", index)
    return _made(None, [], values)


def _item(key: str, value: Any) -> SigmaDetectionItem:
    field, *names = key.split("|")
    modifiers = []
    for name in names:
        modifier = _tools().modifiers.get(name)
        if modifier is None:
            raise Refusal(f"unknown modifier {name!r}", key)
        modifiers.append(modifier)
    values = value if isinstance(value, list) else [value]
    if not values:
        raise Refusal("an empty list of values matches nothing", key)
    if not field and any(each is None or each == "" for each in values):
        raise Refusal("an empty keyword would match every event", key)
    try:
        return _made(field or None, modifiers, values)
    except Refusal as refusal:
        raise Refusal(refusal.reason, key, *refusal.place) from None


def _made(field: str | None, modifiers: list[Any], values: list[Any]) -> SigmaDetectionItem:
    tools = _tools()
    expression = tools.expression in modifiers
    typed = []
    for index, value in enumerate(values):
        if not isinstance(value, _PLAIN):
            raise Refusal(f"a value cannot be a {type(value).__name__}", index)
        if expression and not isinstance(value, str):
            raise Refusal("the modifier 're' needs a text", index)
        typed.append(tools.literal(value) if expression else tools.typed(value))
    try:
        return tools.item(field, modifiers, typed, policy=tools.policy)
    except tools.error as error:
        raise Refusal(_plain(str(error))) from None


def _plain(message: str) -> str:
    """Return pySigma's message in the words that rules use: ``SigmaCIDRModifier`` is ``cidr``."""
    for class_name, name in _tools().words.items():
        message = message.replace(f"Modifier {class_name}", f"the modifier {name!r}").replace(class_name, name)
    return message[:1].lower() + message[1:]


class _Tools:
    """pySigma's classes, imported once and only when rules are compiled."""

    def __init__(self) -> None:
        from sigma import exceptions, modifiers, rule, types  # noqa: PLC0415 - 0.2 s that only loading pays

        from haidang.sigma.encodings import ENCODINGS  # noqa: PLC0415 - imports pySigma
        from haidang.sigma.expressions import rule_policy  # noqa: PLC0415 - imports pySigma

        self.modifiers: dict[str, type[SigmaModifier[Any, Any]]] = {
            **modifiers.modifier_mapping,
            **ENCODINGS,
        }
        self.words = {kind.__name__: name for name, kind in self.modifiers.items()}
        self.policy: SigmaPolicy = rule_policy()
        self.error = exceptions.SigmaError
        self.detection = rule.SigmaDetection
        self.item = rule.SigmaDetectionItem
        self.typed = types.sigma_type
        self.literal = types.SigmaString.from_str
        self.expression = modifiers.SigmaRegularExpressionModifier


@cache
def _tools() -> _Tools:
    return _Tools()
