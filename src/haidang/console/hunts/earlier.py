"""What the console itself knows of what came before an alert: earlier alerts of its rule on its entity."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from django.db.models import Count, Min, Q, Sum

from haidang.console.alerts.models import Alert

if TYPE_CHECKING:
    from datetime import datetime

    from haidang.console.people.models import User

__all__ = ["Earlier", "earlier"]


class Earlier(NamedTuple):
    """Alerts of the same rule on the same entity that were first seen before it."""

    alerts: int
    findings: int
    first: datetime | None
    false: int
    """How many were judged a false positive."""
    true: int
    """A true positive."""
    newest: list[Alert]


def earlier(user: User, alert: Alert) -> Earlier:
    """Return what a person may see of them."""
    rows = Alert.objects.visible_to(user).filter(
        rule=alert.rule, entity=alert.entity, first_seen__lt=alert.first_seen
    )
    told = rows.order_by().aggregate(
        alerts=Count("pk"),
        findings=Sum("count"),
        first=Min("first_seen"),
        false=Count("pk", filter=Q(disposition=Alert.Disposition.FALSE_POSITIVE)),
        true=Count("pk", filter=Q(disposition=Alert.Disposition.TRUE_POSITIVE)),
    )
    newest = list(rows.defer("search")[:3]) if told["alerts"] else []
    return Earlier(told["alerts"], told["findings"] or 0, told["first"], told["false"], told["true"], newest)
