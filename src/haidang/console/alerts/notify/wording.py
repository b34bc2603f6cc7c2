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
from haidang.console.alerts.notify.delivering import Mail
from haidang.console.alerts.rulebook import RULEBOOK
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from haidang.console.alerts.models import Alert

__all__ = ["mail", "payload", "test_mail", "test_payload"]

_SHOWN = 50
"""Alerts that a digest lists; of the others it says how many they are."""
_SUBJECT = 160


def mail(alerts: Sequence[Alert], language: str) -> Mail:
    """Return subject and text for alerts, the gravest first."""
    ordered = sorted(alerts, key=lambda alert: (-alert.level, alert.pk))
    with translation.override(language):
        first = ordered[0]
        if len(ordered) == 1:
            subject = f"[{Level(first.level).label}] {_title(first)}: {first.entity}"
        else:
            subject = ngettext("{count} new alert", "{count} new alerts", len(ordered)).format(
                count=len(ordered)
            )
            subject = f"[{Level(first.level).label}] {subject}"
        parts = [_entry(alert) for alert in ordered[:_SHOWN]]
        if len(ordered) > _SHOWN:
            parts.append(_("… and {count} more.").format(count=len(ordered) - _SHOWN))
        parts.append(_("Sent by Hải Đăng. Do not answer this mail."))
    return Mail(_line(subject)[:_SUBJECT], "\n\n".join(parts) + "\n")


def test_mail(name: str, language: str) -> Mail:
    """Return a mail that tells of no alert, by which a channel is tried out."""
    with translation.override(language):
        text = [
            _("This is a test of the notification channel “{name}”. There is no alert.").format(
                name=_line(name)
            ),
            _("If you can read this, alerts will reach you in the same way."),
            _("Sent by Hải Đăng. Do not answer this mail."),
        ]
        subject = _("Test of the notification channel “{name}”").format(name=_line(name))
        return Mail(subject[:_SUBJECT], "\n\n".join(text) + "\n")


def test_payload(name: str, delivery: str) -> bytes:
    """Return the JSON of a webhook's test."""
    return _json("channel.test", delivery, {"channel": name})


def payload(alerts: Sequence[Alert], delivery: str, language: str) -> bytes:
    """Return the JSON of a webhook: its type, its id, the alerts as they are now; titles in ``language``."""
    with translation.override(language):
        return _json("alerts.new", delivery, {"alerts": [_data(alert) for alert in alerts]})


def _json(kind: str, delivery: str, data: dict[str, Any]) -> bytes:
    told = {"type": kind, "id": delivery, "timestamp": timezone.now().isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _entry(alert: Alert) -> str:
    several = alert.first_seen < alert.last_seen
    lines = [
        f"{Level(alert.level).label}: {_line(_title(alert))}",
        _("About: {entity}").format(entity=_line(alert.entity)),
        _("Unit: {unit}").format(unit=_line(alert.unit.name)) if alert.unit else "",
        _("First seen: {time}").format(time=_clock(alert.first_seen)) if several else "",
        _("Last seen: {time}").format(time=_clock(alert.last_seen)),
        _("Findings: {count}").format(count=alert.count),
        _address(alert),
    ]
    return "\n".join(filter(None, lines))


def _data(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "rule": alert.rule,
        "title": _title(alert),
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


def _clock(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%d/%m/%Y %H:%M:%S")


def _title(alert: Alert) -> str:
    return RULEBOOK.title(alert.rule, alert.title)


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
