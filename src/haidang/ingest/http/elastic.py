"""Elasticsearch's bulk interface: what Beats, Fluent Bit, Vector, Logstash and rsyslog speak.

Rules of this module:

- ``POST /_bulk``, ``POST /{index}/_bulk`` and single documents are taken, at the root and below ``/elastic``.
  Index, id and pipeline mean nothing here: an event is known by its fields.
- Shippers look at the server before they send (version, licence, templates, policies). All that they ask
  for is said to be there, and what they set up is acknowledged: nothing of it is needed. There is nothing
  to search.
- ``GET /`` is answered to clients of an interface only; a browser gets what else is at the root.
- A source whose format is that of a text (``syslog``, ``auditd`` …) sends lines within documents: the line in
  ``message`` is the record.

All input is untrusted.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from haidang.ingest.http._bulk import read_bulk
from haidang.ingest.http._records import any_json, portions_of
from haidang.ingest.http.exchange import THREAD_BYTES, Failure, RequestError, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from haidang.ingest.http.exchange import Request

__all__ = ["Elastic"]

_PREFIX = "/elastic"
_VERSION = (8, 19, 0)
"""Of the interface that is spoken; Beats refuse a server that is older than they are."""
_AGENT = re.compile(r"beat/(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
_OURS = re.compile(
    r"/_(?:bulk|license|xpack|nodes|index_template|component_template|template|ilm|ingest|data_stream|cluster"
    r"|cat)(?:/|\Z)|/[^/_][^/]*/_(?:bulk|doc|create)(?:/|\Z)"
)
_BULK = re.compile(r"/(?:([^/_][^/]*)/)?_bulk/?")
_DOCUMENT = re.compile(r"/([^/_][^/]*)/_(?:doc|create)(?:/([^/]+))?/?")
_COMPATIBLE = re.compile(r"application/vnd\.elasticsearch\+(?:x-nd)?json\s*;\s*compatible-with=(\d+)")
_TYPES = {
    401: "security_exception",
    413: "content_too_long_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_exception",
}


class Elastic:
    """The protocol."""

    def claims(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Return whether a request is for this protocol."""
        if path == _PREFIX or path.startswith(f"{_PREFIX}/"):
            return True
        if path == "/":
            accept = headers.get("accept", "")
            asks = "authorization" in headers or "elastic" in accept or "x-elastic-client-meta" in headers
            return method in {"GET", "HEAD"} and asks and "text/html" not in accept
        return _OURS.match(path) is not None

    async def answer(self, request: Request) -> Response:
        """Take documents, or answer what a shipper asks first."""
        request.authenticate()
        path = request.path.removeprefix(_PREFIX) or "/"
        writes = request.method in {"POST", "PUT"}
        if bulk := _BULK.fullmatch(path):
            if not writes:
                raise RequestError(405, "send documents with POST")
            return await self._bulk(request, unquote(bulk[1] or ""))
        if writes and (document := _DOCUMENT.fullmatch(path)):
            return await self._document(request, unquote(document[1]), unquote(document[2] or ""))
        answer = _handshake(request.method, path, request.headers.get("user-agent", ""))
        if answer is None:
            raise RequestError(404, "there is nothing to search here; events are taken by _bulk")
        if isinstance(answer, str):
            return self._response(request, 200, answer.encode(), "text/plain")
        return self._response(request, 200, msgspec.json.encode(answer))

    def failure(self, failure: Failure, request: Request) -> Response:
        """Say what went wrong."""
        del request
        kind = _TYPES.get(failure.status, "illegal_argument_exception")
        cause = {"type": kind, "reason": failure.message}
        body = {"error": {"root_cause": [cause], **cause}, "status": failure.status}
        return Response(failure.status, msgspec.json.encode(body), headers=_PRODUCT)

    async def _bulk(self, request: Request, index: str) -> Response:
        begin = time.monotonic()
        body = await request.body()
        wanted = request.query("filter_path")
        limits = request.intake.limits
        if len(body) > THREAD_BYTES:
            bulk = await asyncio.to_thread(read_bulk, body, index, limits, brief=bool(wanted))
        else:
            bulk = read_bulk(body, index, limits, brief=bool(wanted))
        if not bulk.items:
            raise RequestError(400, "request body is required")
        portions = portions_of(bulk.documents, request.authenticate().format)
        await request.keep(portions, bulk.broken)
        took = round((time.monotonic() - begin) * 1000)
        errors = b"true" if bulk.errors else b"false"
        items = b"" if wanted and "items" not in wanted else b',"items":[%b]' % b",".join(bulk.items)
        return self._response(request, 200, b'{"took":%d,"errors":%b%b}' % (took, errors, items))

    async def _document(self, request: Request, index: str, id_: str) -> Response:
        portion, broken = any_json(await request.body(), request.intake.limits)
        if broken.count or portion.count != 1:
            await request.keep([], broken)
            raise RequestError(400, "the document is no JSON object")
        await request.keep(portions_of([portion.data], request.authenticate().format), broken)
        answer = {
            "_index": index,
            "_id": id_ or "0",
            "_version": 1,
            "result": "created",
            "_shards": {"total": 1, "successful": 1, "failed": 0},
            "_seq_no": 0,
            "_primary_term": 1,
        }
        return self._response(request, 201, msgspec.json.encode(answer))

    def _response(self, request: Request, status: int, body: bytes, media_type: str = "") -> Response:
        compatible = _COMPATIBLE.search(request.headers.get("accept", ""))
        version = f"application/vnd.elasticsearch+json;compatible-with={compatible[1]}" if compatible else ""
        return Response(status, body, media_type or version or "application/json", _PRODUCT)


_PRODUCT = (("x-elastic-product", "Elasticsearch"),)
"""Official clients send nothing to a server that does not say this."""

_LICENSE = {
    "status": "active",
    "uid": "haidang",
    "type": "basic",
    "mode": "basic",
    "issue_date": "2020-01-01T00:00:00.000Z",
    "issue_date_in_millis": 1_577_836_800_000,
    "max_nodes": 1000,
    "issued_to": "haidang",
    "issuer": "haidang",
    "start_date_in_millis": -1,
}
_FEATURES = {name: {"available": True, "enabled": True} for name in ("ilm", "security", "data_streams")}
_HEALTH = {
    "cluster_name": "haidang",
    "status": "green",
    "timed_out": False,
    "number_of_nodes": 1,
    "number_of_data_nodes": 1,
    "active_shards_percent_as_number": 100.0,
}


def _handshake(method: str, path: str, agent: str) -> dict[str, Any] | str | None:
    """Return the answer to what shippers ask before they send, None for anything else."""
    parts = [unquote(part) for part in path.split("/") if part]
    if not parts:
        return _information(agent)
    what = parts[0]
    if what == "_cat":
        return "haidang green\n"
    answer = _ANSWERS.get(what)
    if answer is None:
        return None
    if method in {"PUT", "POST", "DELETE"}:
        return {"acknowledged": True}
    return answer(parts[-1])


def _information(agent: str) -> dict[str, Any]:
    sender = _AGENT.search(agent)
    version = max(_VERSION, (int(sender[1]), int(sender[2]), int(sender[3]))) if sender else _VERSION
    return {
        "name": "haidang",
        "cluster_name": "haidang",
        "cluster_uuid": "haidang",
        "version": {
            "number": ".".join(map(str, version)),
            "build_flavor": "default",
            "build_type": "tar",
            "build_hash": "0",
            "build_date": "2020-01-01T00:00:00.000Z",
            "build_snapshot": False,
            "lucene_version": "9.12.0",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    }


_ANSWERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "_license": lambda _: {"license": _LICENSE},
    "_xpack": lambda _: {"license": _LICENSE, "features": _FEATURES},
    "_nodes": lambda _: {"_nodes": {"total": 0, "successful": 0, "failed": 0}, "nodes": {}},
    "_cluster": lambda _: _HEALTH,
    "_index_template": lambda name: {"index_templates": [{"name": name, "index_template": {}}]},
    "_component_template": lambda name: {"component_templates": [{"name": name, "component_template": {}}]},
    "_template": lambda name: {name: {"index_patterns": []}},
    "_ilm": lambda name: {name: {"version": 1, "policy": {"phases": {}}}},
    "_ingest": lambda name: {name: {"processors": []}},
    "_data_stream": lambda name: {"data_streams": [{"name": name, "indices": [], "status": "GREEN"}]},
}
"""What is asked for to the answer, given the last part of the path."""
