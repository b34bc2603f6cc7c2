"""Sources of logs, and what is known of their health."""

from __future__ import annotations

import hashlib
import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _

from haidang.console.people.scope import Visible
from haidang.console.units.models import Unit

__all__ = ["Source", "SourceMinute"]


class Source(models.Model):
    """Somebody who sends logs: known by a token or the SHA-256 fingerprint of a certificate."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="sources", verbose_name=_("unit"))
    name = models.CharField(_("name"), max_length=100, unique=True)
    token_digest = models.CharField(  # noqa: DJ001 -- no two have the same, and many have none
        max_length=64, unique=True, null=True, editable=False
    )
    certificate = models.CharField(_("certificate (SHA-256)"), max_length=64, blank=True)
    format = models.CharField(_("format"), max_length=40, blank=True)
    rate = models.PositiveIntegerField(_("most events a second"), default=0)
    body_bytes = models.PositiveIntegerField(_("most bytes a request"), default=64 << 20)
    quiet_after = models.PositiveIntegerField(_("minutes until silence is an alert"), default=60)
    enabled = models.BooleanField(_("in use"), default=True)
    created = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(_("last seen"), null=True, editable=False)

    objects = Visible("unit__path")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def new_token(self) -> str:
        """Give the source a new token, returned here and never again; the old one holds no more."""
        secret = "hds_" + secrets.token_urlsafe(24)
        self.token_digest = hashlib.sha256(secret.encode()).hexdigest()
        return secret


class SourceMinute(models.Model):
    """What a source sent in a minute."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="minutes")
    minute = models.DateTimeField()
    events = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    quarantined = models.PositiveBigIntegerField(default=0)
    lag = models.FloatField(default=0)
    """Seconds from reception to detection, the most in that minute."""

    objects = Visible("source__unit__path")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("source", "minute"), name="source_minute"),)

    def __str__(self) -> str:
        return f"{self.source_id} {self.minute:%H:%M}"
