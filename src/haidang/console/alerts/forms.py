"""What people fill in about alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from haidang.console.alerts.models import SavedView
from haidang.console.units.models import Unit

if TYPE_CHECKING:
    from datetime import datetime

    from haidang.console.people.models import User

__all__ = ["SavedViewForm", "SilenceForm"]

_TERMS = (
    ("1", _("1 day")),
    ("7", _("7 days")),
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("1 year")),
)


class SilenceForm(forms.Form):
    """A silence; who is bound to a unit silences there alone."""

    rule = forms.CharField(
        label=_("Rule"), max_length=200, required=False, help_text=_("Id of the rule; empty for any.")
    )
    entity = forms.CharField(
        label=_("Entity"), max_length=255, required=False,
        help_text=_("Host, user or address; * stands for anything. Empty for any."),
    )  # fmt: skip
    unit = forms.ModelChoiceField(
        Unit.objects.none(), label=_("Unit"), required=False, empty_label=_("All units")
    )
    days = forms.ChoiceField(label=_("For how long"), choices=_TERMS, initial="7")
    reason = forms.CharField(
        label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Whoever comes later reads this to know why nothing was said."),
    )  # fmt: skip

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        """Offer the units that a person may see."""
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        unit = self.fields["unit"]
        assert isinstance(unit, forms.ModelChoiceField)  # noqa: S101 -- for the type checker
        unit.queryset = Unit.objects.visible_to(user)
        if not user.sees_everything:
            unit.required, unit.empty_label = True, None

    def clean(self) -> dict[str, Any]:
        """Refuse a silence on everything."""
        given = super().clean() or {}
        if not given.get("rule") and not (given.get("entity") or "").strip("*? "):
            raise ValidationError(_("Name a rule or an entity: a silence of everything is none."))
        return given

    def named(self) -> dict[str, Any]:
        """Return rule, entity, unit and reason."""
        return {name: self.cleaned_data[name] for name in ("rule", "entity", "unit", "reason")}

    def until(self) -> datetime:
        """Return when it ends."""
        return timezone.now() + timedelta(days=int(self.cleaned_data["days"]))


class SavedViewForm(forms.ModelForm):  # type: ignore[type-arg]
    """A view to come back to."""

    class Meta:
        model = SavedView
        fields = ("name", "query", "shared")
