"""What is told: the text of a mail, and the JSON of a webhook.

Titles and entities come from rules and logs, both untrusted: a mail's subject is one short line, and nothing
in its text can stand for a line of its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from haidang.console.alerts.models import Level
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.console.alerts.models import Alert

__all__ = ["mail", "payload"]

_SHOWN = 50
"""Alerts that a digest lists; of the others it says how many they are."""
_SUBJECT = 160


def mail(alerts: Sequence[Alert], language: str) -> tuple[str, str]:
    """Return subject and text for alerts, the gravest first."""
    ordered = sorted(alerts, key=lambda alert: (-alert.level, alert.pk))
    with translation.override(language):
        first = ordered[0]
        if len(ordered) == 1:
            subject = f"[{Level(first.level).label}] {first.title}: {first.entity}"
        else:
            subject = ngettext("{count} new alert", "{count} new alerts", len(ordered)).format(
                count=len(ordered)
            )
            subject = f"[{Level(first.level).label}] {subject}"
        parts = [_entry(alert) for alert in ordered[:_SHOWN]]
        if len(ordered) > _SHOWN:
            parts.append(_("… and {count} more.").format(count=len(ordered) - _SHOWN))
        parts.append(_("Sent by Hải Đăng. Do not answer this mail."))
    return _line(subject)[:_SUBJECT], "\n\n".join(parts) + "\n"


def payload(alerts: Sequence[Alert], delivery: str) -> bytes:
    """Return the JSON of a webhook: its type, its id, and the alerts as they are now."""
    told = {
        "type": "alerts.new",
        "id": delivery,
        "timestamp": timezone.now().isoformat(),
        "data": {"alerts": [_data(alert) for alert in alerts]},
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _entry(alert: Alert) -> str:
    seen = timezone.localtime(alert.last_seen).strftime("%d/%m/%Y %H:%M:%S")
    lines = [
        f"{Level(alert.level).label}: {_line(alert.title)}",
        _("About: {entity}").format(entity=_line(alert.entity)),
        _("Unit: {unit}").format(unit=_line(alert.unit.name)) if alert.unit else "",
        _("Last seen: {time}").format(time=seen),
        _("Findings: {count}").format(count=alert.count),
        _address(alert),
    ]
    return "\n".join(filter(None, lines))


def _data(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "rule": alert.rule,
        "title": alert.title,
        "level": Level(alert.level).name.lower(),
        "tags": alert.tags,
        "techniques": alert.techniques,
        "entity": alert.entity,
        "entity_kind": alert.entity_kind,
        "unit": alert.unit.code if alert.unit else None,
        "asset": alert.asset.name if alert.asset else None,
        "source": alert.source.name if alert.source else None,
        "count": alert.count,
        "risk": alert.risk,
        "first_seen": alert.first_seen.isoformat(),
        "last_seen": alert.last_seen.isoformat(),
        "state": alert.state,
        "url": _address(alert) or None,
    }


def _address(alert: Alert) -> str:
    """Return where the alert is in the console, "" where nobody said how it is reached."""
    if not settings.PUBLIC_URL:
        return ""
    try:
        return f"{settings.PUBLIC_URL}{reverse('alert', args=[alert.pk])}"
    except NoReverseMatch:
        return ""


def _line(text: str) -> str:
    return " ".join(neutralise(text).split())
