"""What people fill in about sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from haidang.console.sources.models import Source
from haidang.console.units.forms import choice_of_units

if TYPE_CHECKING:
    from haidang.console.people.models import User

__all__ = ["SourceForm", "format_choices"]


def format_choices() -> list[tuple[str, Any]]:
    """Return the formats that there are readers for."""
    from haidang.events.readers import readers

    return [("", _("Recognise it")), *((name, name) for name in sorted(readers()))]


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A source."""

    format = forms.ChoiceField(label=_("Format"), required=False, choices=format_choices)

    class Meta:
        model = Source
        fields = ("name", "unit", "format", "rate", "body_bytes", "quiet_after", "certificate", "enabled")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        """Offer the units that a person may see."""
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        choice_of_units(self, "unit", user)
        self.fields["rate"].help_text = _("0 for any number.")
        self.fields["certificate"].help_text = _("Of a sender by syslog over TLS; 64 hexadecimal digits.")
        # A fingerprint may be pasted with colons; what is kept has none.
        self.fields["certificate"].validators = []
        self.fields["certificate"].max_length = None  # type: ignore[attr-defined]
