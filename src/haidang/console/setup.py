"""Django, made ready for a process that is not a web server: commands, the detector, tests."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from haidang.errors import ConfigurationError
from haidang.extras import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["database_errors", "set_up"]


def set_up() -> None:
    """Load settings and models.

    Raises:
        ConfigurationError: The extra ``[console]`` is missing, or a setting is wrong.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "haidang.console.settings")
    with needs("console"):
        import django

        django.setup()


@contextlib.contextmanager
def database_errors() -> Iterator[None]:
    """Turn what the database refuses into an error of ours, for commands.

    Raises:
        ConfigurationError: The database cannot be reached, or was never made ready.
    """
    from django.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        raise ConfigurationError(
            f"the console's database cannot be used: {error}",
            hint="Look at HAIDANG_DATA and DATABASE_URL; haidang serve makes a new database ready.",
        ) from error
