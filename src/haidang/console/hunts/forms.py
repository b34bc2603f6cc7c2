"""What people fill in to look back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from haidang.console.hunts.actions import MOST_RULE_TEXT, MOST_SQL, Asked
from haidang.console.hunts.models import Hunt
from haidang.console.sources.models import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.console.people.models import User

__all__ = ["DAYS", "HuntForm", "day_choices"]

DAYS = (1, 7, 30, 90, 365)
ASKED = (Hunt.Kind.WORDS, Hunt.Kind.RULES, Hunt.Kind.SQL)
_SQL = "SELECT host, count(*) AS n FROM events GROUP BY host ORDER BY n DESC LIMIT 20"


def day_choices() -> list[tuple[str, str]]:
    """Return stretches of time to look back."""
    return [(str(days), ngettext("the last day", "the last %(n)s days", days) % {"n": days}) for days in DAYS]


class HuntForm(forms.Form):
    """A question; of what it asks for, only what belongs to its kind is shown and sent."""

    days = forms.TypedChoiceField(label=_("Received in"), choices=day_choices, coerce=int, initial="7")
    source = forms.TypedChoiceField(label=_("Source"), required=False, coerce=int, empty_value=None)

    def __init__(self, user: User, kind: str, data: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Offer the sources that a person may see, and the fields of a kind."""
        super().__init__(data, label_suffix="", **more)
        self.kind = kind
        own = _FIELDS[kind]
        common = self.fields
        self.fields = {**{name: make() for name, make in own.items()}, **common}
        self.order_fields(None)
        sources = Source.objects.visible_to(user).values_list("pk", "name")
        chosen: Any = self.fields["source"]
        chosen.choices = [("", _("all"))] + [(str(key), name) for key, name in sources]

    def asked(self) -> Asked:
        """Return what was asked."""
        return Asked(kind=self.kind, **self.cleaned_data)


def _area(label: Any, most: int, rows: int, **more: Any) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
    return forms.CharField(label=label, max_length=most, widget=area, **more)


_FIELDS: dict[str, dict[str, Any]] = {
    Hunt.Kind.WORDS: {
        "words": lambda: forms.CharField(
            label=_("Words"),
            required=False,
            max_length=500,
            help_text=_('All of them are in the record, anywhere; "two words" side by side.'),
        ),
        "field": lambda: forms.CharField(
            label=_("Field"),
            required=False,
            max_length=200,
            help_text=_("By its exact name, as CommandLine or DestinationIp; host, format, origin."),
        ),
        "value": lambda: forms.CharField(
            label=_("Value"), required=False, max_length=1000, help_text=_("* is any text: *\\mimikatz.exe")
        ),
    },
    Hunt.Kind.RULES: {
        "rule": lambda: forms.CharField(
            label=_("Rule"),
            required=False,
            max_length=300,
            help_text=_("Id or title of a rule that is loaded."),
        ),
        "rule_text": lambda: _area(
            _("A rule of your own"),
            MOST_RULE_TEXT,
            8,
            required=False,
            help_text=_("Sigma, YAML; it is tried instead of one that is loaded."),
        ),
    },
    Hunt.Kind.SQL: {
        "sql": lambda: _area(_("Query"), MOST_SQL, 6, initial=_SQL),
    },
}
