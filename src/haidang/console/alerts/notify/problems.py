"""Why a message was not taken: kept as a code with what differs, said in the language of who reads it.

What a receiver answers is untrusted and may be long; addresses of webhooks and secrets are never part of it.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from haidang.plaintext import neutralise

__all__ = ["PROBLEM_CHARS", "DeliveryError", "problem_said"]

PROBLEM_CHARS = 300
_BETWEEN = "|"
_TEMPLATES = {
    "address": gettext_noop("The address cannot be asked. Enter it anew."),
    "answered": gettext_noop("The receiver answered {detail}."),
    "certificate": gettext_noop("The receiver's certificate does not hold: {detail}"),
    "nobody": gettext_noop("The channel has no e-mail address."),
    "recipients": gettext_noop("Not taken for: {detail}"),
    "refused": gettext_noop("Nothing listens at the receiver's address and port."),
    "redirected": gettext_noop(
        "The receiver answered {detail}: redirects are not followed. Enter the address that it leads to."
    ),
    "secret": gettext_noop(
        "The signing secret cannot be opened with the key of this service. Make a new secret."
    ),
    "server": gettext_noop("The mail server cannot be used: {detail}"),
    "slow": gettext_noop("The receiver did not answer within {detail} seconds."),
    "unknown": gettext_noop("The name of the receiver is not known here. Check the address."),
    "unreachable": gettext_noop("The receiver cannot be reached: {detail}"),
}


class DeliveryError(Exception):
    """A message was not taken; the text says why, in English, and holds no secret."""

    def __init__(self, code: str, detail: object = "") -> None:
        """Name the problem (a key of the templates) and what differs from case to case."""
        shown = " ".join(neutralise(str(detail)).split())
        self.kept = f"{code}{_BETWEEN}{shown}"[:PROBLEM_CHARS]
        """What the database keeps; :func:`problem_said` says it."""
        super().__init__(_TEMPLATES[code].format(detail=shown))


def problem_said(kept: str) -> str:
    """Return a problem in the language of the page; what is no code stays as it is."""
    code, _separator, shown = kept.partition(_BETWEEN)
    return _(_TEMPLATES[code]).format(detail=shown) if code in _TEMPLATES else kept
