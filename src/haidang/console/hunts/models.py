"""Hunts: what somebody asked of the archive, how far it is, and what was found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.alerts.models import Alert

__all__ = ["STALE", "Hunt"]

STALE = timedelta(seconds=30)
"""After this without a beat, whoever ran a hunt is gone."""


class Hunt(models.Model):
    """One question; it and its answer are of who asked it alone."""

    class Kind(models.TextChoices):
        """What is asked."""

        WORDS = "words", _("Words and fields")
        SQL = "sql", _("SQL")
        RULES = "rules", _("A rule")
        BEFORE = "before", _("Has this happened before?")

    class State(models.TextChoices):
        """Where it stands."""

        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="hunts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    question: models.JSONField[Any, Any] = models.JSONField()
    """As :class:`~haidang.console.hunts.questions.Question` has it."""
    sources: models.JSONField[Any, Any] = models.JSONField(null=True)
    """Keys of the sources that were looked at; null for all."""
    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="hunts")
    """The alert that it asks about."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    beat = models.DateTimeField(default=timezone.now)
    """When whoever runs it last said so."""
    done = models.PositiveIntegerField(default=0)
    """Files of the archive that rules went through, of ``total``."""
    total = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)
    """Why it failed."""
    answer: models.JSONField[Any, Any] = models.JSONField(null=True)
    """As :class:`~haidang.console.hunts.questions.Answer` has it."""

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("state", "beat"), name="hunt_state"),)
        constraints = (
            models.UniqueConstraint(
                fields=("by",),
                condition=models.Q(state__in=("waiting", "running")),
                name="hunt_one_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def pending(self) -> bool:
        """Whether an answer is still to come."""
        return self.state in {self.State.WAITING, self.State.RUNNING}
