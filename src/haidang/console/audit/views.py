"""Pages of the audit log, which is only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from haidang.console.audit.checkpoints import sign_now
from haidang.console.audit.models import Checkpoint, Entry
from haidang.console.people.access import Request, allowed

if TYPE_CHECKING:
    from haidang.console.people.scope import VisibleQuerySet

__all__ = ["audit", "checkpoint"]

_PAGE = 100


class AuditFilter(forms.Form):
    """Which entries."""

    actor = forms.CharField(label=_("Who"), required=False, max_length=300)
    action = forms.CharField(label=_("Action, or its beginning"), required=False, max_length=60)
    kind = forms.CharField(label=_("Kind of record"), required=False, max_length=40)
    record = forms.CharField(label=_("Its number"), required=False, max_length=100)
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(label=_("Through"), required=False, widget=forms.DateInput({"type": "date"}))

    def applied(self, rows: VisibleQuerySet[Entry]) -> VisibleQuerySet[Entry]:
        """Return the entries that are asked for; values that are wrong narrow nothing."""
        if not self.is_valid():
            return rows
        given: dict[str, Any] = self.cleaned_data
        names = {
            "actor": "actor",
            "action": "action__startswith",
            "kind": "object_kind",
            "record": "object_id",
            "since": "at__date__gte",
            "until": "at__date__lte",
        }
        return rows.filter(**{names[name]: value for name, value in given.items() if value})


@require_GET
@allowed("audit.see")
def audit(request: Request) -> HttpResponse:
    """Show who did and looked at what, the newest first."""
    form = AuditFilter(request.GET or None, label_suffix="")
    rows = form.applied(Entry.objects.visible_to(request.user))
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 18:
        rows = rows.filter(number__lt=int(before))
    entries = list(rows.order_by("-number")[: _PAGE + 1])
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "form": form,
        "entries": entries[:_PAGE],
        "next": entries[_PAGE - 1].number if len(entries) > _PAGE else None,
        "query": query.urlencode(),
        "checkpoint": Checkpoint.objects.first(),
    }
    return render(request, "audit/audit.html", context, status=400 if form.is_bound and form.errors else 200)


@require_GET
@allowed("audit.see")
def checkpoint(request: Request) -> HttpResponse:
    """Return a signed checkpoint of all entries as a file to keep elsewhere."""
    del request
    signed = sign_now()
    if signed is None:
        raise Http404
    answer = HttpResponse(signed.note, content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="haidang-audit-{signed.size}.checkpoint"'
    return answer
