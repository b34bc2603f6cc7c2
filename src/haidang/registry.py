"""A folder as a registry: its public modules are its entries, and there is no list to edit.

Example::

    {module.READER.name: module.READER for module in registered(__name__, __path__)}
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["registered"]


def registered(package: str, path: Iterable[str]) -> Iterator[Any]:
    """Yield the modules of a package whose names do not begin with an underscore.

    Args:
        package: Its ``__name__``.
        path: Its ``__path__``.
    """
    for module in iter_modules(path):
        if not module.name.startswith("_"):
            yield import_module(f"{package}.{module.name}")
