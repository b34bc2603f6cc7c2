"""Operations on one's own tokens. A token cannot make or revoke one: that takes a session."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Router, Schema, Status
from pydantic import Field

from haidang.console.api.operations import operation
from haidang.console.api.values import Key, Name
from haidang.console.people import actions
from haidang.console.people.access import SIGNED_IN, Request
from haidang.console.people.models import Token

__all__ = ["router"]

router = Router(tags=["tokens"])


class TokenRow(Schema):
    """A token."""

    id: int
    name: str
    permissions: list[str]
    created: datetime
    expires: datetime
    last_used: datetime | None


class NewToken(Schema):
    """A token that is asked for."""

    name: Name
    permissions: Annotated[list[Name], Field(min_length=1, max_length=50)]
    days: Annotated[int, Field(ge=1, le=actions.LONGEST_TOKEN_DAYS)]


class Secret(Schema):
    """A token and its secret, which is shown this once."""

    token: TokenRow
    secret: str


@operation(router, "get", "", SIGNED_IN, response=list[TokenRow])
def list_tokens(request: Request) -> list[Token]:
    """List one's own tokens, the newest first."""
    return list(Token.objects.filter(user=request.user))


@operation(router, "post", "", SIGNED_IN, response=Secret, status=201)
def add_token(request: Request, what: NewToken) -> Status[Any]:
    """Make a token; the answer has its secret, this once."""
    token, secret = actions.issue_token(request, what.name, what.permissions, what.days)
    return Status(201, {"token": token, "secret": secret})


@operation(router, "delete", "/{token}", SIGNED_IN, status=204)
def revoke_token(request: Request, token: Key) -> Status[Any]:
    """Revoke a token of one's own; administrators those of others, too."""
    actions.revoke_token(request, token)
    return Status(204, None)
