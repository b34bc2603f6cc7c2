"""Which rows a person may see: by construction, there is no other way to ask.

A model that belongs to a unit has ``objects = Visible("unit__path")``; views and the API ask
``Model.objects.visible_to(user)``, or ``visible_by_key`` where there are many rows. A test walks all views
for any other use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.db import models

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.contrib.auth.models import AnonymousUser

    from haidang.console.people.models import User

__all__ = ["Visible", "VisibleQuerySet"]

_Row = TypeVar("_Row", bound=models.Model)


class VisibleQuerySet(models.QuerySet[_Row]):
    """Rows of a model that belongs to a unit."""

    path_field = "unit__path"

    def _clone(self) -> VisibleQuerySet[_Row]:
        clone: VisibleQuerySet[_Row] = super()._clone()  # type: ignore[misc]
        clone.path_field = self.path_field
        return clone

    def visible_to(self, user: User | AnonymousUser) -> VisibleQuerySet[_Row]:
        """Return the rows of the units that a person may see: all, or its own unit and those below."""
        if not user.is_active or user.is_anonymous:
            return self.none()
        if user.sees_everything:
            return self.all()
        if user.unit is None:
            return self.none()
        return self.filter(**{f"{self.path_field}__startswith": user.unit.path})

    def visible_by_key(
        self, user: User | AnonymousUser, tops: Collection[int] = (), *, enter: bool = True
    ) -> VisibleQuerySet[_Row]:
        """Return the same rows, their units named by key: an index of many rows knows keys, and no paths.

        Args:
            user: Who asks.
            tops: Units to which it is narrowed, with those below them; none narrow nothing.
            enter: Whether an index may be entered by the unit. Databases like to, even where another column
                asks for few rows, and then look up each of the unit's.
        """
        if not tops and (user.is_anonymous or user.sees_everything):
            return self.visible_to(user)
        unit = self.path_field.removesuffix("__path")
        units: Any = self.model._meta.get_field(unit).related_model
        paths = dict(units.objects.visible_to(user).values_list("pk", "path"))
        above = tuple(paths[top] for top in tops if top in paths) if tops else ""
        keys = [key for key, path in paths.items() if path.startswith(above)]
        if enter:
            return self.filter(**{f"{unit}__in": keys})
        rows: Any = self.alias(_unit=models.F(f"{unit}_id") + 0)
        return cast("VisibleQuerySet[_Row]", rows.filter(_unit__in=keys))


class Visible(models.Manager[Any]):
    """A manager whose rows are of a unit, found through ``path_field``."""

    use_in_migrations = False

    def __init__(self, path_field: str = "unit__path") -> None:
        """Find the unit's path through ``path_field``."""
        super().__init__()
        self._path_field = path_field

    def deconstruct(self) -> Any:
        """Keep out of migrations: who sees what is no matter of the database."""
        return False, "django.db.models.Manager", None, (), {}

    def get_queryset(self) -> VisibleQuerySet[Any]:
        """Return all rows; only the service itself asks for them."""
        queryset: VisibleQuerySet[Any] = VisibleQuerySet(self.model, using=self._db)
        queryset.path_field = self._path_field
        return queryset

    def visible_to(self, user: User | AnonymousUser) -> VisibleQuerySet[Any]:
        """Return the rows that a person may see."""
        return self.get_queryset().visible_to(user)

    def visible_by_key(
        self, user: User | AnonymousUser, tops: Collection[int] = (), *, enter: bool = True
    ) -> VisibleQuerySet[Any]:
        """Return the same rows, their units named by key."""
        return self.get_queryset().visible_by_key(user, tops, enter=enter)
