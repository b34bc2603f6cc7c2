"""What people fill in about channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from haidang.console.alerts.models import Channel, Level
from haidang.console.units.forms import choice_of_units

if TYPE_CHECKING:
    from haidang.console.people.models import User

__all__ = ["ChannelForm"]


def _levels(label: Any, initial: int, help_text: Any) -> forms.TypedChoiceField:
    choices = list(reversed(Level.choices))
    return forms.TypedChoiceField(
        label=label, choices=choices, coerce=int, initial=initial, help_text=help_text
    )


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A channel; who is bound to a unit makes one for it and those below alone."""

    min_level = _levels(_("Lowest level"), Level.HIGH, _("Alerts below it are not told here."))
    urgent_level = _levels(
        _("Told at once from this level on"),
        Level.CRITICAL,
        _("What is below it waits for quiet hours and digests."),
    )

    class Meta:
        model = Channel
        fields = (
            "name", "kind", "target", "language", "unit", "min_level", "urgent_level", "quiet_from",
            "quiet_until", "digest_minutes", "enabled",
        )  # fmt: skip
        widgets = {
            "target": forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"}),
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        """Offer the units that a person may see."""
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        choice_of_units(self, "unit", user)
        unit = self.fields["unit"]
        assert isinstance(unit, forms.ModelChoiceField)  # noqa: S101 -- for the type checker  # nosec B101
        unit.empty_label = None if unit.required else _("All units")
        unit.help_text = _("Alerts of this unit and of those below it.")
        self.fields["target"].help_text = _(
            "E-mail addresses with commas between them; or the address of the webhook, http:// or https://."
        )
        self.fields["digest_minutes"].help_text = _("0 to tell each alert at once.")
        self.fields["quiet_from"].help_text = _("Leave both empty for none; they may reach beyond midnight.")
