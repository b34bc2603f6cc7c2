"""The detection section of a rule, from plain YAML values to pySigma's objects, each fault at its place.

Rules of this module:

- pySigma's modifiers do the work; the walk is our own so that a fault is known to the key that it is in.
- ``utf16le`` is added to pySigma's modifiers, and the encodings keep characters beyond ASCII.
- What would match nothing or everything by accident is refused: an unknown modifier, an empty list, an
  empty selection, an empty keyword, a missing condition.

The content of rules is untrusted.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from haidang.sigma.expressions import ExpressionError
from haidang.sigma.placeholders import Placeholders, expanded, names_in
from haidang.sigma.translate import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from sigma.modifiers import SigmaModifier
    from sigma.policy import SigmaPolicy
    from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections

__all__ = ["DetectionBuilder"]

_NOT_DETECTIONS = frozenset({"condition", "timeframe"})
_NUMBERS = frozenset({"gt", "gte", "lt", "lte"})
_TEXTS = frozenset(
    {"contains", "startswith", "endswith", "cidr", "base64", "base64offset", "wide", "windash", "fieldref"}
)
_ANY_KIND = frozenset({"all", "expand", "neq"})
_PLAIN = (str, int, float, bool, type(None))


class DetectionBuilder:
    """Builds detection sections with the same placeholders; one for a whole load."""

    def __init__(self, placeholders: Placeholders | None = None, *, pipelines: bool = False) -> None:
        """Keep the values of placeholders; with ``pipelines``, unknown ones are left to these."""
        self._placeholders = placeholders or {}
        self._pipelines = pipelines
        self._tools = _tools()

    def build(self, section: Any, *, leave_out: frozenset[str] = frozenset()) -> SigmaDetections:
        """Return pySigma's form of a ``detection`` (or ``filter``) section; raise Refusal with the place."""
        if not isinstance(section, dict):
            raise Refusal("the detection section must be a map")
        conditions = _conditions(section)
        detections = {
            str(name): self._placed(str(name), definition)
            for name, definition in section.items()
            if name not in _NOT_DETECTIONS and name not in leave_out
        }
        if not detections:
            raise Refusal("the detection section holds no selection")
        return self._tools.section(detections=detections, condition=conditions, policy=self._tools.policy)

    def _placed(self, name: str | int, definition: Any) -> SigmaDetection:
        try:
            return self._detection(definition)
        except Refusal as refusal:
            raise Refusal(refusal.reason, name, *refusal.place) from None

    def _detection(self, definition: Any) -> SigmaDetection:
        if isinstance(definition, dict):
            items: list[Any] = [self._item(str(key), value) for key, value in definition.items()]
        elif isinstance(definition, _PLAIN):
            items = [self._keywords([definition])]
        elif not isinstance(definition, list):
            raise Refusal(f"a selection cannot be a {type(definition).__name__}")
        elif all(isinstance(value, _PLAIN) for value in definition):
            items = [self._keywords(definition)] if definition else []
        else:
            items = [self._placed(index, value) for index, value in enumerate(definition)]
        if not items:
            raise Refusal("a selection is empty")
        return self._tools.detection(items)

    def _keywords(self, values: list[Any]) -> SigmaDetectionItem:
        _check_keywords(values)
        return self._made(None, [], values)

    def _item(self, key: str, value: Any) -> SigmaDetectionItem:
        field, *modifiers = key.split("|")
        values = value if isinstance(value, list) else [value]
        unknown = [name for name in modifiers if name not in self._tools.modifiers]
        if unknown:
            close = get_close_matches(unknown[0].lower(), self._tools.modifiers, n=1, cutoff=0.7)
            if close:
                raise Refusal(f"unknown modifier {unknown[0]!r}; is {close[0]!r} meant?", key)
            raise Refusal(f"unknown modifier {unknown[0]!r}", key)
        if not values:
            raise Refusal("an empty list of values matches nothing", key)
        try:
            if not field:
                _check_keywords(values)
            return self._made(field or None, modifiers, values)
        except Refusal as refusal:
            raise Refusal(refusal.reason, key, *refusal.place) from None

    def _made(self, field: str | None, modifiers: list[str], values: list[Any]) -> SigmaDetectionItem:
        typed: list[Any] = []
        for index, value in enumerate(values):
            try:
                typed.append(self._typed(value, modifiers))
            except Refusal as refusal:
                raise Refusal(refusal.reason, index) from None
        # What is left to ``expand`` is for the pipelines.
        left = "expand" in modifiers and any(self._missing(value) for value in values)
        names = modifiers if left else [name for name in modifiers if name != "expand"]
        classes = [self._tools.modifiers[name] for name in names]
        self._check_kinds(modifiers, typed, values)
        try:
            return self._tools.item(field, classes, typed, policy=self._tools.policy)
        except (self._tools.error, ExpressionError) as error:
            raise Refusal(_plain(str(error))) from None

    def _typed(self, value: Any, modifiers: list[str]) -> Any:
        if not isinstance(value, _PLAIN):
            raise Refusal(f"a value cannot be a {type(value).__name__}")
        typed: Callable[[Any], Any] = self._tools.typed
        if "re" in modifiers:
            if not isinstance(value, str):
                raise Refusal("the modifier 're' needs a text")
            typed = self._tools.literal
        if "expand" not in modifiers or not isinstance(value, str):
            return typed(value)
        missing = self._missing(value)
        if missing and not self._pipelines:
            raise Refusal(f"no values are given for the placeholder {', '.join(missing)}")
        if missing:
            return typed(value)
        try:
            texts = expanded(value, self._placeholders)
        except ValueError as error:
            raise Refusal(str(error)) from None
        return typed(texts[0]) if len(texts) == 1 else self._tools.expansion([typed(text) for text in texts])

    def _check_kinds(self, modifiers: list[str], typed: list[Any], values: list[Any]) -> None:
        """Say in plain words what pySigma refuses for the kind of a value, and at which value."""
        first = next((name for name in modifiers if name not in _ANY_KIND), "")
        for index, (kind, value) in enumerate(zip(typed, values, strict=True)):
            if first in _NUMBERS and isinstance(value, str):
                raise Refusal(f"the modifier {first!r} needs a number, and {value!r} is a text", index)
            if first == "exists" and not isinstance(value, bool):
                raise Refusal(f"the modifier 'exists' needs true or false, not {value!r}", index)
            if first in _TEXTS and value is not None and isinstance(kind, self._tools.plain_kinds):
                raise Refusal(f"the modifier {first!r} needs a text: put {value!r} in quotes", index)

    def _missing(self, value: Any) -> list[str]:
        names = names_in(value) if isinstance(value, str) else []
        return [f"%{name}%" for name in names if name not in self._placeholders]


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


def _check_keywords(values: list[Any]) -> None:
    for index, value in enumerate(values):
        if value is None or value == "":
            raise Refusal("an empty keyword would match every event", index)


def _plain(message: str) -> str:
    """Return pySigma's message in the words that rules use: ``SigmaCIDRModifier`` is ``cidr``."""
    for class_name, name in _tools().words.items():
        message = message.replace(f"Modifier {class_name}", f"the modifier {name!r}").replace(
            class_name, name
        )
    return message[:1].lower() + message[1:]


class _Tools:
    """pySigma's classes, imported once and only when rules are compiled."""

    def __init__(self) -> None:
        from sigma import exceptions, modifiers, rule, types

        from haidang.sigma.encodings import ENCODINGS
        from haidang.sigma.expressions import rule_policy

        self.modifiers: dict[str, type[SigmaModifier[Any, Any]]] = {
            **modifiers.modifier_mapping,
            **cast("dict[str, type[SigmaModifier[Any, Any]]]", ENCODINGS),
        }
        self.words = {kind.__name__: name for name, kind in self.modifiers.items()}
        self.policy: SigmaPolicy = rule_policy()
        self.error = exceptions.SigmaError
        self.section = rule.SigmaDetections
        self.detection = rule.SigmaDetection
        self.item = rule.SigmaDetectionItem
        self.typed = types.sigma_type
        self.literal = types.SigmaString.from_str
        self.expansion = types.SigmaExpansion
        self.plain_kinds = (types.SigmaNumber, types.SigmaBool)


@cache
def _tools() -> _Tools:
    return _Tools()
