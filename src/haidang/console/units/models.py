"""Units in a tree, who answers for them, and what they own."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from haidang.console.people.scope import Visible

__all__ = ["Asset", "AssetName", "Contact", "Criticality", "Unit"]


class Unit(models.Model):
    """A unit; ``path`` are the keys of those above it and its own, so that a subtree is a prefix."""

    name = models.CharField(_("name"), max_length=200)
    code = models.CharField(_("code"), max_length=50, unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent unit")
    )
    path = models.CharField(max_length=400, editable=False, db_index=True)
    note = models.TextField(_("note"), blank=True)

    objects = Visible("path")

    class Meta:
        ordering = ("path",)

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and keep the paths of what is below in step."""
        if self.pk is None:
            super().save(*args, **kwargs)
            kwargs = {"update_fields": ["path"]}
            args = ()
        before = self.path
        self.path = f"{self.parent.path if self.parent else '/'}{self.pk}/"
        super().save(*args, **kwargs)
        if before and before != self.path:
            for unit in Unit.objects.filter(path__startswith=before).exclude(pk=self.pk):
                Unit.objects.filter(pk=unit.pk).update(path=self.path + unit.path[len(before) :])

    def holds(self, other: Unit) -> bool:
        """Return whether a unit is this one or below it."""
        return other.path.startswith(self.path)


class Contact(models.Model):
    """Somebody to call at a unit."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="contacts", verbose_name=_("unit"))
    name = models.CharField(_("name"), max_length=200)
    role = models.CharField(_("position"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("telephone"), max_length=50, blank=True)
    on_call = models.BooleanField(_("on call"), default=False)

    objects = Visible("unit__path")

    class Meta:
        ordering = ("-on_call", "name")

    def __str__(self) -> str:
        return self.name


class Criticality(models.IntegerChoices):
    """How much depends on an asset."""

    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    CRITICAL = 4, _("Critical")


class Asset(models.Model):
    """A system that a unit owns."""

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="assets", verbose_name=_("unit"))
    name = models.CharField(_("name"), max_length=200)
    owner = models.CharField(_("owner"), max_length=200, blank=True)
    criticality = models.IntegerField(
        _("criticality"), choices=Criticality.choices, default=Criticality.MEDIUM
    )
    note = models.TextField(_("note"), blank=True)

    objects = Visible("unit__path")

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("unit", "name"), name="asset_name_in_unit"),)

    def __str__(self) -> str:
        return self.name


class AssetName(models.Model):
    """How logs name an asset: a host name, an address or network, or a domain."""

    class Kind(models.TextChoices):
        """What a name is."""

        HOST = "host", _("Host name")
        NETWORK = "network", _("Address or network")
        DOMAIN = "domain", _("Domain")

    asset = models.ForeignKey(Asset, models.CASCADE, related_name="names")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    value = models.CharField(max_length=255, db_index=True)

    objects = Visible("asset__unit__path")

    class Meta:
        ordering = ("kind", "value")
        constraints = (models.UniqueConstraint(fields=("kind", "value"), name="asset_name_once"),)

    def __str__(self) -> str:
        return self.value
