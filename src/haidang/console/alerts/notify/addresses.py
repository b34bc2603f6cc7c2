"""Where a channel tells: e-mail addresses, or the URL of a webhook, checked when they are entered.

The path of a webhook's URL is often its only secret: lists, logs and answers show the host alone.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from urllib.parse import SplitResult

__all__ = ["MOST_ADDRESSES", "addresses", "checked_addresses", "checked_url", "url_shown", "url_told"]

MOST_ADDRESSES = 50
_LONGEST_URL = 2000


def addresses(text: str) -> list[str]:
    """Return the e-mail addresses of a text, each once: commas, semicolons or lines lie between them."""
    parts = text.replace("\n", ",").replace("\r", ",").replace(";", ",").split(",")
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def checked_addresses(text: str) -> str:
    """Return e-mail addresses with commas between them.

    Raises:
        ValidationError: One is none, or there are none or too many.
    """
    found = addresses(text)
    if not found:
        raise ValidationError(_("Enter an e-mail address."))
    if len(found) > MOST_ADDRESSES:
        raise ValidationError(
            _("At most %(most)s addresses; make a mailing list of them."), params={"most": MOST_ADDRESSES}
        )
    for one in found:
        try:
            validate_email(one)
        except ValidationError:
            raise ValidationError(
                _("“%(address)s” is no e-mail address."), params={"address": one[:100]}
            ) from None
    return ", ".join(found)


def checked_url(text: str) -> str:
    """Return the URL of a webhook.

    Raises:
        ValidationError: It is none of http or https with a host, or holds a user name or password.
    """
    url = text.strip()
    parts = _parts(url)
    if (
        parts is None
        or parts.scheme not in {"http", "https"}
        or not url.isascii()
        or any(character <= " " or character == "\x7f" for character in url)
        or len(url) > _LONGEST_URL
    ):
        raise ValidationError(
            _("Enter one address that begins with http:// or https://, without spaces and accents.")
        )
    if parts.username is not None or parts.password is not None:
        raise ValidationError(
            _("No user name and password in the address: what is sent is signed with the secret instead.")
        )
    return url


def url_shown(url: str) -> str:
    """Return of a URL what everybody may see: scheme, host and port, and whether there is more."""
    parts = _parts(url)
    if parts is None:
        return "…"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}/{'…' if parts.path.strip('/') or parts.query else ''}"


def url_told(url: str) -> str:
    """Return a URL as the audit log has it: what may be seen, and a mark by which another one differs."""
    return f"{url_shown(url)} #{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def _parts(url: str) -> SplitResult | None:
    """Return the parts of a URL that has a host, None for what is none."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None
