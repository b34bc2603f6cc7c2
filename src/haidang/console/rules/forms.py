"""What people fill in about rules."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from haidang.console.rules.actions import MOST_EVENTS_BYTES, MOST_RULE_BYTES
from haidang.console.sources.forms import format_choices

__all__ = ["SwitchForm", "TrialForm"]


class SwitchForm(forms.Form):
    """Why a rule is switched."""

    enabled = forms.BooleanField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


class TrialForm(forms.Form):
    """Events that rules are tried on."""

    events = forms.CharField(
        label=_("Events"),
        max_length=MOST_EVENTS_BYTES,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        help_text=_("Lines as a log has them, up to 1 MiB. Nothing is kept."),
    )
    format = forms.ChoiceField(label=_("Format"), required=False, choices=format_choices)
    rule = forms.CharField(
        label=_("Rule"), required=False, max_length=300, help_text=_("Id of the rule; empty for any.")
    )
    rule_text = forms.CharField(
        label=_("A rule of your own"),
        required=False,
        max_length=MOST_RULE_BYTES,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("Sigma, YAML; it is tried instead of those that are loaded."),
    )
