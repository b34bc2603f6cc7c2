"""Says in plain words that the extra ``[crypto]`` is missing.

Example::

    with needs_extra():
        import pyrage
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["needs_extra"]


@contextlib.contextmanager
def needs_extra() -> Iterator[None]:
    """Turn a missing library into an error that says what to install.

    Raises:
        ConfigurationError: A library that is imported inside is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the Python package {error.name} is not installed",
            hint='Install it: pip install "haidang[crypto]"',
        ) from error
