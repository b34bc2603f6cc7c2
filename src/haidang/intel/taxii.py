"""A small TAXII 2.1 client: from the address of a collection to its STIX objects.

- The address may be the collection's own (``…/collections/ID/``), an API root's, or a discovery document's;
  of several collections one must be named.
- Pages are followed by ``more`` and ``next``; a server that gives no ``next`` is asked on by the time of the
  last object (``X-TAXII-Date-Added-Last``). A server that leads in a circle is stopped.
- ``added_after`` of the next update is the newest such time that the server gave.

Section numbers are those of the TAXII 2.1 specification. The server is not trusted.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode, urljoin

import orjson

from haidang.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.intel.remote import Answer
    from haidang.limits import Limits

__all__ = ["MEDIA_TYPE", "Objects", "collection_url", "fetch_objects"]

MEDIA_TYPE = "application/taxii+json;version=2.1"
_PAGE = 1000
_NAMED = 20


class Objects(NamedTuple):
    """What a collection gave."""

    objects: list[Any]
    added_after: str
    """What to ask for next time, "" where the server did not say."""


def _get(fetch: Callable[[str, str], Answer], url: str) -> tuple[dict[str, Any], Answer]:
    answer = fetch(url, MEDIA_TYPE)
    media = answer.headers.get("content-type", "").lower().replace(" ", "")
    if not media.startswith("application/taxii+json"):
        raise InputError(
            f"{url}: not TAXII 2.1: the server answers with {media or 'no content type'}",
            hint="Is the address that of a TAXII 2.1 server?",
        )
    if "version=" in media and "version=2.1" not in media:
        raise InputError(f"{url}: the server speaks {media}, not TAXII 2.1")
    try:
        document = orjson.loads(answer.data)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{url}: not valid JSON: {error.msg} at byte {error.pos}") from None
    if not isinstance(document, dict):
        raise InputError(f"{url}: not an object of TAXII 2.1")
    return document, answer


def collection_url(fetch: Callable[[str, str], Answer], url: str, collection: str = "") -> str:
    """Return the address of a collection, found from any address of its server.

    Raises:
        InputError: The server does not answer as TAXII 2.1.
        ConfigurationError: There is no such collection, or several and none is named.
    """
    url = url if url.endswith("/") else url + "/"
    url = url.removesuffix("objects/") if "/collections/" in url and url.endswith("/objects/") else url
    steps = url.rstrip("/").split("/")
    if len(steps) > 2 and steps[-2] == "collections":
        return url
    roots = [url.removesuffix("collections/")]
    if not url.endswith("/collections/"):
        document, _ = _get(fetch, url)
        if isinstance(document.get("api_roots"), list):
            # Section 4.1: a discovery document; roots may be relative.
            default = document.get("default")
            found = (
                [str(default)] if isinstance(default, str) else [str(root) for root in document["api_roots"]]
            )
            roots = [_slashed(urljoin(url, root)) for root in found[:_NAMED]]
    known: dict[str, str] = {}
    for root in roots:
        document, _ = _get(fetch, root + "collections/")
        listed = document.get("collections")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and one.get("can_read") is not False and isinstance(one.get("id"), str):
                address = f"{root}collections/{quote(one['id'], safe='')}/"
                names = {one["id"], str(one.get("title", "")), str(one.get("alias", ""))}
                if collection and collection in names:
                    return address
                known[address] = f"{one['id']} ({one.get('title', '')})"
    if not collection and len(known) == 1:
        return next(iter(known))
    listed_names = ", ".join(list(known.values())[:_NAMED]) or "none"
    raise ConfigurationError(
        f"{url}: there is no collection {collection!r}"
        if collection
        else f"{url}: which collection is meant?",
        hint=f"Name one by --collection. The server has: {listed_names}.",
    )


def _slashed(url: str) -> str:
    return url if url.endswith("/") else url + "/"


def fetch_objects(
    fetch: Callable[[str, str], Answer], collection: str, limits: Limits, added_after: str = ""
) -> Objects:
    """Return all objects of a collection that were added after a time.

    Raises:
        InputError: The server does not answer as TAXII 2.1, or without end.
    """
    objects: list[Any] = []
    newest = added_after
    asked: dict[str, str] = {"added_after": added_after} if added_after else {}
    seen: set[tuple[str, bytes]] = set()
    for _ in range(limits.intel_pages):
        query = urlencode({"limit": str(_PAGE), **asked})
        envelope, answer = _get(fetch, f"{collection}objects/?{query}")
        # A "next" may be that of the whole walk and stay the same (OASIS's own server does so): the same
        # answer to the same question is what leads nowhere.
        step = (query, hashlib.blake2b(answer.data, digest_size=16).digest())
        if step in seen:
            raise InputError(f"{collection}: the server leads in a circle (next={asked.get('next', '')!r})")
        seen.add(step)
        page = envelope.get("objects")
        objects.extend(page if isinstance(page, list) else ())
        if len(objects) > limits.intel_indicators:
            raise InputError(f"{collection}: more than {limits.intel_indicators} objects")
        last = answer.headers.get("x-taxii-date-added-last", "")
        newest = max(newest, last)
        if envelope.get("more") is not True:
            return Objects(objects, newest)
        following = envelope.get("next")
        if isinstance(following, str) and following:
            asked = {**asked, "next": following}
        elif last:
            asked = {"added_after": last}
        else:
            raise InputError(f"{collection}: the server has more, but does not say how to ask for it")
    raise InputError(f"{collection}: more than {limits.intel_pages} pages")
