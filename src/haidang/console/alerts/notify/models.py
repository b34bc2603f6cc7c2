"""To whom new alerts are told, and what waits to be told."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.alerts.notify.addresses import (
    addresses,
    checked_addresses,
    checked_url,
    url_shown,
    url_told,
)
from haidang.console.alerts.notify.problems import PROBLEM_CHARS
from haidang.console.lockbox import opened, sealed
from haidang.console.people.scope import Visible
from haidang.console.units.models import Unit

__all__ = ["Channel", "Outgoing", "new_sealed_secret", "new_secret"]

_HIGH = 3
_CRITICAL = 4
_LONGEST_TARGET = 5000


def new_secret() -> str:
    """Return a secret for signatures, as Standard Webhooks writes it."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


def new_sealed_secret() -> str:
    """Return a new secret as the database keeps it."""
    return sealed(new_secret())


class Channel(models.Model):
    """A way to tell somebody of new alerts."""

    class Kind(models.TextChoices):
        """How it is told."""

        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("Webhook")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    target = models.TextField(_("addresses, or URL"), max_length=_LONGEST_TARGET)
    """E-mail addresses with commas between them, or one URL (http or https)."""
    secret = models.CharField(max_length=400, default=new_sealed_secret, editable=False)
    """What webhooks are signed with, sealed (:mod:`haidang.console.lockbox`); shown once, when it is made."""
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="channels", verbose_name=_("unit")
    )
    """Alerts of this unit and those below it alone; None for all."""
    min_level = models.PositiveSmallIntegerField(_("lowest level"), default=_HIGH)
    urgent_level = models.PositiveSmallIntegerField(_("told at once from this level on"), default=_CRITICAL)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    """What is not urgent waits for the end of the quiet hours, which may lie beyond midnight."""
    digest_minutes = models.PositiveIntegerField(
        _("minutes between digests"), default=0, validators=[MaxValueValidator(24 * 60)]
    )
    """What is not urgent is told together, so often; 0 for at once."""
    language = models.CharField(_("language"), max_length=5, default="vi", choices=settings.LANGUAGES)
    enabled = models.BooleanField(_("in use"), default=True)
    last_sent = models.DateTimeField(null=True, editable=False)
    """When something was last taken, a test among it."""
    failing_since = models.DateTimeField(null=True, editable=False)
    """When it was first not taken after that; None as long as all goes well."""
    problem = models.CharField(max_length=PROBLEM_CHARS, blank=True, editable=False)
    """What went wrong the last time, while it fails (:func:`.problems.problem_said`)."""

    waiting: int
    dead: int
    """Counted by :func:`.channels.channels_of`: alerts still to be told, and alerts that were given up."""

    objects = Visible("unit__path")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a target that is none, and half of a span of quiet hours."""
        try:
            self.target = (checked_addresses if self.is_mail else checked_url)(self.target)
        except ValidationError as error:
            raise ValidationError({"target": error}) from None
        if (self.quiet_from is None) != (self.quiet_until is None):
            missing = "quiet_from" if self.quiet_from is None else "quiet_until"
            raise ValidationError({missing: _("Quiet hours have a beginning and an end.")})
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValidationError({"quiet_until": _("Quiet hours end at another time than they begin.")})

    @property
    def is_mail(self) -> bool:
        """Whether it tells by e-mail."""
        return self.kind == self.Kind.EMAIL

    @property
    def recipients(self) -> list[str]:
        """E-mail addresses; none for a webhook."""
        return addresses(self.target) if self.is_mail else []

    @property
    def shown_target(self) -> str:
        """What everybody may see of the target: of a URL the host alone."""
        return self.target if self.is_mail else url_shown(self.target)

    @property
    def signing_secret(self) -> str:
        """The secret, opened.

        Raises:
            LockboxError: The service lacks the key.
        """
        return opened(self.secret)

    def for_audit(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what the audit log keeps of its fields: no secret, and not how it fares."""
        unsaid = {"secret", "last_sent", "failing_since", "problem"}
        kept = {name: value for name, value in values.items() if name not in unsaid}
        return {**kept, "target": self.target if self.is_mail else url_told(self.target)}


class Outgoing(models.Model):
    """An alert that is to be told through a channel."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        DEAD = "dead", _("Given up")

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="outgoing")
    alert = models.ForeignKey("alerts.Alert", models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    due = models.DateTimeField()
    delivery = models.CharField(max_length=40, blank=True)
    """What goes out together has one id, which stays the same whenever it is tried again."""
    attempts = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=PROBLEM_CHARS, blank=True)
    """What went wrong the last time (:func:`.problems.problem_said`)."""
    missed = models.TextField(blank=True)
    """E-mail addresses that did not take it while others did: those alone are tried again. "" for all."""
    created = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    objects = Visible("alert__unit__path")

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=("state", "due"), name="outgoing_due"),
            models.Index(fields=("delivery",), name="outgoing_delivery"),
        )
        constraints = (models.UniqueConstraint(fields=("channel", "alert"), name="outgoing_once"),)

    def __str__(self) -> str:
        return f"{self.channel}: {self.alert}"

    @property
    def unit(self) -> Unit | None:
        """The unit of its alert, by which the audit log finds it."""
        return self.alert.unit
