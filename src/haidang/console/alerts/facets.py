"""The facets beside the queue, ready for a template: names, counts, and where a choice leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from haidang.console.alerts.models import Alert, Level
from haidang.console.people.models import User
from haidang.console.sources.models import Source
from haidang.console.units.models import Unit
from haidang.findings.words import TACTIC_WORDS
from haidang.i18n import translator

if TYPE_CHECKING:
    from haidang.console.alerts.filtering import Filter
    from haidang.console.alerts.queue import Counts

__all__ = ["Choice", "Facet", "facets"]

_SHOWN = 12


class Choice(NamedTuple):
    """A value of a facet."""

    value: str
    name: str
    number: int
    on: bool
    address: str
    level: int | None = None


class Facet(NamedTuple):
    """A facet with its values."""

    key: str
    name: str
    choices: list[Choice]


def facets(asked: Filter, counted: Counts, user: User) -> list[Facet]:
    """Return the facets of what is asked for."""
    made = []
    for key, name, values in _values(counted, user):
        on = set(getattr(asked, key))
        if key == "state" and not on:
            on = {Alert.State.NEW, Alert.State.ACKNOWLEDGED}
        counter = counted.facets[key]
        shown = [
            (str(value), str(said), counter.get(count_key, 0))
            for value, said, count_key in values
            if counter.get(count_key, 0) or str(value) in on or key in {"state", "level"}
        ]
        if key in {"unit", "source"}:
            shown.sort(key=lambda choice: (choice[0] not in on, -choice[2], choice[1]))
        choices = [
            Choice(
                value,
                said,
                number,
                value in on,
                _address(asked, key, value, on),
                int(value) if key == "level" else None,
            )
            for value, said, number in shown[:_SHOWN]
        ]
        if choices:
            made.append(Facet(key, name, choices))
    return made


def _address(asked: Filter, key: str, value: str, on: set[str]) -> str:
    if key == "state" and not asked.state:
        from dataclasses import replace

        return replace(asked, state=tuple(sorted(on ^ {value}))).address()
    return asked.changed(key, value).address()


def _values(counted: Counts, user: User) -> list[tuple[str, str, list[tuple[Any, Any, Any]]]]:
    """Return key, name and values of each facet; a value is the address's, its name, its count's key."""
    said = translator("vi" if (get_language() or "").startswith("vi") else "en")
    units = Unit.objects.visible_to(user).filter(pk__in=[k for k in counted.facets["unit"] if k])
    sources = Source.objects.visible_to(user).filter(pk__in=[k for k in counted.facets["source"] if k])
    owners = {number for number in counted.facets["owner"] if number}
    people: list[tuple[Any, Any, Any]] = [("none", _("Nobody"), None), ("me", _("Me"), user.pk)]
    people += [(one.pk, one, one.pk) for one in User.objects.filter(pk__in=owners - {user.pk})]
    return [
        ("state", _("State"), [(value, name, value) for value, name in Alert.State.choices]),
        ("level", _("Level"), [(value, name, value) for value, name in reversed(Level.choices)]),
        ("owner", _("Owner"), people),
        ("unit", _("Unit"), [(unit.pk, unit, unit.pk) for unit in units]),
        ("tactic", _("Tactic"), [(key, said(name), key) for key, name in TACTIC_WORDS.items()]),
        ("source", _("Source"), [(source.pk, source, source.pk) for source in sources]),
    ]
