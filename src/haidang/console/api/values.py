"""Values that requests bring, and pages of answers."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, create_model

from haidang.console.people.refusals import RefusedError

if TYPE_CHECKING:
    from django.db.models import QuerySet

__all__ = ["Key", "Keys", "Limit", "LongText", "Moment", "Name", "Page", "Patch", "Words", "page_of"]


_Fields = TypeVar("_Fields", bound=Schema)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL characters cannot be kept")
    return text


def _within_a_calendar(moment: dt.datetime) -> dt.datetime:
    """Return it in UTC: PostgreSQL takes no offset beyond 15:59 hours."""
    try:
        moment = moment.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("the year must lie between 1970 and 9000") from None
    if not 1970 <= moment.year <= 9000:
        raise ValueError("the year must lie between 1970 and 9000")
    return moment


Key = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""Of a record."""
Keys = Annotated[list[Key], Field(min_length=1, max_length=1000)]
_Text = Annotated[str, AfterValidator(_without_nul)]
Name = Annotated[_Text, StringConstraints(max_length=300, strip_whitespace=True)]
"""A text of one line."""
LongText = Annotated[_Text, StringConstraints(max_length=10_000)]
Words = Annotated[_Text, StringConstraints(max_length=200)]
"""What is searched for."""
Moment = Annotated[AwareDatetime, AfterValidator(_within_a_calendar)]
Limit = Annotated[int, Field(ge=1, le=500)]
"""Records of a page."""


if TYPE_CHECKING:

    class Patch(Schema, Generic[_Fields]):
        """Some of the fields of a schema: those that are to change."""

else:

    class Patch:
        """Some of the fields of a schema: those that are to change, ``dict(exclude_unset=True)``."""

        def __class_getitem__(cls, schema: type[Schema]) -> type[Schema]:
            """Return the schema with every field left to choice, none of which is null thereby."""
            fields = {
                name: (
                    Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation,
                    Field(default=None, json_schema_extra=_without_default),
                )
                for name, info in schema.model_fields.items()
            }
            return create_model(f"{schema.__name__}Patch", __base__=Schema, **fields)


def _without_default(said: dict[str, Any]) -> None:
    said.pop("default", None)


class Page(Schema):
    """A page of records."""

    next: str | None = None
    """Hand this over as ``cursor`` for the page behind; null on the last one."""


def page_of(
    rows: QuerySet[Any], limit: int, cursor: str, moment: str = "", *, newest_first: bool = True
) -> tuple[list[Any], str | None]:
    """Return a page of rows and where the next begins, found by key, however deep it is.

    Args:
        rows: What is asked for, in any order.
        limit: Most rows.
        cursor: Where the page begins; "" for the first.
        moment: Name of the time that rows are ordered by, before their key; "" for the key alone.
        newest_first: Whether the greatest comes first.

    Raises:
        RefusedError: The cursor is none.
    """
    sign, than = ("-", "lt") if newest_first else ("", "gt")
    key = rows.model._meta.pk.name
    if not rows.query.extra_order_by:
        # What is searched for comes in its index's order, which is the key's.
        rows = rows.order_by(*([sign + moment] if moment else []), sign + key)
    if cursor:
        at, number = _read(cursor, with_moment=bool(moment))
        beyond = Q(**{f"{key}__{than}": number})
        if moment:
            beyond = Q(**{f"{moment}__{than}": at}) | (Q(**{moment: at}) & beyond)
            # Stated besides, so that an index on the time alone is enough to begin there.
            beyond &= Q(**{f"{moment}__{than}e": at})
        rows = rows.filter(beyond)
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    said = f"{getattr(last, moment).isoformat() if moment else ''}|{last.pk}"
    return found[:limit], base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _read(cursor: str, *, with_moment: bool) -> tuple[dt.datetime | None, int]:
    try:
        said = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode()
        moment, _separator, key = said.partition("|")
        at = dt.datetime.fromisoformat(moment) if with_moment else None
        if at is not None:
            at = _within_a_calendar(at) if at.tzinfo else None
        number = int(key)
    except (ValueError, binascii.Error):
        at, number = None, -1
    if not 0 <= number < 2**63 or (with_moment and at is None):
        raise RefusedError(_("This is no cursor of a page: take it from next."), field="cursor")
    return at, number
