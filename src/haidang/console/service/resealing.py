"""What the database keeps sealed, sealed anew after the service was given another key.

It is done at every start, and seals what older versions kept as it was. What cannot be opened stays as it is
and is said in the log: the key that it was sealed with may come back.
"""

from __future__ import annotations

import logging
from typing import Any

from haidang.console.lockbox import LockboxError, resealed, sealed

__all__ = ["reseal"]

_LOG = logging.getLogger(__name__)
_FACTOR_SECRETS = ("secret", "seed")


def reseal() -> int:
    """Seal every secret with the key of now; return how many were not so yet."""
    return _channels() + _second_factors()


def _channels() -> int:
    from haidang.console.alerts.models import Channel

    moved = 0
    for pk, token in Channel.objects.values_list("pk", "secret"):
        anew = _resealed(token, channel=pk)
        if anew is not None:
            # Whoever has replaced it meanwhile has sealed it with the key of now.
            moved += Channel.objects.filter(pk=pk, secret=token).update(secret=anew)
    return moved


def _second_factors() -> int:
    from allauth.mfa.models import Authenticator
    from django.db import transaction

    from haidang.console.people.factors import is_sealed

    moved = 0
    with transaction.atomic():
        for factor in Authenticator.objects.select_for_update().exclude(type=Authenticator.Type.WEBAUTHN):
            changed = False
            for name in _FACTOR_SECRETS:
                kept = factor.data.get(name)
                if isinstance(kept, str):
                    anew = _resealed(kept, factor=factor.pk) if is_sealed(kept) else sealed(kept)
                    if anew is not None:
                        factor.data[name], changed = anew, True
            if changed:
                factor.save(update_fields=["data"])
                moved += 1
    return moved


def _resealed(token: str, **about: Any) -> str | None:
    try:
        return resealed(token)
    except LockboxError:
        _LOG.error("a secret cannot be opened with the keys of this service", extra=about)
        return None
