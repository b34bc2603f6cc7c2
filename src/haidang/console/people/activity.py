"""When, and from where, sessions were last used: what the list of sessions shows.

allauth writes it down with each request. Here it is written once a minute for each session, and at once where
the address or the program changes, so that looking at a page does not wait for its turn to write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter
from allauth.usersessions.middleware import UserSessionsMiddleware
from django.core.cache import cache

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["EVERY_SECONDS", "ActivityMiddleware"]

EVERY_SECONDS = 60


class ActivityMiddleware(UserSessionsMiddleware):  # type: ignore[misc]
    """Has allauth write down what is new."""

    def __call__(self, request: HttpRequest) -> Any:
        """Hand the request on; what it says of its session is written first, where that is due."""
        if not request.user.is_authenticated or not request.session.session_key:
            return self.get_response(request)
        key = f"activity.{request.session.session_key}"
        client = [get_adapter().get_client_ip(request), request.headers.get("User-Agent", "")]
        if cache.get(key) == client:
            return self.get_response(request)
        answer = super().__call__(request)
        cache.set(key, client, EVERY_SECONDS)
        return answer
