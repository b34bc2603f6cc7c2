"""What django-axes, which locks out after too many wrong passwords, asks of us.

It compares names as they were given; a name is the same to it however its letters are written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.shortcuts import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

__all__ = ["locked_out", "user_name"]


def user_name(request: HttpRequest | None, credentials: Mapping[str, Any] | None) -> str | None:
    """Return for whom somebody tries to sign in.

    The form names it ``login``, a backend ``username``: both must count for the same person, or else wrong
    passwords are counted for one name and looked up under another.
    """
    said = credentials or {}
    name = said.get("username") or said.get("login")
    if not name and request is not None:
        name = request.POST.get("login")
    return str(name).strip().lower()[:150] if name else None


def locked_out(request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
    """Answer an attempt that came after too many."""
    return render(request, "people/locked.html", status=429)
