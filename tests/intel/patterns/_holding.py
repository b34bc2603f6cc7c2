"""Whether a pattern holds for one event."""

from __future__ import annotations

from typing import Any

from haidang.detect.binding import Gathered
from haidang.detect.facets import spellings
from haidang.detect.naive import evaluate
from haidang.intel.patterns import compile_pattern

__all__ = ["holds"]


def holds(pattern: str, event: dict[str, Any]) -> bool:
    """Return whether a pattern of one observation holds; ``event`` has facets as fields."""
    if "file" in event:
        event = {**event, "folder": event["file"]}
    compiled = compile_pattern(pattern)
    assert not compiled.lookups
    assert not compiled.sequences

    def get(facet: str) -> Any:
        return Gathered((facet,), spellings(facet)).get(event)

    return any(evaluate(condition, get, {}) for condition in compiled.conditions)
