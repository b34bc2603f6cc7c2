"""Pages of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render

from haidang.console.alerts.models import Alert
from haidang.console.people.access import Request, allowed

if TYPE_CHECKING:
    from django.http import HttpResponse

__all__ = ["overview", "queue"]


@allowed("alerts.see")
def overview(request: Request) -> HttpResponse:
    """Show what needs me now."""
    return render(request, "alerts/overview.html", {"alerts": Alert.objects.visible_to(request.user)[:10]})


@allowed("alerts.see")
def queue(request: Request) -> HttpResponse:
    """Show the queue."""
    return render(request, "alerts/queue.html", {"alerts": Alert.objects.visible_to(request.user)[:60]})
