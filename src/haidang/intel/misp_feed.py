"""A MISP feed: the events that its manifest names, from beside it; of known ones only those that changed.

- The manifest tells when each event was changed (``timestamp``). What an update finds unchanged is taken from
  the update before, unless another version of this program read it, or indicators end so many days after they
  were read (``expires_days``).
- An event that is not there, or cannot be read, is refused by name. A server that fails ends the update: half
  of a feed must not replace what was there.

The server is not trusted.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import msgspec
import orjson

from haidang._version import __version__
from haidang.errors import InputError
from haidang.intel.feeds import read_feed
from haidang.intel.model import Indicator, Reading
from haidang.intel.remote import AbsentError, is_url
from haidang.intel.store import FeedEvent, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from haidang.limits import Limits

__all__ = ["MANIFEST", "read_misp_feed"]

MANIFEST = "manifest.json"
_UUID = re.compile(r"[0-9a-fA-F-]{36}")
_MOST_REFUSED = 1000


def read_misp_feed(
    source: Source,
    limits: Limits,
    fetched: Callable[[str], bytes],
    before: Callable[[], list[Indicator]],
) -> tuple[Source, Reading]:
    """Return a feed as it is now, and what it holds.

    Args:
        source: Its settings, and what is known of its events.
        limits: Bounds for hostile input.
        fetched: Gives what is at a place.
        before: Gives the indicators of the last update.

    Raises:
        InputError: It cannot be read.
    """
    location = source.location
    if not location.endswith(".json"):
        location = location.rstrip("/") + "/" + MANIFEST
    known = _known(source, before)
    whole = Reading()
    events: dict[str, FeedEvent] = {}
    for number, (uuid, about) in enumerate(_manifest(fetched(location), location).items()):
        if number >= limits.intel_pages:
            whole.refuse(uuid, f"more than {limits.intel_pages} events in one feed")
            continue
        if not _UUID.fullmatch(uuid):
            # It becomes part of a path: nothing but an id may.
            whole.refuse(uuid, "no event id")
            continue
        told = about if isinstance(about, dict) else {}
        changed = str(told.get("timestamp") or "")
        event, indicators = known.get(uuid, (None, []))
        if event is not None and changed and event.timestamp == changed:
            _take(whole, indicators, event.counts)
        else:
            read = _event(whole, location, uuid, str(told.get("info", "")), limits, fetched)
            if read is None:
                continue
            event = FeedEvent(changed, len(read.indicators), dict(read.counts))
            whole.refused += read.refused[: max(0, _MOST_REFUSED - len(whole.refused))]
            _take(whole, read.indicators, event.counts)
        events[uuid] = event
    if known:
        _keep_named(whole, source)
    return msgspec.structs.replace(source, kind="misp-feed", events=events, read_by=__version__), whole


def _known(
    source: Source, before: Callable[[], list[Indicator]]
) -> dict[str, tuple[FeedEvent, list[Indicator]]]:
    """Return what the last update read, by event."""
    if not source.events or source.read_by != __version__ or source.expires_days:
        return {}
    indicators = before()
    if sum(event.indicators for event in source.events.values()) != len(indicators):
        return {}
    found: dict[str, tuple[FeedEvent, list[Indicator]]] = {}
    at = 0
    for uuid, event in source.events.items():
        found[uuid] = event, indicators[at : at + event.indicators]
        at += event.indicators
    return found


def _keep_named(whole: Reading, source: Source) -> None:
    """Keep the names of what could not be used of events that were not read again."""
    named = {(one.what, one.reason) for one in whole.refused}
    still = (one for one in source.refused if one.reason in whole.counts)
    kept = [one for one in still if (one.what, one.reason) not in named]
    whole.refused += kept[: max(0, _MOST_REFUSED - len(whole.refused))]


def _take(whole: Reading, indicators: list[Indicator], counts: Mapping[str, int]) -> None:
    whole.indicators += indicators
    whole.counts.update(counts)


def _manifest(data: bytes, location: str) -> dict[str, Any]:
    try:
        manifest = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{location}: not valid JSON: {error.msg} at byte {error.pos}") from None
    if not isinstance(manifest, dict):
        raise InputError(f"{location}: not the manifest of a MISP feed")
    return manifest


def _event(
    whole: Reading, location: str, uuid: str, info: str, limits: Limits, fetched: Callable[[str], bytes]
) -> Reading | None:
    """Return what an event holds, or None after counting why it cannot be read."""
    name = f"{uuid}.json"
    beside = urljoin(location, name) if is_url(location) else str(Path(location).parent / name)
    try:
        data = fetched(beside)
    except AbsentError as error:
        whole.refuse(f"{uuid} {info}", f"an event that cannot be read: {error.message.partition(': ')[2]}")
        return None
    try:
        return read_feed(data, limits, name="misp", where=beside)[1]
    except InputError as error:
        whole.refuse(f"{uuid} {info}", f"an event that cannot be read: {error.message.partition(': ')[2]}")
        return None
