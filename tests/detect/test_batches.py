"""What becomes of undecoded documents that cannot be decoded as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import haidang
from haidang.detect.batches import BatchMatcher, decode_document
from haidang.events.model import DocumentBatch, EventBatch, FileReport
from haidang.limits import DEFAULT_LIMITS

SHALLOW = replace(DEFAULT_LIMITS, json_depth=3)


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b'"[{"' + b"}" * depth


@pytest.mark.parametrize("depth", [1, 3])
def test_a_document_as_deep_as_json_depth_is_decoded_whatever_its_strings_hold(depth: int) -> None:
    report = FileReport("log")
    assert decode_document(nested(depth), 7, report, SHALLOW) is not None
    assert report.complete


@pytest.mark.parametrize("depth", [4, 10_000])
def test_a_document_deeper_than_json_depth_is_noted_with_its_place(depth: int) -> None:
    report = FileReport("log")
    assert decode_document(nested(depth), 7, report, SHALLOW) is None
    assert (report.problems["too-deep"].where, report.skipped) == ("record 7", 1)


def test_bytes_that_are_not_utf8_are_replaced_and_noted_and_the_event_still_counts() -> None:
    report = FileReport("log")
    assert decode_document(b'{"a":"x\xffy"}', 2, report, DEFAULT_LIMITS) == {"a": "x\ufffdy"}
    assert (report.problems["invalid-utf8"].where, report.skipped) == ("record 2", 0)


@pytest.mark.parametrize("document", [b'{"a":', b"[1]", b'"text"', b'{"a":\xff}', b"{'a':1}"])
def test_what_is_no_json_object_is_noted_and_skipped(document: bytes) -> None:
    report = FileReport("log")
    assert decode_document(document, 5, report, DEFAULT_LIMITS) is None
    assert (report.problems["broken-line"].where, report.skipped) == ("record 5", 1)


def test_events_of_unknown_origin_are_told_apart_one_by_one() -> None:
    rules = haidang.load_rules(cache=False)
    report = FileReport("log")
    rows: list[dict[str, Any]] = [{"a": 1}, {}, {"_path": "conn", "ts": 1.5}, {"a": None, "b": []}]
    batch = EventBatch(report, "", rows, range(1, 5))
    assert list(BatchMatcher(rules.matcher, DEFAULT_LIMITS).match(batch)) == []
    assert report.complete


@pytest.mark.parametrize("documents", [[], [b""], [b" ", b"\r", b""]])
def test_a_batch_of_nothing_is_nothing(documents: list[bytes]) -> None:
    report = FileReport("log")
    batch = DocumentBatch(report, documents, range(len(documents)))
    matcher = BatchMatcher(haidang.load_rules(cache=False).matcher, DEFAULT_LIMITS)
    assert list(matcher.match(batch)) == []
    assert (report.records, report.skipped, report.complete) == (0, 0, True)
