"""What every page knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haidang._version import __version__
from haidang.console.people.models import User

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["page"]


def page(request: HttpRequest) -> dict[str, Any]:
    """Return the version and what the person may do."""
    user = getattr(request, "user", None)
    return {"version": __version__, "may": _Permissions(user) if isinstance(user, User) else {}}


class _Permissions:
    """Answers ``may.alerts_work`` in a template."""

    def __init__(self, user: User) -> None:
        self._user = user

    def __getitem__(self, name: str) -> bool:
        return self._user.may(name.replace("_", "."))
