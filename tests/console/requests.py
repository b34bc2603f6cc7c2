"""Requests as views get them, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.test import RequestFactory

if TYPE_CHECKING:
    from haidang.console.people.access import Request
    from haidang.console.people.models import User

__all__ = ["request_of"]


def request_of(user: User) -> Request:
    """Return a request of somebody who is signed in."""
    request: Any = RequestFactory().post("/")
    request.user = user
    return cast("Request", request)
