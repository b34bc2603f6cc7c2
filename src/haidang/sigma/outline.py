"""The detection of a rule with its selections and items kept apart, for those who explain or check it.

Compiling melts a rule into one condition. An outline keeps what a person sees in the file: selections by
name, in each of them items, in each of these values; every one with its own condition, so that it can be
said of each whether it holds.

The content of rules is untrusted; what cannot be supported raises Refusal as loading does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.sigma.condition import parse, resolve
from haidang.sigma.documents import read_logsource

if TYPE_CHECKING:
    from haidang.sigma.documents import Compiler
    from haidang.sigma.ir import Condition

__all__ = ["Item", "Outline", "Part", "Selection", "outline"]


@dataclass(frozen=True, slots=True)
class Item:
    """One key of a selection with its values, or a list of keywords."""

    field: str
    """"" for keywords."""
    condition: Condition
    values: tuple[Condition, ...]
    """The condition of each value by itself."""
    every: bool
    """Whether all values must hold, not one of them."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A named detection, or a map inside one that is a list."""

    name: str
    condition: Condition
    parts: tuple[Part, ...]
    every: bool
    """Whether all parts must hold, not one of them."""

    def items(self) -> tuple[Item, ...]:
        """Return the items in it, those of inner maps too."""
        return tuple(
            item for part in self.parts for item in (part.items() if isinstance(part, Selection) else (part,))
        )


Part: TypeAlias = "Item | Selection"


@dataclass(frozen=True, slots=True)
class Outline:
    """A whole detection."""

    selections: dict[str, Selection]
    conditions: tuple[tuple[str, Condition], ...]
    """Each condition as written, and its tree: and, or, not over ("name", selection)."""


def outline(document: dict[str, Any], compiler: Compiler) -> Outline:
    """Return the outline of a rule's document, after the pipelines of ``compiler``.

    Raises:
        Refusal: The rule cannot be supported.
    """
    detections = compiler.builder.build(document["detection"])
    if compiler.pipeline is not None:
        detections, _ = compiler.pipeline.apply(document, detections, read_logsource(document))
    compiler.translator.condition(detections)  # What is refused there is refused here.
    selections = {
        name: _selection(name, detection, compiler) for name, detection in detections.detections.items()
    }
    trees = []
    for parsed in detections.parsed_condition:
        text = parsed.condition
        tree = resolve(parse(text), selections, lambda name: ("name", name))
        if tree is not None:
            trees.append((text, tree))
    return Outline(selections, tuple(trees))


def _selection(name: str, detection: Any, compiler: Compiler) -> Selection:
    every = detection.item_linking.__name__ == "ConditionAND"
    parts: list[Part] = [
        _selection("", one, compiler) if hasattr(one, "detection_items") else _item(one, compiler)
        for one in detection.detection_items
    ]
    conditions = [part.condition for part in parts]
    joined = conditions[0] if len(conditions) == 1 else ("and" if every else "or", *conditions)
    return Selection(name, joined, tuple(parts), every)


def _item(item: Any, compiler: Compiler) -> Item:
    condition, values = compiler.translator.item(item)
    return Item(item.field or "", condition, values, item.value_linking.__name__ == "ConditionAND")
