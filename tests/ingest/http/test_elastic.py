"""Elasticsearch's bulk interface, by its official client and by what shippers send."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from elasticsearch import ApiError, AuthenticationException, Elasticsearch
from elasticsearch.helpers import BulkIndexError, bulk, parallel_bulk

from haidang.ingest.model import Source
from tests.ingest.serving import TOKEN, Book, Service, post, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCUMENTS = [{"n": n, "message": f"số {n}"} for n in range(7)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as service:
        yield service


@pytest.fixture(params=["", "/elastic"])
def client(service: Service, request: pytest.FixtureRequest) -> Iterator[Elasticsearch]:
    key = ("any", TOKEN)
    with Elasticsearch(f"{service.url}{request.param}", api_key=key, http_compress=True) as client:
        yield client


def actions(kind: str = "create") -> list[dict[str, Any]]:
    return [{"_op_type": kind, "_index": "logs", **document} for document in DOCUMENTS]


def spooled(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.spooled()]


def lines(*items: object) -> bytes:
    return b"".join(
        (item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n" for item in items
    )


@pytest.mark.parametrize("kind", ["create", "index"])
def test_the_official_client_sends_documents(service: Service, client: Elasticsearch, kind: str) -> None:
    assert client.info()["tagline"] == "You Know, for Search"
    taken, errors = bulk(client, actions(kind))
    assert (taken, errors) == (7, [])
    assert spooled(service) == DOCUMENTS


def test_the_official_client_sends_from_several_threads(service: Service, client: Elasticsearch) -> None:
    many = ({"_op_type": "create", "_index": "logs", "n": n} for n in range(2000))
    assert all(ok for ok, _ in parallel_bulk(client, many, thread_count=4, chunk_size=100))
    assert sorted(one["n"] for one in spooled(service)) == list(range(2000))


def test_the_official_client_sends_a_single_document(service: Service, client: Elasticsearch) -> None:
    assert client.index(index="logs", document=DOCUMENTS[0])["result"] == "created"
    assert client.create(index="logs", id="7", document=DOCUMENTS[1])["_id"] == "7"
    assert spooled(service) == DOCUMENTS[:2]


def test_the_official_client_is_told_of_each_document_that_was_not_taken(
    service: Service, client: Elasticsearch
) -> None:
    with pytest.raises(BulkIndexError) as told:
        bulk(client, [*actions()[:2], {"_op_type": "delete", "_index": "logs", "_id": "1"}, *actions()[2:]])
    (error,) = told.value.errors
    assert error["delete"]["status"] == 400
    assert spooled(service) == DOCUMENTS


def test_the_official_client_is_told_that_its_key_is_unknown(service: Service) -> None:
    with Elasticsearch(service.url, api_key="other") as client, pytest.raises(AuthenticationException):
        client.info()
    with Elasticsearch(service.url, basic_auth=("x", "y")) as client, pytest.raises(AuthenticationException):
        bulk(client, actions())
    assert service.intake.counters.all()[""].refused >= 2


def test_there_is_nothing_to_search(client: Elasticsearch) -> None:
    with pytest.raises(ApiError) as told:
        client.options(ignore_status=()).search(index="logs", query={"match_all": {}})
    assert told.value.status_code == 404


def test_the_token_may_be_the_password_or_the_key(service: Service) -> None:
    body = lines({"create": {"_index": "a"}}, {"n": 1})
    for header in [
        f"Bearer {TOKEN}",
        f"ApiKey {TOKEN}",
        "ApiKey " + base64.b64encode(f"id:{TOKEN}".encode()).decode(),
        "Basic " + base64.b64encode(f"elastic:{TOKEN}".encode()).decode(),
    ]:
        assert post(f"{service.url}/_bulk", body, token=header).status == 200
    assert len(spooled(service)) == 4


def test_items_are_answered_in_order_with_index_and_id(service: Service) -> None:
    body = lines(
        {"index": {"_index": "a", "_id": "1"}},
        {"n": 1},
        {"create": {}},
        {"n": 2},
        {"create": {"_id": 3}},
        {"n": 3},
    )
    answer = post(f"{service.url}/web%2Dlogs/_bulk", body).json
    assert answer["errors"] is False
    items: list[Any] = answer["items"]  # type: ignore[assignment]
    assert [next(iter(item)) for item in items] == ["index", "create", "create"]
    found = [next(iter(item.values())) for item in items]
    assert [one["_index"] for one in found] == ["a", "web-logs", "web-logs"]
    assert (found[0]["_id"], found[2]["_id"]) == ("1", "3")
    assert found[1]["_id"]
    assert {one["status"] for one in found} == {201}


def test_broken_documents_go_to_the_quarantine_and_the_rest_is_taken(service: Service) -> None:
    create = {"create": {"_index": "logs"}}
    body = lines(
        create,
        {"n": 1},
        create,
        b'{"n": ',
        b"no action",
        create,
        {"n": 2},
        {"update": {"_id": "1"}},
        {"doc": 1},
        create,
    )
    answer = post(f"{service.url}/_bulk", body).json
    items: list[Any] = answer["items"]  # type: ignore[assignment]
    assert answer["errors"] is True
    assert [next(iter(item.values()))["status"] for item in items] == [201, 400, 400, 201, 400, 400]
    refused = [one for item in items for one in item.values() if one["status"] != 201]
    assert all(one["error"]["reason"] for one in refused)
    assert spooled(service) == [{"n": 1}, {"n": 2}]
    assert {one.line for one in service.quarantine().lines()} == {b'{"n":', b"no action"}


def test_answers_are_brief_for_those_who_ask(service: Service) -> None:
    body = lines({"create": {"_index": "a"}}, {"n": 1}, {"create": {"_index": "a"}}, b"[]")
    path = f"{service.url}/_bulk?filter_path=errors,items.*.error,items.*.status"
    items: list[Any] = post(path, body).json["items"]  # type: ignore[assignment]
    assert items[0] == {"create": {"status": 201}}
    assert items[1]["create"].keys() == {"status", "error"}
    assert "items" not in post(f"{service.url}/_bulk?filter_path=errors", body).json


def test_errors_have_the_form_that_clients_read(service: Service) -> None:
    answer = post(f"{service.url}/_bulk", b"\n")
    assert answer.status == 400
    assert answer.json["status"] == 400
    error: Any = answer.json["error"]
    assert error["type"] == "illegal_argument_exception"
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert post(f"{service.url}/_bulk?{'a=1&' * 200}", lines({"create": {}}, {"n": 1})).status == 400
    assert service.spooled() == []


@pytest.mark.parametrize(
    ("agent", "version"),
    [
        ("Elastic-filebeat/9.2.1 (linux; amd64)", "9.2.1"),
        ("Elastic-winlogbeat/7.17.0 (windows; amd64)", "8.19.0"),
        ("Fluent-Bit", "8.19.0"),
    ],
)
def test_a_beat_never_finds_a_server_that_is_older_than_itself(
    service: Service, agent: str, version: str
) -> None:
    answer = post(f"{service.url}/", None, method="GET", User_Agent=agent)
    found: Any = answer.json["version"]
    assert found["number"] == version


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("GET", "/_license?human=false", "license"),
        ("GET", "/_xpack", "features"),
        ("GET", "/_nodes/http", "nodes"),
        ("GET", "/_ilm/policy/filebeat", "filebeat"),
        ("PUT", "/_ilm/policy/filebeat", "acknowledged"),
        ("GET", "/_index_template/filebeat-8.1", "index_templates"),
        ("PUT", "/_index_template/filebeat-8.1", "acknowledged"),
        ("GET", "/_template/logstash", "logstash"),
        ("GET", "/_data_stream/filebeat", "data_streams"),
        ("PUT", "/_ingest/pipeline/x", "acknowledged"),
        ("GET", "/_cluster/health", "status"),
        ("GET", "/elastic/", "version"),
    ],
)
def test_what_shippers_ask_first_is_answered_to_those_who_may_send(
    service: Service, method: str, path: str, key: str
) -> None:
    body = b"{}" if method == "PUT" else None
    answer = post(f"{service.url}{path}", body, method=method)
    assert answer.status == 200
    assert key in answer.json
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert post(f"{service.url}{path}", body, method=method, token="").status == 401


def test_a_template_is_found_by_head(service: Service) -> None:
    answer = post(f"{service.url}/_index_template/filebeat", None, method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


def test_of_lines_within_documents_the_lines_are_the_records(tmp_path: Path) -> None:
    book = Book({TOKEN: Source("s1", "auth", format="syslog")})
    with serving(tmp_path, book) as service:
        line = "<13>Oct 11 22:14:15 máy su: failed"
        create = {"create": {"_index": "logs"}}
        body = lines(
            create,
            {"message": line, "log": {"file": "x"}},
            create,
            {"log": line},
            create,
            {"other": 1},
            create,
            {"message": 1},
        )
        assert (
            post(f"{service.url}/_bulk", gzip.compress(body), Content_Encoding="gzip").json["errors"] is False
        )
        assert service.spooled() == [line.encode(), line.encode(), b'{"other": 1}', b'{"message": 1}']


def test_a_browser_gets_what_else_is_at_the_root(service: Service) -> None:
    def handles(path: str, method: str = "GET", **headers: str) -> bool:
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": named}
        return app.handles(scope)

    from haidang.ingest.http.app import IngestApp

    app = IngestApp(service.intake)
    assert not handles("/", accept="text/html,*/*")
    assert not handles("/", accept="text/html", authorization="Basic x")
    assert not handles("/")
    assert handles("/", authorization="Basic x")
    assert handles("/", accept="application/vnd.elasticsearch+json; compatible-with=9")
    assert not handles("/alerts/")
    assert not handles("/api/v1/alerts")
    assert not handles("/elasticity")
    assert handles("/logs/_bulk", "POST")
