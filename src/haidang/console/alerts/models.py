"""Alerts: findings of the same rule on the same entity within a window, with a state and an owner."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.people.scope import Visible
from haidang.console.sources.models import Source
from haidang.console.units.models import Asset, Unit

__all__ = [
    "Alert",
    "Batch",
    "Channel",
    "Correlated",
    "Example",
    "Level",
    "Member",
    "Note",
    "Outgoing",
    "Risk",
    "RuleDay",
    "SavedView",
    "Silence",
]


_SEEN, _FACETS = ("-last_seen", "-id"), ("state", "level", "rule", "closed_at")


class Level(models.IntegerChoices):
    """Sigma's levels, in order."""

    INFORMATIONAL = 0, _("Informational")
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    CRITICAL = 4, _("Critical")


class Alert(models.Model):
    """What people triage."""

    class State(models.TextChoices):
        """Where the work on it stands."""

        NEW = "new", _("New")
        ACKNOWLEDGED = "acknowledged", _("Acknowledged")
        CLOSED = "closed", _("Closed")

    class Disposition(models.TextChoices):
        """What it turned out to be."""

        TRUE_POSITIVE = "true-positive", _("True positive")
        BENIGN = "benign", _("Benign")
        FALSE_POSITIVE = "false-positive", _("False positive")

    rule = models.CharField(max_length=200)
    """The rule's id, or its title where it has none."""
    title = models.CharField(max_length=300)
    level = models.PositiveSmallIntegerField(choices=Level.choices)
    tags: models.JSONField[Any, Any] = models.JSONField(default=list)
    techniques: models.JSONField[Any, Any] = models.JSONField(default=list)
    """ATT&CK technique ids."""
    entity = models.CharField(max_length=255)
    """Whom it is about: a host, a user, an address, or a correlation's group."""
    entity_kind = models.CharField(max_length=20, default="host")
    # Unit, source and owner each begin an index of the queue: one of their own would only be taken for it.
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="alerts", db_index=False)
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="alerts")
    source = models.ForeignKey(Source, models.SET_NULL, null=True, related_name="alerts", db_index=False)
    count = models.PositiveBigIntegerField(default=1)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    created = models.DateTimeField(default=timezone.now)
    risk = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=20, choices=State.choices, default=State.NEW)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="alerts",
        db_index=False,
    )
    disposition = models.CharField(max_length=20, choices=Disposition.choices, blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    """Null as long as it is open: lists of what is open ask for this, which has an index of its own."""
    search = models.TextField(blank=True)
    """Lower-case words that it is found by: title, entity, tags, values that matched."""

    objects = Visible("unit__path")

    class Meta:
        ordering = ("-last_seen", "-id")
        # The queue reads its order, and the counts of its facets, out of an index alone: rows are wide.
        indexes = (
            models.Index(fields=(*_SEEN, *_FACETS, "unit", "source", "owner"), name="alert_seen"),
            models.Index(fields=("unit", *_SEEN, *_FACETS, "source", "owner"), name="alert_unit"),
            models.Index(fields=("owner", *_SEEN, *_FACETS, "unit", "source"), name="alert_owner"),
            models.Index(fields=("source", *_SEEN, *_FACETS, "unit", "owner"), name="alert_source"),
            # What is open is little beside what was ever closed.
            models.Index(
                fields=(*_SEEN, *_FACETS, "unit", "source", "owner"),
                condition=models.Q(closed_at__isnull=True),
                name="alert_open",
            ),
            models.Index(fields=("rule", "entity", "state"), name="alert_rule_entity"),
            models.Index(fields=("entity", "-last_seen"), name="alert_entity"),
            # The overview, and the noise of rules: of some days, whoever asks.
            models.Index(
                fields=("created", "level", "rule", "unit", "state", "disposition", "count", "last_seen"),
                name="alert_created_facts",
            ),
            models.Index(
                fields=("acknowledged_at", "created", "unit"),
                condition=models.Q(acknowledged_at__isnull=False),
                name="alert_acknowledged_at",
            ),
            models.Index(
                fields=("closed_at", "created", "unit"),
                condition=models.Q(closed_at__isnull=False),
                name="alert_closed_at",
            ),
            # How many there are in all. On (state, level) SQLite would look up what is closed, and sort it.
            models.Index(
                fields=("level", "closed_at"),
                condition=models.Q(closed_at__isnull=False),
                name="alert_closed_level",
            ),
        )

    def __str__(self) -> str:
        return f"{self.title}: {self.entity}"


class Example(models.Model):
    """A finding that is kept with its alert, up to twenty."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="examples")
    finding_id = models.CharField(max_length=32)
    """Stable hash: the same finding, delivered again, is the same example."""
    at = models.DateTimeField(null=True)
    finding: models.JSONField[Any, Any] = models.JSONField()
    """As in the findings' NDJSON contract."""

    objects = Visible("alert__unit__path")

    class Meta:
        ordering = ("-at", "-id")
        constraints = (models.UniqueConstraint(fields=("alert", "finding_id"), name="example_once"),)

    def __str__(self) -> str:
        return self.finding_id


class Note(models.Model):
    """What somebody wrote about an alert."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    text = models.TextField(_("note"))

    objects = Visible("alert__unit__path")

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return self.text[:50]


class Silence(models.Model):
    """Findings that make no alert for some time: who said so, why, until when."""

    rule = models.CharField(_("rule"), max_length=200, blank=True)
    entity = models.CharField(_("entity"), max_length=255, blank=True)
    """A name, or a pattern with ``*``; empty for any."""
    unit = models.ForeignKey(Unit, models.CASCADE, null=True, blank=True, verbose_name=_("unit"))
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(_("until"))
    hits = models.PositiveBigIntegerField(default=0, editable=False)
    """Findings that it kept back."""
    last_hit = models.DateTimeField(null=True, editable=False)

    objects = Visible("unit__path")

    class Meta:
        ordering = ("until",)

    def __str__(self) -> str:
        return f"{self.rule or '*'} {self.entity or '*'}"


class Risk(models.Model):
    """How much there is against an entity of a unit; units may have machines of the same name."""

    entity = models.CharField(max_length=255, db_index=True)
    entity_kind = models.CharField(max_length=20, default="host")
    unit = models.ForeignKey(Unit, models.SET_NULL, null=True)
    score = models.FloatField(default=0)
    """As of ``updated``; it halves every day."""
    updated = models.DateTimeField()

    objects = Visible("unit__path")

    class Meta:
        ordering = ("-score",)

    def __str__(self) -> str:
        return self.entity


class RuleDay(models.Model):
    """What a rule found on a day (of reception), and what became of it."""

    rule = models.CharField(max_length=200)
    day = models.DateField()
    findings = models.PositiveBigIntegerField(default=0)
    """All of them, also those that made no alert."""
    off = models.PositiveBigIntegerField(default=0)
    """Dropped because the rule is switched off."""
    silenced = models.PositiveBigIntegerField(default=0)
    """Kept back by a silence."""

    class Meta:
        ordering = ("-day", "rule")
        constraints = (models.UniqueConstraint(fields=("rule", "day"), name="rule_day"),)

    def __str__(self) -> str:
        return f"{self.rule} {self.day}"


class SavedView(models.Model):
    """Facets and words of the queue that somebody comes back to."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="views")
    name = models.CharField(_("name"), max_length=80)
    query = models.CharField(max_length=500)
    shared = models.BooleanField(_("for everybody"), default=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Batch(models.Model):
    """A batch of the spool whose effects are in this database: delivered again, it has none."""

    spool = models.CharField(max_length=40)
    """Which spool: its number is kept in it, so that a new one does not pass for the old."""
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("spool", "number"), name="batch_once"),)

    def __str__(self) -> str:
        return f"{self.spool} {self.number}"


class Member(models.Model):
    """What correlations were fed with by a batch, to be fed again after a restart."""

    number = models.PositiveBigIntegerField()
    """The batch's number."""
    newest = models.BigIntegerField()
    """Newest event in it, in seconds since 1970."""
    body = models.BinaryField()

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=("newest",), name="member_newest"),)

    def __str__(self) -> str:
        return str(self.number)


class Correlated(models.Model):
    """A finding of a correlation that had its effect: found again, it has no second one."""

    finding_id = models.CharField(max_length=32, unique=True)
    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="+")
    """None where it made no alert: the rule was off, or it was silenced."""
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("at",), name="correlated_at"),)

    def __str__(self) -> str:
        return self.finding_id


# Django finds the models of an app here.
from haidang.console.alerts.notify.models import Channel, Outgoing  # noqa: E402
