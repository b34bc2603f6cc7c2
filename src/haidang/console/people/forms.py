"""What people fill in about people and tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _

from haidang.console.people.actions import LONGEST_TOKEN_DAYS
from haidang.console.people.models import User
from haidang.console.people.roles import PERMISSION_WORDS
from haidang.console.units.forms import choice_of_units

if TYPE_CHECKING:
    from haidang.console.people.models import User as Person

__all__ = ["KeyForm", "KeyNameForm", "NewPersonForm", "PersonForm", "TokenForm"]


class KeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A security key that is set up; its name has words for it, which allauth's does not."""

    name = forms.CharField(label=_("Name of the key"), required=False)


class KeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    """A security key that gets another name."""

    name = forms.CharField(label=_("Name of the key"), required=True)


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    """Somebody who signs in."""

    class Meta:
        model = User
        fields = ("last_name", "first_name", "email", "role", "unit", "is_active")

    def __init__(self, user: Person, *args: Any, **kwargs: Any) -> None:
        """Offer the units that a person may see."""
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        choice_of_units(self, "unit", user)
        self.fields["unit"].help_text = _("Empty for all units; a liaison has one.")
        self.fields["is_active"].label = _("May sign in")
        self.fields["is_active"].help_text = ""


class NewPersonForm(PersonForm):
    """Somebody new."""

    class Meta(PersonForm.Meta):
        fields = ("username", *PersonForm.Meta.fields)  # type: ignore[assignment]


class TokenForm(forms.Form):
    """A token that is asked for."""

    name = forms.CharField(label=_("What it is for"), max_length=100)
    days = forms.IntegerField(
        label=_("Days until it expires"), min_value=1, max_value=LONGEST_TOKEN_DAYS, initial=90
    )
    permissions = forms.MultipleChoiceField(label=_("Permissions"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, user: Person, *args: Any, **kwargs: Any) -> None:
        """Offer what the person may do."""
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        choice = self.fields["permissions"]
        assert isinstance(choice, forms.MultipleChoiceField)  # noqa: S101 -- for the type checker  # nosec B101
        choice.choices = [(name, PERMISSION_WORDS[name]) for name in sorted(user.permissions)]
