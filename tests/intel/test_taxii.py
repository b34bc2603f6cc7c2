"""The TAXII 2.1 client against a real server on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec.structs import replace as replaced

from haidang.errors import ConfigurationError, InputError
from haidang.intel.collecting import collect
from haidang.intel.remote import Fetcher
from haidang.intel.store import Source
from haidang.intel.taxii import MEDIA_TYPE, collection_url, fetch_objects
from haidang.limits import DEFAULT_LIMITS
from tests.intel.serving import Asked, Reply, serving

if TYPE_CHECKING:
    from haidang.intel.remote import Answer


def reply(document: Any, media: str = MEDIA_TYPE, **headers: str) -> Reply:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(json.dumps(document).encode(), headers=(("Content-Type", media), *pairs))


def indicator(number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "id": f"indicator--{number}",
        "pattern_type": "stix",
        "pattern": f"[domain-name:value = 'n{number}.example']",
        **more,
    }


class Server:
    """Two pages of a collection, paged by ``next`` or by time, and what leads to it."""

    def __init__(self, *, by_next: bool = True) -> None:
        self.by_next = by_next
        self.objects = [(f"2026-01-0{day}T00:00:00.000Z", indicator(day)) for day in range(1, 6)]

    def __call__(self, asked: Asked) -> Reply:
        path = urlsplit(asked.path)
        if asked.headers["accept"] != MEDIA_TYPE:
            return Reply(status=406)
        if path.path == "/taxii2/":
            return reply({"title": "t", "api_roots": ["/api/"]})
        if path.path == "/api/":
            return reply({"title": "root", "versions": [MEDIA_TYPE]})
        if path.path == "/api/collections/":
            listed = [
                {"id": "c1", "title": "First", "can_read": True},
                {"id": "c2", "title": "Second", "alias": "two"},
            ]
            return reply({"collections": listed})
        if path.path != "/api/collections/c1/objects/":
            return Reply(status=404)
        query = {name: values[0] for name, values in parse_qs(path.query).items()}
        after = query.get("added_after", "")
        left = [pair for pair in self.objects if pair[0] > after]
        begin = int(query.get("next", "0"))
        page = left[begin : begin + 2]
        envelope: dict[str, Any] = {"objects": [one for _, one in page]}
        if begin + 2 < len(left):
            envelope["more"] = True
            if self.by_next:
                envelope["next"] = str(begin + 2)
        last = {"X_TAXII_Date_Added_Last": page[-1][0]} if page else {}
        return reply(envelope, **last)


def ids(found: Any) -> list[str]:
    return [one["id"] for one in found.objects]


@pytest.mark.parametrize("by_next", [True, False])
def test_all_pages_are_read_by_next_or_by_time(by_next: bool) -> None:  # noqa: FBT001
    with serving(Server(by_next=by_next)) as (url, asked):
        found = fetch_objects(Fetcher(DEFAULT_LIMITS).get, f"{url}/api/collections/c1/", DEFAULT_LIMITS)
    assert ids(found) == [f"indicator--{day}" for day in range(1, 6)]
    assert found.added_after == "2026-01-05T00:00:00.000Z"
    assert len(asked) == 3
    assert all("limit=" in one.path for one in asked)


def test_added_after_gives_only_what_is_new() -> None:
    with serving(Server()) as (url, _):
        get = Fetcher(DEFAULT_LIMITS).get
        found = fetch_objects(get, f"{url}/api/collections/c1/", DEFAULT_LIMITS, "2026-01-04T00:00:00.000Z")
        assert ids(found) == ["indicator--5"]
        none = fetch_objects(get, f"{url}/api/collections/c1/", DEFAULT_LIMITS, found.added_after)
    assert none == ([], "2026-01-05T00:00:00.000Z")


@pytest.mark.parametrize(
    ("path", "collection"),
    [
        ("/taxii2/", "c1"),
        ("/taxii2", "First"),
        ("/api/", "c1"),
        ("/api/collections/", "First"),
        ("/api/collections/c1/", ""),
        ("/api/collections/c1/objects/", ""),
    ],
)
def test_a_collection_is_found_from_any_address(path: str, collection: str) -> None:
    with serving(Server()) as (url, _):
        found = collection_url(Fetcher(DEFAULT_LIMITS).get, url + path, collection)
        assert found == f"{url}/api/collections/c1/"


@pytest.mark.parametrize("collection", ["", "other"])
def test_a_collection_that_is_not_clear_is_asked_for_by_name(collection: str) -> None:
    with serving(Server()) as (url, _), pytest.raises(ConfigurationError, match="collection") as caught:
        collection_url(Fetcher(DEFAULT_LIMITS).get, url + "/api/", collection)
    assert "c1 (First), c2 (Second)" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply({}, "text/html"), "not TAXII 2.1"),
        (reply({}, "application/taxii+json;version=2.0"), "not TAXII 2.1"),
        (Reply(b"{", headers=(("Content-Type", MEDIA_TYPE),)), "not valid JSON"),
        (reply([]), "not an object"),
        (reply({"more": True, "objects": []}), "does not say how"),
        (reply({"more": True, "next": "same", "objects": []}), "circle"),
        (Reply(status=401), "401"),
    ],
)
def test_a_server_that_does_not_keep_the_rules_is_an_error(answer: Reply, reason: str) -> None:
    with serving(lambda _: answer) as (url, _), pytest.raises(InputError, match=reason):
        fetch_objects(Fetcher(DEFAULT_LIMITS).get, f"{url}/collections/c/", DEFAULT_LIMITS)


def test_intel_pages_bounds_a_server_without_end() -> None:
    pages: list[int] = []

    def endless(_url: str, _accept: str) -> Answer:
        from haidang.intel.remote import Answer

        pages.append(1)
        document = json.dumps({"more": True, "next": str(len(pages)), "objects": []})
        return Answer(document.encode(), {"content-type": MEDIA_TYPE})

    with pytest.raises(InputError, match="more than 5 pages"):
        fetch_objects(endless, "https://x.example/collections/c/", replace(DEFAULT_LIMITS, intel_pages=5))
    assert len(pages) == 5


def test_a_next_that_stays_the_same_leads_on_as_long_as_there_is_more() -> None:
    left = [[indicator(1)], [indicator(2)], [indicator(3)]]

    def answer(_: Asked) -> Reply:
        page = left.pop(0)
        return reply({"objects": page, **({"more": True, "next": "session"} if left else {})})

    with serving(answer) as (url, _):
        found = fetch_objects(Fetcher(DEFAULT_LIMITS).get, url + "/c/", DEFAULT_LIMITS)
    assert ids(found) == ["indicator--1", "indicator--2", "indicator--3"]


def test_a_server_that_gives_too_many_objects_is_an_error() -> None:
    limits = replace(DEFAULT_LIMITS, intel_indicators=3)
    with serving(Server()) as (url, _), pytest.raises(InputError, match="more than 3"):
        fetch_objects(Fetcher(limits).get, f"{url}/api/collections/c1/", limits)


def test_an_update_adds_replaces_and_takes_back() -> None:
    server = Server()
    with serving(server) as (url, asked):
        source = Source("t", "taxii", f"{url}/api/", confidence=50, tlp="green")
        source, first = collect(source, DEFAULT_LIMITS, 100, collection="First")
        assert source.location == f"{url}/api/collections/c1/"
        assert isinstance(first, list)
        assert len(first) == source.indicators == 5
        assert {(one.confidence, one.tlp) for one in first} == {(50, "green")}
        server.objects += [
            ("2026-02-01T00:00:00.000Z", indicator(1, revoked=True)),
            ("2026-02-02T00:00:00.000Z", indicator(2, pattern="[domain-name:value = 'new.example']")),
            ("2026-02-03T00:00:00.000Z", indicator(9)),
            ("2026-02-03T00:00:00.000Z", indicator(4, pattern="[mutex:name = 'cannot be used']")),
        ]
        del asked[:]
        source, second = collect(source, DEFAULT_LIMITS, 200, before=lambda: first)
    assert isinstance(second, list)
    assert sorted(one.value for one in second) == [
        "n3.example", "n5.example", "n9.example", "new.example",
    ]  # fmt: skip
    assert "added_after=2026-01-05" in asked[0].path
    with serving(server) as (url, _):
        third, _ = collect(replaced(source, location=f"{url}/api/collections/c1/"), DEFAULT_LIMITS, 300)
    assert third.counts == source.counts, "what cannot be used is not forgotten with the next update"
    assert {one.what for one in third.refused} == {"indicator--1", "indicator--4"}
    assert (source.updated, source.added_after) == (200, "2026-02-03T00:00:00.000Z")
