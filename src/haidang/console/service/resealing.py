"""What the database keeps sealed, sealed anew after the service was given another key.

It is done at every start. What cannot be opened stays as it is and is said in the log: the key that it was
sealed with may come back.
"""

from __future__ import annotations

import logging

from haidang.console.lockbox import LockboxError, resealed

__all__ = ["reseal"]

_LOG = logging.getLogger(__name__)


def reseal() -> int:
    """Seal every secret with the key of now; return how many were not so yet."""
    from haidang.console.alerts.models import Channel

    moved = 0
    for pk, token in Channel.objects.values_list("pk", "secret"):
        try:
            anew = resealed(token)
        except LockboxError:
            _LOG.error("a secret cannot be opened with the keys of this service", extra={"channel": pk})
            continue
        if anew is not None:
            # Whoever has replaced it meanwhile has sealed it with the key of now.
            moved += Channel.objects.filter(pk=pk, secret=token).update(secret=anew)
    return moved
