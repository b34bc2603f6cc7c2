"""The user's values for ``%placeholders%``: YAML files of ``name: [values]``.

Rules of this module:

- A value may hold wildcards, as in rules. Several files add up; a later file replaces a name of an earlier.
- In a rule each placeholder of an ``expand`` value stands for any of its values; several in one value
  stand for every combination, up to a bound.

The files are the user's own: trusted, but checked.
"""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Placeholders", "expanded", "load_placeholders", "names_in"]

Placeholders: TypeAlias = dict[str, tuple[str, ...]]

_NAME = re.compile(r"%([^%\\]+)%")
_MOST_VALUES = 100_000


def load_placeholders(paths: Iterable[str | Path]) -> Placeholders:
    """Return the values of every placeholder in ``paths``; raise ConfigurationError with file and line."""
    found: Placeholders = {}
    for path in map(Path, paths):
        try:
            data = path.read_bytes()
        except OSError as error:
            message = f"{path}: the placeholder file cannot be read: {error.strerror or error}"
            raise ConfigurationError(message) from None
        found |= _parsed(data, str(path))
    return found


def _parsed(data: bytes, path: str) -> Placeholders:
    from haidang.sigma.yaml_source import YamlError, documents, line_of

    try:
        document = next(iter(documents(data)), None) or {}
    except YamlError as error:
        raise ConfigurationError(f"{path}:{error.line}: {error.reason}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}:1: placeholders are a map", hint="Write `name: [value, value]`.")
    found: Placeholders = {}
    for name, values in document.items():
        try:
            found[str(name)] = _texts(values)
        except TypeError as error:
            line = line_of(data, 0, (str(name),))
            hint = "Write `name: [value, value]` with texts or numbers."
            raise ConfigurationError(f"{path}:{line}: placeholder {name!r}: {error}", hint=hint) from None
    return found


def _texts(values: Any) -> tuple[str, ...]:
    listed = values if isinstance(values, list) else [values]
    if not listed:
        raise TypeError("it has no values")
    if not all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in listed):
        raise TypeError("a value is neither a text nor a number")
    return tuple(map(str, listed))


def names_in(text: str) -> list[str]:
    """Return the names of the placeholders in ``text``."""
    return _NAME.findall(text)


def expanded(text: str, placeholders: Mapping[str, Sequence[str]]) -> list[str]:
    """Return every text that ``text`` stands for; raise ValueError beyond the bound."""
    pieces = _NAME.split(text)
    choices = [placeholders[piece] if index % 2 else (piece,) for index, piece in enumerate(pieces)]
    number = 1
    for choice in choices:
        number *= len(choice)
    if number > _MOST_VALUES:
        raise ValueError(f"the placeholders of {text!r} expand to more than {_MOST_VALUES} values")
    return ["".join(parts) for parts in product(*choices)]
