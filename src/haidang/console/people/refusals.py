"""What a person asked for and does not get: the pages and the API say so each in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404
from django.utils.translation import gettext_lazy as _

from haidang.errors import HaidangError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.utils.functional import _StrPromise

__all__ = ["MissingError", "RefusedError"]


class RefusedError(HaidangError):
    """What was entered cannot be done; the message is for people, in their language."""

    def __init__(
        self,
        message: str | _StrPromise,
        *,
        field: str = "",
        errors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Say why, and which ``field`` of the form is to blame; or, for several, hand over ``errors``."""
        super().__init__(str(message))
        self.errors = {name: list(said) for name, said in (errors or {field: [str(message)]}).items()}
        """Name of a field ("" for the whole) to what is wrong with it."""


class MissingError(HaidangError, Http404):
    """There is no such record, or none that this person may see: the two look the same (404)."""

    def __init__(self, keys: Sequence[object]) -> None:
        """Name what was asked for."""
        super().__init__(str(_("There is no such record.")))
        self.keys = tuple(keys)
