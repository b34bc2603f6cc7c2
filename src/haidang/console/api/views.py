"""What stands beside the operations: their description, measurements, whether the service lives."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from haidang.console.api import description, health, measurements
from haidang.console.api.operations import token_user
from haidang.console.api.problems import problem
from haidang.console.people.access import ANYONE, SIGNED_IN, Request, allowed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["documentation", "healthz", "metrics", "openapi", "readyz"]

_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


@allowed(ANYONE)
def openapi(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI description, to whoever is signed in or has a token."""
    known = request.user.is_authenticated or _bearer(request) is not None
    return JsonResponse(description.schema()) if known else problem(401, "Unauthorized")


@allowed(SIGNED_IN)
def documentation(request: Request) -> HttpResponse:
    """Show the description as a page."""
    return render(request, "api/documentation.html", {"groups": description.groups()})


@allowed(ANYONE)
def metrics(request: HttpRequest) -> HttpResponse:
    """Return measurements in Prometheus' text format, to this machine or to who has a token for it."""
    if not (_is_local(request) or _may_measure(request)):
        return problem(401, "Unauthorized")
    return HttpResponse(measurements.text(), content_type=measurements.CONTENT_TYPE)


@allowed(ANYONE)
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process lives."""
    del request
    return HttpResponse("ok\n", content_type="text/plain")


@allowed(ANYONE)
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether the service can do its work; 503 where it cannot."""
    del request
    checks: Mapping[str, str] = health.checks()
    ready = all(said == "ok" for said in checks.values())
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


def _bearer(request: HttpRequest) -> Any:
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    return token_user(request, secret) if scheme.lower() == "bearer" and secret else None


def _is_local(request: HttpRequest) -> bool:
    # A proxy on this machine asks for others.
    if settings.SECURE_PROXY_SSL_HEADER or any(name in request.headers for name in _FORWARDED):
        return False
    return request.META.get("REMOTE_ADDR") in _LOOPBACK


def _may_measure(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").partition(" ")[2]
    own = settings.METRICS_TOKEN
    if own and hmac.compare_digest(given.encode(), own.encode()):
        return True
    user = _bearer(request)
    return user is not None and user.may("service.see")
