"""Put the sections of the documentation in the order in which people need them.

A page is found by its folder, so that a new one needs no list to edit; MkDocs alone would sort the
folders by the alphabet.
"""

from __future__ import annotations

from typing import Any

__all__ = ["on_nav"]

ORDER = ("Tutorial", "How to", "Reference", "Explanation")


def on_nav(nav: Any, **_rest: object) -> Any:
    """Order the sections of ``nav`` (MkDocs calls this); pages above them come first."""
    nav.items.sort(key=lambda item: ORDER.index(item.title) if item.title in ORDER else -1)
    return nav
