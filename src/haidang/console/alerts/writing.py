"""Writing many rows at once, new ones and changed ones, alike on every database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model

__all__ = ["CHUNK", "write"]

CHUNK = 500
"""Rows of one statement."""


def write(rows: Iterable[Model], fields: Sequence[str]) -> None:
    """Insert the rows without a key and, of the others, bring ``fields`` up to date.

    The others are written as an insertion that meets itself: one statement for many rows, where an UPDATE
    with a CASE for each takes a time that grows with the square of their number.
    """
    old: list[Model] = []
    new: list[Model] = []
    for row in rows:
        (new if row.pk is None else old).append(row)
    if new:
        _manager(new).bulk_create(new, batch_size=CHUNK)
    if old:
        _manager(old).bulk_create(
            old, batch_size=CHUNK, update_conflicts=True, update_fields=fields, unique_fields=("pk",)
        )


def _manager(rows: Sequence[Model]) -> Any:
    return type(rows[0])._default_manager
