"""Rules that were switched off or on, with the reason, and what detection works with; rules are files."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

__all__ = ["Loaded", "RuleState"]


class RuleState(models.Model):
    """Whether a rule is on; a rule without a state is."""

    rule = models.CharField(max_length=200, unique=True)
    """Its id, or its title where it has none."""
    enabled = models.BooleanField(default=True)
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.rule


class Loaded(models.Model):
    """What the process that detects works with, as it says itself: one row for each part."""

    class Part(models.TextChoices):
        """What it is about."""

        RULES = "rules", _("Rules")
        INDICATORS = "indicators", _("Indicators")
        UPDATE = "update", _("Update of the indicators")

    part = models.CharField(max_length=20, choices=Part.choices, unique=True)
    at = models.DateTimeField(null=True)
    """When it was last taken up; null for never."""
    tried = models.DateTimeField()
    """When that was last tried."""
    problem = models.TextField(blank=True)
    """Why the last try failed; empty where it did not. What was there before is still in use."""
    about: models.JSONField[Any, Any] = models.JSONField(default=dict)
    """Figures: of rules, how many; of indicators, the sources they are of."""

    class Meta:
        ordering = ("part",)

    def __str__(self) -> str:
        return self.part
