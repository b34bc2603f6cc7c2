"""Adding, changing and removing one record: checked, and with its audit entry in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from haidang.console.audit.record import record
from haidang.console.people.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haidang.console.people.access import Request

__all__ = ["add", "change", "remove", "said"]

_Row = TypeVar("_Row", bound=models.Model)
_SECRETS = frozenset({"password", "token_digest", "digest"})


@runtime_checkable
class _Reticent(Protocol):
    """A record that says by itself what of it the audit log keeps."""

    def for_audit(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return what is kept of its fields; what differs in them must differ there, too."""


def add(request: Request, obj: _Row) -> _Row:
    """Save a new record.

    Raises:
        RefusedError: A field is wrong, or there is such a record already.
    """
    with transaction.atomic():
        _save(obj)
        record(request, f"{obj._meta.model_name}.add", obj, None, said(obj))
    return obj


def change(request: Request, obj: _Row, values: Mapping[str, Any]) -> _Row:
    """Change fields of a record; where nothing differs, nothing is written.

    Raises:
        RefusedError: A field is wrong.
    """
    before = said(obj)
    for name, value in values.items():
        setattr(obj, name, value)
    after = said(obj)
    names = [name for name in after if before[name] != after[name]]
    if names:
        with transaction.atomic():
            _save(obj)
            old, new = ({name: one[name] for name in names} for one in (before, after))
            record(request, f"{obj._meta.model_name}.edit", obj, old, new)
    return obj


def remove(request: Request, obj: models.Model) -> None:
    """Delete a record.

    Raises:
        RefusedError: Something belongs to it.
    """
    before = said(obj)
    try:
        with transaction.atomic():
            record(request, f"{obj._meta.model_name}.remove", obj, before, None)
            obj.delete()
    except (models.ProtectedError, models.RestrictedError):
        raise RefusedError(_("Something still belongs to it: move or remove that first.")) from None


def said(obj: models.Model) -> dict[str, Any]:
    """Return the fields of a record as the audit log names them, without secrets."""
    values: dict[str, Any] = {}
    for field in obj._meta.concrete_fields:
        if field.name in _SECRETS or field.primary_key:
            continue
        value = getattr(obj, field.name)
        values[field.name] = str(value) if isinstance(value, models.Model) else value
    kept: dict[str, Any] = obj.for_audit(values) if isinstance(obj, _Reticent) else values
    return kept


def _save(obj: models.Model) -> None:
    try:
        obj.full_clean()
        obj.save()
    except ValidationError as error:
        errors = {
            "" if name == "__all__" else name: messages for name, messages in error.message_dict.items()
        }
        raise RefusedError(_("Some fields are wrong."), errors=errors) from None
    except IntegrityError:
        # Two did the same at once; what is unique was looked at before either had saved.
        raise RefusedError(_("There is such a record already.")) from None
