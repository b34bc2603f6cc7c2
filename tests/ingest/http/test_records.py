"""The fast way through the lines of a request says what the plain one says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from haidang.ingest.http import _bulk, _envelopes, _otlp_json, _records
from haidang.ingest.http.exchange import RequestError
from haidang.limits import DEFAULT_LIMITS

PIECES = [
    *(
        b"{}",
        b'{"a":1}',
        b'{"a":"}\\n{"}',
        b'{"a":[',
        b"{",
        b"}",
        b"]}",
        b"[]",
        b"1",
        b'"x"',
        b"",
        b" ",
        b"\r",
    ),
    *(b",", b"\n", b"\x00", b"nul", b'{"create":{}}', b'{"index":{"_id":"7"}}', b'{"delete":{}}'),
]
BODIES = st.lists(st.sampled_from(PIECES), max_size=12).flatmap(
    lambda pieces: st.lists(st.sampled_from([b"", b"\n"]), min_size=len(pieces), max_size=len(pieces)).map(
        lambda ends: b"".join(piece + end for piece, end in zip(pieces, ends, strict=True))
    )
)


def is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@given(BODIES)
@example(b'{"a":[\n{"b":1}]}\n{}{}')
@example(b"{}{}\n{\n}")
@example(b"{}\r\n{}")
@example(b"")
def test_lines_are_objects_or_in_quarantine(body: bytes) -> None:
    portion, broken = _records.json_lines(body, DEFAULT_LIMITS)
    lines = [line.strip(b" \t\r\n\x00") for line in body.split(b"\n")]
    lines = [line for line in lines if line]
    found = [line.strip() for line in portion.data.split(b"\n") if line]
    assert found == [line for line in lines if is_object(line)]
    assert portion.count == len(found)
    assert [one.line for one in broken.lines] == [line for line in lines if not is_object(line)]


@given(BODIES)
@example(b'{"create":{}}\n{"a":[\n{"create":{}}\n{"b":1}]}')
def test_a_bulk_request_is_read_straight_as_it_is_line_by_line(body: bytes) -> None:
    bulk = _bulk.read_bulk(body, "logs", DEFAULT_LIMITS, brief=True)
    plain = _bulk._by_line(body.split(b"\n"), "logs", DEFAULT_LIMITS, brief=True)
    assert [one.strip() for one in bulk.documents] == list(plain.documents)
    assert bulk.broken == plain.broken
    assert (bulk.items, bulk.errors) == (plain.items, plain.errors)
    assert len(bulk.documents) + sum(b'"error"' in item for item in bulk.items) == len(bulk.items)
    assert all(is_object(one) for one in bulk.documents)


@given(BODIES)
def test_envelopes_are_never_lost_in_silence(body: bytes) -> None:
    portions, broken = _envelopes.read_envelopes(body, "", DEFAULT_LIMITS)
    assert all(portion.data and portion.count for portion in portions)
    assert not body.strip() or portions or broken.count


def test_what_is_no_unicode_is_replaced_in_a_text() -> None:
    assert _records.text_of('"số"'.encode()) == "số".encode()
    assert _records.text_of(b'"\xff"') == "\ufffd".encode()


def test_lines_within_documents_are_told_from_documents() -> None:
    documents = [b'{"message":"a"}', b'{"log":"b","message":{}}', b'{"message":null}']
    portions = _records.portions_of(documents, "syslog")
    assert [(one.format, one.data, one.count) for one in portions] == [
        ("syslog", b"a\nb", 2),
        ("ndjson", b'{"message":null}', 1),
    ]
    for name in ("suricata", "collected", "web-json"):
        (portion,) = _records.portions_of(documents, name)
        assert (portion.format, portion.count) == (name, 3)


@pytest.mark.parametrize("body", [b"{}" * 2_100_000, b"x\n" * 2_100_000], ids=["objects", "lines"])
def test_so_many_records_that_their_number_takes_memory_are_refused(body: bytes) -> None:
    limits = replace(DEFAULT_LIMITS, ingest_request_events=10_000)
    for read in (
        lambda: _records.json_lines(body, limits),
        lambda: _records.any_json(body, limits),
        lambda: _bulk.read_bulk(body, "", limits, brief=True),
        lambda: _envelopes.read_envelopes(body, "", limits),
        lambda: _otlp_json.read_json(body, "", limits),
    ):
        with pytest.raises(RequestError) as told:
            read()
        assert told.value.status == 413
