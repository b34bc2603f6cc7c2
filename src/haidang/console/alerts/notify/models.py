"""To whom new alerts are told, and what waits to be told."""

from __future__ import annotations

import secrets
from base64 import b64encode

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.people.scope import Visible
from haidang.console.units.models import Unit

__all__ = ["Channel", "Outgoing", "new_secret"]

_HIGH = 3
_CRITICAL = 4


def new_secret() -> str:
    """Return a secret for signatures, as Standard Webhooks writes it."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


class Channel(models.Model):
    """A way to tell somebody of new alerts."""

    class Kind(models.TextChoices):
        """How it is told."""

        EMAIL = "email", _("E-mail")
        WEBHOOK = "webhook", _("Webhook")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    target = models.TextField(_("addresses, or URL"))
    """E-mail addresses with commas between them, or one URL (http or https)."""
    secret = models.CharField(max_length=100, default=new_secret, editable=False)
    """What webhooks are signed with; shown to those who may edit the channel."""
    unit = models.ForeignKey(
        Unit, models.CASCADE, null=True, blank=True, related_name="channels", verbose_name=_("unit")
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
    language = models.CharField(_("language"), max_length=5, default="vi")
    enabled = models.BooleanField(_("in use"), default=True)

    objects = Visible("unit__path")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


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
    problem = models.CharField(max_length=300, blank=True)
    """What went wrong the last time."""
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
        return f"{self.channel_id} {self.alert_id} {self.state}"
