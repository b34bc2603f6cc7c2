"""What people do with sources: within what they see, recorded in the audit log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from haidang.console.audit.changing import add, change
from haidang.console.audit.record import record
from haidang.console.people.refusals import MissingError, RefusedError
from haidang.console.sources.models import Source
from haidang.console.units.models import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from haidang.console.people.access import Request
    from haidang.ingest.quarantine import Quarantined

__all__ = ["add_source", "change_source", "discard_lines", "look_at_quarantine", "new_token", "source_of"]


def source_of(request: Request, key: int) -> Source:
    """Return a source.

    Raises:
        MissingError: There is none that the person may see.
    """
    source: Source | None = (
        Source.objects.visible_to(request.user).select_related("unit").filter(pk=key).first()
    )
    if source is None:
        raise MissingError([key])
    return source


def add_source(request: Request, values: Mapping[str, Any]) -> tuple[Source, str]:
    """Add a source; return it with its token, which is shown now and never again.

    Raises:
        RefusedError: A value is wrong.
    """
    source = Source(**_checked(request, values))
    secret = source.new_token()
    return add(request, source), secret


def change_source(request: Request, source: Source, values: Mapping[str, Any]) -> Source:
    """Change a source.

    Raises:
        RefusedError: A value is wrong.
    """
    return change(request, source, _checked(request, values))


def new_token(request: Request, source: Source) -> str:
    """Give a source a new token, returned here and never again; the old one holds no more."""
    with transaction.atomic():
        secret = source.new_token()
        source.save(update_fields=["token_digest"])
        record(request, "source.token", source)
    return secret


def look_at_quarantine(
    request: Request, source: Source, *, before: int = 0, most: int = 100
) -> list[Quarantined]:
    """Return broken lines of a source, the newest first; that they were looked at is recorded.

    Raises:
        SpoolUnavailableError: The file cannot be used.
    """
    from haidang.console.sources.stores import quarantine

    lines = quarantine().lines(str(source.pk), before=before, most=most)
    record(request, "quarantine.see", source)
    return lines


def discard_lines(request: Request, source: Source, numbers: Iterable[int]) -> int:
    """Remove broken lines of a source; return how many there were.

    Raises:
        SpoolUnavailableError: The file cannot be used.
    """
    from haidang.console.sources.stores import quarantine

    wanted = set(numbers)
    kept = quarantine()
    own = [line.number for line in kept.lines(str(source.pk), most=_MOST_LINES) if line.number in wanted]
    with transaction.atomic():
        record(request, "quarantine.discard", source, {"lines": len(own)}, None)
        kept.discard(own)
    return len(own)


_MOST_LINES = 100_000
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def _checked(request: Request, values: Mapping[str, Any]) -> dict[str, Any]:
    from haidang.events.readers import readers

    checked = dict(values)
    unit = checked.get("unit")
    if unit is not None and not Unit.objects.visible_to(request.user).filter(pk=unit.pk).exists():
        raise RefusedError(_("There is no such unit."), field="unit")
    if checked.get("format") and checked["format"] not in readers():
        raise RefusedError(
            _("There is no format {name}; see haidang formats.").format(name=checked["format"]),
            field="format",
        )
    if checked.get("certificate"):
        fingerprint = checked["certificate"].replace(":", "").strip().lower()
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise RefusedError(
                _("A fingerprint has 64 hexadecimal digits: openssl x509 -fingerprint -sha256."),
                field="certificate",
            )
        checked["certificate"] = fingerprint
    return checked
