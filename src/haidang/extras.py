"""Says in plain words that an extra (``haidang[crypto]``, ``haidang[console]`` …) is missing.

Example::

    with needs("console"):
        import uvicorn
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["needs"]


@contextlib.contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing library into an error that says what to install.

    Raises:
        ConfigurationError: A library that is imported inside is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the Python package {error.name} is not installed",
            hint=f'Install it, in the folder of the source: pip install ".[{extra}]"',
        ) from error
