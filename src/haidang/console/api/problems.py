"""What the API says when something is wrong: problem details (RFC 9457), in the language asked for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from ninja import Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from haidang.console.people.refusals import MissingError, RefusedError

if TYPE_CHECKING:
    from django.http import HttpRequest
    from ninja import NinjaAPI

__all__ = ["ERRORS", "FieldProblem", "Problem", "add_handlers", "problem"]

_LOG = logging.getLogger(__name__)


class FieldProblem(Schema):
    """What is wrong with one value."""

    field: str
    """Where it is: its name, or the way to it with points between."""
    message: str


class Problem(Schema):
    """What went wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    errors: list[FieldProblem] = []


ERRORS: dict[int, Any] = {400: Problem, 401: Problem, 403: Problem, 404: Problem, 422: Problem}


def problem(
    status: int, title: str, detail: str = "", errors: list[tuple[str, str]] | None = None
) -> HttpResponse:
    """Return an answer that says what is wrong."""
    said: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    said["errors"] = [{"field": field, "message": message} for field, message in errors or ()]
    response = HttpResponse(orjson.dumps(said), content_type="application/problem+json", status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def add_handlers(api: NinjaAPI) -> None:
    """Have every error of an operation answered as a problem."""
    handlers: dict[type[Exception], Any] = {
        ValidationError: _invalid,
        RefusedError: _refused,
        MissingError: _missing,
        Http404: _missing,
        PermissionDenied: _forbidden,
        AuthenticationError: _unauthenticated,
        HttpError: _http_error,
        Exception: _defect,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _invalid(_request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [(".".join(str(part) for part in one["loc"]), str(one["msg"])) for one in error.errors]
    return problem(422, _("Some values are wrong."), errors=errors)


def _refused(_request: HttpRequest, error: RefusedError) -> HttpResponse:
    errors = [(field, message) for field, messages in error.errors.items() for message in messages]
    return problem(422, _("That cannot be done."), error.message, errors)


def _missing(_request: HttpRequest, error: Exception) -> HttpResponse:
    keys = error.keys if isinstance(error, MissingError) else ()
    return problem(404, _("There is no such record."), ", ".join(map(str, keys)))


def _forbidden(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return problem(
        403,
        _("That is not permitted."),
        _("The role or the token lacks the permission, or the CSRF token is missing."),
    )


def _unauthenticated(_request: HttpRequest, _error: Exception) -> HttpResponse:
    return problem(401, _("Who asks is not known."), _("Send a valid token: Authorization: Bearer hd_… ."))


def _http_error(_request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(error.status_code, str(error))


def _defect(_request: HttpRequest, error: Exception) -> HttpResponse:
    _LOG.error("api-defect", exc_info=error)
    return problem(500, _("This is a defect of the service; its log says more."))
