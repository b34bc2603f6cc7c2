"""Roles, and what each may do. A permission is ``app.verb``; views and API operations name theirs."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

__all__ = ["PERMISSIONS", "PERMISSION_WORDS", "ROLE_PERMISSIONS", "Role"]


class Role(models.TextChoices):
    """What somebody is here for."""

    ADMINISTRATOR = "administrator", _("Administrator")
    LEAD = "lead", _("Lead")
    ANALYST = "analyst", _("Analyst")
    LIAISON = "liaison", _("Unit liaison")
    AUDITOR = "auditor", _("Auditor")
    READER = "reader", _("Read-only")


_SEE = frozenset({"alerts.see", "units.see", "sources.see", "rules.see"})
_WORK = _SEE | {"alerts.work", "alerts.silence", "archive.search", "rules.test"}
_LEAD = _WORK | {
    "units.edit",
    "sources.edit",
    "rules.switch",
    "quarantine.see",
    "channels.see",
    "channels.edit",
}

ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    Role.ADMINISTRATOR: _LEAD | {"people.see", "people.edit", "audit.see", "service.see"},
    Role.LEAD: _LEAD | {"people.see", "audit.see", "service.see"},
    Role.ANALYST: _WORK | {"quarantine.see", "channels.see"},
    # A liaison works on what belongs to its unit: it notes, acknowledges, closes, and looks back at what the
    # unit's sources sent, but silences nothing.
    Role.LIAISON: frozenset({"alerts.see", "alerts.work", "archive.search", "units.see", "sources.see"}),
    Role.AUDITOR: _SEE | {"audit.see", "people.see", "quarantine.see", "channels.see"},
    Role.READER: _SEE,
}
"""Role to its permissions. Where the person has a unit, they hold for it and those below it alone."""

PERMISSIONS = frozenset().union(*ROLE_PERMISSIONS.values())

PERMISSION_WORDS = {
    "alerts.see": _("See alerts and their evidence"),
    "alerts.silence": _("Silence rules and entities"),
    "alerts.work": _("Work on alerts"),
    "archive.search": _("Search the archive"),
    "audit.see": _("Read the audit log"),
    "channels.edit": _("Add and change notification channels"),
    "channels.see": _("See notification channels"),
    "people.edit": _("Add and change people"),
    "people.see": _("See people"),
    "quarantine.see": _("See lines in quarantine"),
    "rules.see": _("See rules"),
    "rules.switch": _("Switch rules"),
    "rules.test": _("Try rules on events"),
    "service.see": _("See measurements of the service"),
    "sources.edit": _("Add and change sources"),
    "sources.see": _("See sources"),
    "units.edit": _("Add and change units"),
    "units.see": _("See units"),
}
"""What each permission lets somebody do."""
