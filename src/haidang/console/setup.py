"""Django, made ready for a process that is not a web server: commands, the detector, tests."""

from __future__ import annotations

import os

from haidang.errors import ConfigurationError

__all__ = ["set_up"]


def set_up() -> None:
    """Load settings and models.

    Raises:
        ConfigurationError: The extra ``[console]`` is missing, or a setting is wrong.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "haidang.console.settings")
    try:
        import django

        django.setup()
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the Python package {error.name} is not installed",
            hint='Install it: pip install "haidang[console]"',
        ) from error
