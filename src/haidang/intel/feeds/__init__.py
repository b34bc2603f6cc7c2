"""One module per format of indicators, found by walking this folder.

A module has ``FEED``: a name, a title, ``recognises`` (how sure it is that some bytes are its format, 0 to
100) and ``read``. It never raises for what is in a file: entries that cannot be used are refused by name and
counted, and a file that cannot be read at all is an ``InputError``. ``plain_list.py`` is the one to copy.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Protocol

from haidang.errors import ConfigurationError, InputError
from haidang.registry import registered

if TYPE_CHECKING:
    from haidang.intel.model import Reading
    from haidang.limits import Limits

__all__ = ["Feed", "feeds", "read_feed"]


class Feed(Protocol):
    """How a format of indicators is recognised and read."""

    name: str
    title: str

    def recognises(self, data: bytes) -> int:
        """Return how sure it is, 0 to 100, that these bytes are its format."""
        ...

    def read(self, data: bytes, limits: Limits) -> Reading:
        """Return the indicators in a file, and what of it cannot be used."""
        ...


@cache
def feeds() -> dict[str, Feed]:
    """Return every feed format by name."""
    return {module.FEED.name: module.FEED for module in registered(__name__, __path__)}


def read_feed(data: bytes, limits: Limits, *, name: str = "", where: str = "") -> tuple[str, Reading]:
    """Return the name of the format and what was read; ``name`` forces a format.

    Raises:
        ConfigurationError: There is no such format.
        InputError: It is too large, or no format that is known.
    """
    if len(data) > limits.intel_file_bytes:
        raise InputError(f"{where}: larger than {limits.intel_file_bytes} bytes")
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data[:64].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        # What a portal or a server under repair answers in place of the list.
        raise InputError(f"{where}: a web page, no indicators")
    known = feeds()
    if name and name not in known:
        raise ConfigurationError(
            f"there is no format of indicators {name!r}", hint=f"Choose one of: {', '.join(sorted(known))}"
        )
    if not name:
        sure = {one: feed.recognises(data) for one, feed in known.items()}
        name = max(sure, key=lambda one: (sure[one], one))
        if not sure[name]:
            raise InputError(
                f"{where}: the format of these indicators is not recognised",
                hint=f"Name it: {', '.join(sorted(known))}.",
            )
    try:
        return name, known[name].read(data, limits)
    except InputError as error:
        raise InputError(f"{where}: {error.message}", hint=error.hint) from None
