"""``POST /ingest`` over a real connection."""

from __future__ import annotations

import gzip
import json
import time
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import zstandard

from haidang.ingest.model import Source
from haidang.limits import DEFAULT_LIMITS
from tests.ingest.serving import TOKEN, Book, Service, post, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EVENTS = [json.dumps({"n": n}).encode() for n in range(5)]
LINES = b"\n".join(EVENTS) + b"\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as service:
        yield service


def test_lines_that_were_acknowledged_are_in_the_spool_as_they_came(service: Service) -> None:
    answer = post(f"{service.url}/ingest", LINES)
    assert (answer.status, answer.json) == (200, {"taken": 5, "quarantined": 0})
    assert service.spooled() == EVENTS


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data, wbits=-15)),
        ("zstd", zstandard.compress),
        ("identity", bytes),
    ],
    ids=["gzip", "zlib", "bare deflate", "zstd", "identity"],
)
def test_compressed_bodies_are_read(
    service: Service, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    body = compress(LINES)
    assert post(f"{service.url}/ingest", body, Content_Encoding=encoding).status == 200
    assert service.spooled() == EVENTS


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_damaged_compression_is_refused_in_whole(service: Service, encoding: str) -> None:
    whole = {"gzip": gzip.compress(LINES), "deflate": zlib.compress(LINES), "zstd": zstandard.compress(LINES)}
    assert post(f"{service.url}/ingest", whole[encoding][:-3], Content_Encoding=encoding).status == 400
    assert service.spooled() == []


def test_an_unknown_content_encoding_is_refused(service: Service) -> None:
    answer = post(f"{service.url}/ingest", LINES, Content_Encoding="br")
    assert answer.status == 415
    assert "gzip" in str(answer.json["error"])


@pytest.mark.parametrize("token", ["", "Bearer other", "Bearer", "Basic !", "Digest x"])
def test_an_unknown_token_is_refused_and_counted(service: Service, token: str) -> None:
    answer = post(f"{service.url}/ingest", LINES, token=token)
    assert answer.status == 401
    assert "www-authenticate" in answer.headers
    assert service.spooled() == []
    if token == "Bearer other":
        assert service.intake.counters.all()[""].refused == 1


def test_a_switched_off_source_is_refused(tmp_path: Path) -> None:
    book = Book({TOKEN: Source("s1", "web", enabled=False)})
    with serving(tmp_path, book) as service:
        assert post(f"{service.url}/ingest", LINES).status == 401
        assert service.spooled() == []


def test_broken_lines_go_to_the_quarantine_and_the_rest_is_taken(service: Service) -> None:
    body = b'{"n": 1}\n{"n": \n\nplain text\n[1]\n{"n": 2} {"n": 3}\r\n{"n": 4}\r\n'
    answer = post(f"{service.url}/ingest", body)
    assert (answer.status, answer.json) == (200, {"taken": 2, "quarantined": 4})
    assert service.spooled() == [b'{"n": 1}', b'{"n": 4}']
    kept = service.quarantine().lines()
    assert {one.line for one in kept} == {b'{"n":', b"plain text", b"[1]", b'{"n": 2} {"n": 3}'}
    assert {(one.source, one.reason) for one in kept} == {("s1", "broken-line")}
    assert all(time.time_ns() - one.last < 60e9 for one in kept)


def test_a_body_of_nothing_but_broken_lines_is_refused_and_kept_for_a_person(service: Service) -> None:
    answer = post(f"{service.url}/ingest", b"no json\n")
    assert (answer.status, answer.json) == (400, {"taken": 0, "quarantined": 1})
    assert [one.line for one in service.quarantine().lines()] == [b"no json"]


def test_an_empty_body_is_refused(service: Service) -> None:
    assert post(f"{service.url}/ingest", b"\n\n").status == 400


@pytest.mark.parametrize(
    "body",
    [
        b'[{"n": 1},{"n": 2}]',
        b'[\n  {\n    "n": 1\n  },\n  {\n    "n": 2\n  }\n]\n',
        b"\xef\xbb\xbf" + b'[{"n":1},{"n":2}]',
    ],
    ids=["one line", "indented", "byte order mark"],
)
def test_an_array_is_taken_object_by_object(service: Service, body: bytes) -> None:
    answer = post(f"{service.url}/ingest", body, Content_Type="application/json")
    assert answer.json == {"taken": 2, "quarantined": 0}
    assert [json.loads(line) for line in service.spooled()] == [{"n": 1}, {"n": 2}]


def test_of_a_broken_array_the_whole_objects_are_taken(service: Service) -> None:
    answer = post(f"{service.url}/ingest", b'[{"n": 1}, 17, {"n": 2}]')
    assert answer.json == {"taken": 2, "quarantined": 1}


def test_an_object_over_several_lines_is_one_event(service: Service) -> None:
    body = b'{\n  "n": 1\n}\n'
    assert post(f"{service.url}/ingest", body, Content_Type="application/json").json["taken"] == 1
    assert [json.loads(line) for line in service.spooled()] == [{"n": 1}]


def test_text_is_taken_as_it_is(tmp_path: Path) -> None:
    book = Book({TOKEN: Source("s1", "fw", format="syslog"), "other": Source("s2", "any")})
    with serving(tmp_path, book) as service:
        line = b"<13>Oct 11 22:14:15 host su: failed"
        assert post(f"{service.url}/ingest", line + b"\n").status == 200
        assert (
            post(f"{service.url}/ingest", b"x y", token="Bearer other", Content_Type="text/plain").status
            == 200
        )
        assert service.spooled() == [line, b"x y"]


def test_a_line_past_the_limit_goes_to_the_quarantine(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, line_bytes=100, quarantine_line_bytes=10)
    with serving(tmp_path, limits=limits) as service:
        long = b'{"a":"%b"}' % (b"x" * 200)
        assert post(f"{service.url}/ingest", long + b"\n" + LINES).json == {"taken": 5, "quarantined": 1}
        (kept,) = service.quarantine().lines()
        assert (kept.reason, kept.line, kept.size, kept.cut) == ("oversized-line", long[:10], len(long), True)


def test_other_methods_are_refused(service: Service) -> None:
    assert post(f"{service.url}/ingest", None, method="GET").status == 405


def test_deep_nesting_is_broken_and_harms_nothing(service: Service) -> None:
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    assert post(f"{service.url}/ingest", deep + b"\n" + LINES).json == {"taken": 5, "quarantined": 1}
