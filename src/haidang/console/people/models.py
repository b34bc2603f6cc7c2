"""People and their tokens."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.people.roles import ROLE_PERMISSIONS, Role
from haidang.console.people.scope import Visible, VisibleQuerySet
from haidang.console.units.models import Unit

__all__ = ["Token", "User"]

_TOKEN_PREFIX = "hd_"  # noqa: S105 -- how tokens begin, so that scanners for secrets know them  # nosec B105


class People(UserManager["User"]):
    """Finds people; what somebody may see of them is as with everything that has a unit."""

    use_in_migrations = False

    def visible_to(self, user: User) -> VisibleQuerySet[User]:
        """Return the people of the units that a person may see."""
        rows: VisibleQuerySet[User] = VisibleQuerySet(self.model, using=self._db)
        return rows.visible_to(user)


class User(AbstractUser):
    """Somebody who signs in."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.READER)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="people", verbose_name=_("unit")
    )
    language = models.CharField(_("language"), max_length=5, blank=True)
    password_given = models.BooleanField(default=False, editable=False)
    """Whether the password is one that somebody else has seen: then it is changed before anything else."""

    objects: ClassVar[People] = People()

    scope: frozenset[str] | None = None
    """Permissions of the token that this person's request came with; None for a session."""

    @property
    def sees_everything(self) -> bool:
        """Whether what this person sees is not bound to a unit; a liaison is always bound."""
        return self.unit_id is None and self.role != Role.LIAISON

    def may(self, permission: str) -> bool:
        """Return whether the role, and the token where it is one's, has a permission."""
        return permission in self.permissions

    @property
    def permissions(self) -> frozenset[str]:
        """What this person may do."""
        if not self.is_active:
            return frozenset()
        granted = ROLE_PERMISSIONS.get(self.role, frozenset())
        return granted if self.scope is None else granted & self.scope

    def __str__(self) -> str:
        return self.get_full_name() or self.get_username()


class Token(models.Model):
    """Lets a program use the API for somebody, with some of their permissions, for some time."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    permissions: models.JSONField[Any, Any] = models.JSONField(_("permissions"), default=list)
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(_("expires"))
    last_used = models.DateTimeField(null=True, editable=False)

    objects = Visible("user__unit__path")

    class Meta:
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def digest_of(secret: str) -> str:
        """Return what is kept of a token."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def issue(cls, user: User, name: str, permissions: list[str], expires: Any) -> tuple[Token, str]:
        """Make a token; its secret is returned here and never again."""
        secret = _TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user, name=name, permissions=permissions, expires=expires, digest=cls.digest_of(secret)
        )
        return token, secret

    @classmethod
    def find(cls, secret: str) -> Token | None:
        """Return the token with that secret unless it has expired."""
        token = cls.objects.select_related("user", "user__unit").filter(digest=cls.digest_of(secret)).first()
        return token if token and token.expires > timezone.now() and token.user.is_active else None
