"""Rules that were switched off or on, with the reason, and where the detector reads them; rules themselves are files."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

__all__ = ["DetectorRules", "RuleState"]


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


class DetectorRules(models.Model):
    """Where the detector, which may run apart from the pages, has its rules from; one row."""

    paths: models.JSONField[Any, Any] = models.JSONField(default=list)
    """Files and folders, whole."""
    builtin = models.BooleanField(default=False)
    """Whether the built-in ones are among them though there are paths."""
    host = models.CharField(max_length=255)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.host
