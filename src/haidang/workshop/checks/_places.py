"""Where in a rule's document something stands: the key of a field in a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.workshop.checks import Subject

__all__ = ["field_places"]


def field_places(subject: Subject, selection: str, field: str) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the place of each key of a field in a selection, and what stands there."""
    found = subject.written.document["detection"].get(selection)
    left: list[tuple[tuple[str | int, ...], Any]] = [((), found)]
    while left:
        place, node = left.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if str(key).partition("|")[0] == field:
                    yield ("detection", selection, *place, str(key)), value
        elif isinstance(node, list):
            left.extend(reversed([((*place, at), one) for at, one in enumerate(node)]))
