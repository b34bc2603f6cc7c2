"""Says in plain words that the extra ``[crypto]`` is missing.

Example::

    with needs_extra():
        import pyrage
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.extras import needs

if TYPE_CHECKING:
    import contextlib

__all__ = ["needs_extra"]


def needs_extra() -> contextlib.AbstractContextManager[None]:
    """Turn a missing library into an error that says what to install.

    Raises:
        ConfigurationError: A library that is imported inside is not installed.
    """
    return needs("crypto")
