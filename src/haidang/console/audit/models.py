"""Entries of the audit log, numbered without gaps; each is a leaf of a Merkle tree (RFC 6962)."""

from __future__ import annotations

from typing import Any

from django.db import models

from haidang.console.people.scope import Visible

__all__ = ["Checkpoint", "Entry", "Head"]


class Entry(models.Model):
    """One change, or one look at evidence."""

    number = models.PositiveBigIntegerField(primary_key=True)
    """From 0 on, without gaps."""
    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=300, db_index=True)
    """User name, ``token NAME of USER`` or ``service``."""
    address = models.CharField(max_length=50, blank=True)
    action = models.CharField(max_length=60, db_index=True)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=100)
    object_name = models.CharField(max_length=300, blank=True)
    unit_path = models.CharField(max_length=400, blank=True)
    before: models.JSONField[Any, Any] = models.JSONField(null=True)
    after: models.JSONField[Any, Any] = models.JSONField(null=True)
    leaf = models.BinaryField(max_length=32)
    """SHA-256 of the canonical entry, after RFC 6962."""

    objects = Visible("unit_path")

    class Meta:
        ordering = ("-number",)
        indexes = (models.Index(fields=("object_kind", "object_id")),)

    def __str__(self) -> str:
        return f"{self.number} {self.actor} {self.action}"


class Checkpoint(models.Model):
    """A signed statement of how many entries there were and what their root was."""

    size = models.PositiveBigIntegerField(unique=True)
    note = models.TextField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-size",)

    def __str__(self) -> str:
        return str(self.size)


class Head(models.Model):
    """Where the log stands: one row, which is locked while entries are appended."""

    size = models.PositiveBigIntegerField(default=0)
    """How many entries there are."""
    peaks = models.BinaryField(default=bytes)
    """Hashes of the whole subtrees, the largest first: what the tree needs to go on."""
    signed_size = models.PositiveBigIntegerField(default=0)
    """Entries that the newest checkpoint covers."""
    signed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.size)
