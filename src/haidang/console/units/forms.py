"""What people fill in about units, contacts and assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from haidang.console.units.models import Asset, Contact, Unit

if TYPE_CHECKING:
    from haidang.console.people.models import User

__all__ = ["AssetForm", "ContactForm", "SheetForm", "UnitForm", "choice_of_units"]


def choice_of_units(form: forms.BaseForm, field: str, user: User) -> None:
    """Offer the units that a person may see; who is bound to one must choose."""
    choice = form.fields[field]
    assert isinstance(choice, forms.ModelChoiceField)  # noqa: S101 -- for the type checker  # nosec B101
    choice.queryset = Unit.objects.visible_to(user)
    if not user.sees_everything:
        choice.required = True


class UnitForm(forms.ModelForm):  # type: ignore[type-arg]
    """A unit."""

    class Meta:
        model = Unit
        fields = ("name", "code", "parent", "note")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        """Offer the units that a person may see."""
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        choice_of_units(self, "parent", user)
        if self.instance.pk and self.instance.parent is None:
            self.fields["parent"].required = False


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    """Somebody to call."""

    class Meta:
        model = Contact
        fields = ("name", "role", "email", "phone", "on_call")


class AssetForm(forms.ModelForm):  # type: ignore[type-arg]
    """An asset with its names."""

    hosts = forms.CharField(
        label=_("Host names"), required=False, help_text=_("As logs have them, spaces between.")
    )
    networks = forms.CharField(
        label=_("Addresses and networks"),
        required=False,
        help_text=_("10.1.2.3 or 10.1.0.0/16, spaces between."),
    )
    domains = forms.CharField(
        label=_("Domains"), required=False, help_text=_("All that ends in them belongs to the asset.")
    )

    class Meta:
        model = Asset
        fields = ("unit", "name", "owner", "criticality", "note")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        """Offer the units that a person may see; show the names."""
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        choice_of_units(self, "unit", user)
        if self.instance.pk:
            for field, kind in (("hosts", "host"), ("networks", "network"), ("domains", "domain")):
                values = [name.value for name in self.instance.names.all() if name.kind == kind]
                self.initial[field] = " ".join(values)


class SheetForm(forms.Form):
    """A CSV file of assets."""

    file = forms.FileField(label=_("CSV file"))
