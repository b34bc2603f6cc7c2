"""From a source's settings to its indicators: files, URLs, TAXII collections, MISP feeds, warninglists.

An update gives the source anew, with its account: either all of it is taken, or the error says why none is.
A folder is a MISP feed (it holds a ``manifest.json``), or one warninglist (a ``list.json``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from haidang.errors import ConfigurationError, InputError
from haidang.intel.feeds import read_feed
from haidang.intel.feeds.stix import read_objects
from haidang.intel.misp_feed import MANIFEST, read_misp_feed
from haidang.intel.model import Indicator, Reading
from haidang.intel.remote import AbsentError, fetcher_for, is_url
from haidang.intel.store import Source, with_defaults
from haidang.intel.taxii import collection_url, fetch_objects
from haidang.intel.unpacking import unpacked
from haidang.intel.warninglists import read_warninglist, recognises

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.intel.remote import Answer, Fetcher
    from haidang.limits import Limits

__all__ = ["KINDS", "collect", "in_folder", "read_path"]

KINDS = ("taxii", "misp-feed", "warninglist")
"""Kinds of sources besides the formats of files."""

_MOST_REFUSED = 1000
_WARNINGLIST = "list.json"


def collect(
    source: Source,
    limits: Limits,
    now: int,
    *,
    collection: str = "",
    before: Callable[[], list[Indicator]] = list,
    fetcher: Fetcher | None = None,
) -> tuple[Source, list[Indicator] | bytes]:
    """Return a source as it is now, and its indicators (the list itself for a warninglist).

    Args:
        source: Its settings; a kind of "" is recognised.
        limits: Bounds for hostile input.
        now: Seconds since 1970.
        collection: For TAXII, the collection that is meant.
        before: Gives the indicators of the last update, which an update of a TAXII collection adds to.
        fetcher: Fetches URLs; by default with the source's own credentials.

    Raises:
        InputError: It cannot be read.
        ConfigurationError: Its settings are wrong.
    """
    fetcher = fetcher or fetcher_for(source, limits)
    source = msgspec.structs.replace(source, location=in_folder(source.location))
    if source.kind == "taxii":
        return _taxii(source, limits, now, collection, before, fetcher)
    if source.kind == "misp-feed" or (not source.kind and source.location.endswith("/" + MANIFEST)):
        found, reading = read_misp_feed(source, limits, lambda at: _fetched(at, limits, fetcher), before)
        return _done(found, reading, now)
    data = _fetched(source.location, limits, fetcher)
    if source.kind == "warninglist" or (not source.kind and recognises(data)):
        one = read_warninglist(data, source.location)
        reading = Reading()
        for value in one.refused:
            reading.refuse(value, "a value that cannot be compared with")
        found = msgspec.structs.replace(
            source, kind="warninglist", updated=now, failed="", refused=tuple(reading.refused),
            counts=dict(reading.counts),
        )  # fmt: skip
        return found, data
    kind, reading = read_feed(data, limits, name=source.kind, where=source.location)
    return _done(msgspec.structs.replace(source, kind=kind), reading, now)


def read_path(path: str, limits: Limits, now: int) -> tuple[Source, list[Indicator] | bytes]:
    """Return the indicators in a file or URL that is named for one scan only."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(path).name).strip("-.") or "indicators"
    return collect(Source(name=name[:64], kind="", location=path), limits, now)


def in_folder(location: str) -> str:
    """Return the place of the file that tells what a folder is; any other place as it is.

    Raises:
        InputError: There is none in the folder.
    """
    folder = Path(location)
    if is_url(location) or not folder.is_dir():
        return location
    for name in (MANIFEST, _WARNINGLIST):
        if (folder / name).is_file():
            return str(folder / name)
    raise InputError(
        f"{folder}: a folder that is no MISP feed (manifest.json) and no warninglist (list.json)",
        hint="Name the files in it, one at a time.",
    )


def _done(
    source: Source, reading: Reading, now: int, old: tuple[Indicator, ...] = ()
) -> tuple[Source, list[Indicator]]:
    indicators = [*old, *with_defaults(source, reading, now)]
    if source.indicators and not indicators and source.kind != "taxii":
        raise InputError(
            f"{source.location}: nothing in it is an indicator, where {source.indicators} were before",
            hint=f"If that is right: haidang intel remove {source.name}",
        )
    # A million of them need not be held twice.
    reading.indicators.clear()
    found = msgspec.structs.replace(
        source,
        updated=now,
        failed="",
        indicators=len(indicators),
        refused=tuple(reading.refused),
        counts=dict(reading.counts),
    )
    return found, indicators


def _fetched(location: str, limits: Limits, fetcher: Fetcher) -> bytes:
    return unpacked(_bytes_of(location, limits, fetcher), limits, location)


def _bytes_of(location: str, limits: Limits, fetcher: Fetcher) -> bytes:
    if is_url(location):
        return fetcher.get(location).data
    path = Path(location)
    try:
        if path.is_file() and path.stat().st_size > limits.intel_file_bytes:
            raise InputError(f"{location}: larger than {limits.intel_file_bytes} bytes")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise AbsentError(f"{location}: {error.strerror}") from None
    except OSError as error:
        raise InputError(f"{location}: {error.strerror or error}") from None


def _taxii(
    source: Source,
    limits: Limits,
    now: int,
    collection: str,
    before: Callable[[], list[Indicator]],
    fetcher: Fetcher,
) -> tuple[Source, list[Indicator]]:
    if not is_url(source.location):
        raise ConfigurationError(f"{source.location}: a TAXII collection has an address (https://…)")

    def fetch(url: str, accept: str) -> Answer:
        return fetcher.get(url, accept)

    url = collection_url(fetch, source.location, collection)
    found = fetch_objects(fetch, url, limits, source.added_after)
    reading = read_objects(found.objects, limits)
    # Whatever came anew replaces what was there, a version that cannot be used too.
    gone = {str(one.get("id")) for one in found.objects if isinstance(one, dict)}
    old = tuple(one for one in before() if one.id not in gone) if source.added_after else ()
    if source.added_after:
        # What could not be used then cannot be used now, and the server does not tell of it again.
        reading.counts.update(source.counts)
        reading.refused += [one for one in source.refused if one not in reading.refused][:_MOST_REFUSED]
    settled = msgspec.structs.replace(source, location=url, added_after=found.added_after)
    return _done(settled, reading, now, old)
