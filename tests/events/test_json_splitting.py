"""Objects are cut out of JSON as a JSON parser would, whatever the layout and however the bytes are cut."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.json_splitting import JsonSplitter
from haidang.events.model import FileReport
from haidang.limits import DEFAULT_LIMITS, Limits

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\{}[]:,\n\u1ea1\x00', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('k"\\{}', max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
# The key "Records" or a single key would make it a wrapper.
EVENT = st.dictionaries(st.text('ab"\\{}[]', max_size=4), JSON, max_size=4).map(
    lambda event: {"a": 1, "b": 2} | event
)
SIZE = st.integers(1, 50) | st.integers(51, 500)
EVENTS = st.lists(EVENT, max_size=8)


def cut(
    data: bytes, size: int = 7, limits: Limits = DEFAULT_LIMITS
) -> tuple[list[tuple[int, bytes]], FileReport]:
    """Return the numbered objects in ``data``."""
    report = FileReport("log")
    splitter = JsonSplitter(report, limits)
    found = [
        item for start in range(0, len(data), size) for item in splitter.feed(data[start : start + size])
    ]
    return [*found, *splitter.finish()], report


def events_of(data: bytes, size: int = 7, limits: Limits = DEFAULT_LIMITS) -> list[Any]:
    found, report = cut(data, size, limits)
    assert report.complete, report.problems
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    return [json.loads(document) for _, document in found]


@given(EVENTS, st.sampled_from([None, 0, 2, "\t"]), st.sampled_from(["ascii", ""]), SIZE)
def test_arrays_are_cut_into_their_objects(
    events: list[Any], indent: int | str | None, escaped: str, size: int
) -> None:
    text = json.dumps(events, indent=indent, ensure_ascii=bool(escaped))
    assert events_of(text.encode(), size) == events


@given(
    EVENTS,
    st.sampled_from([None, 2]),
    st.sampled_from(["", "\n", ",\n", "\x1e", "\r\n\r\n"]),
    SIZE,
)
def test_objects_behind_one_another_are_cut(
    events: list[Any], indent: int | None, between: str, size: int
) -> None:
    assert (
        events_of(between.join(json.dumps(event, indent=indent) for event in events).encode(), size) == events
    )


@given(EVENTS.filter(bool), st.sampled_from([None, 2]), SIZE)
def test_wrapped_events_are_unwrapped(events: list[Any], indent: int | None, size: int) -> None:
    rest = {"total": {"value": 3}, "max": [1, {"x": [2]}]}
    for wrapped in (
        {"Records": events},
        {"any name": events},
        {"kind": "log", "Records": events, **rest},
        {"value": events, "@odata.nextLink": "x"},
        {"@odata.context": "x", "value": events},
        {"events": events, "next": [{"a": 1}]},
        {"took": 1, "hits": {"total": {"value": 3}, "hits": events, **rest}, "aggregations": rest},
    ):
        assert events_of(json.dumps(wrapped, indent=indent).encode(), size) == events


def test_an_array_inside_an_event_is_not_taken_for_a_wrapper() -> None:
    events = [
        {"id": 1, "events": [{"x": 1}], "tags": [{"hits": [{"y": 1}]}]},
        {"hits": [{"a": 1}], "b": 2},
        {"a": {"Records": [{"b": 1}]}, "c": 1},
        {"one": [1, 2]},
        {"data": [1, 2], "x": 1},
        {"Records": [], "x": 1},
        {"one": [{"a": 1}, 2], "two": [{"b": 1}]},
    ]
    for event in events:
        assert events_of(json.dumps([event]).encode()) == [event]


def test_an_unclosed_string_costs_its_object_alone() -> None:
    text = '[\n  {"a": 1},\n  {"a": "oops\n  },\n  {"a": 3}\n]'
    found, report = cut(text.encode())
    assert found == [(1, b'{"a": 1}'), (3, b'{"a": 3}')]
    assert (report.problems["broken-record"].where, report.skipped) == ("record 2", 1)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_unclosed_object_costs_itself_alone(size: int) -> None:
    text = '[\n  {\n    "a": {"x": 1\n  },\n  {\n    "a": 2\n  },\n  {\n    "a": 3\n  }\n]'
    found, report = cut(text.encode(), size)
    assert [json.loads(document) for _, document in found] == [{"a": 2}, {"a": 3}]
    assert report.problems["broken-record"].where == "record 1"
    assert report.skipped == 1


def test_a_file_that_ends_too_early_is_truncated() -> None:
    for text, events in (
        (b'[{"a":1},{"b":"tru', [b'{"a":1}']),
        (b'[{"a":1},{"b":{', [b'{"a":1}']),
        (b'[{"a":1},', [b'{"a":1}']),
        (b'{"Records":[{"a":1},{"b":', [b'{"a":1}']),
    ):
        found, report = cut(text)
        assert [document for _, document in found] == events
        assert report.problems["truncated"].where == "record 2"


def test_what_is_no_object_is_noted_and_passed_over() -> None:
    found, report = cut(b'[1, "{", null, {"a":1}] rubbish }}')
    assert found == [(4, b'{"a":1}')]
    assert report.problems["broken-record"].where == "record 1"
    assert report.skipped == report.problems["broken-record"].count == 5


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_object_of_more_than_line_bytes_is_passed_over_and_not_held(size: int) -> None:
    limits = replace(DEFAULT_LIMITS, line_bytes=100)
    for big in (
        '{"a":"' + "x" * 500 + '\\"{"}',
        '{"a":' * 100 + "1" + "}" * 100,
        '{"a":[' + '{"b":"\\\\"},' * 50 + "1]}",
        '{"a":"' + "\\\\" * 300 + '"}',
    ):
        found, report = cut(f'{{"a":1}}{big}\n{{"b":1}}'.encode(), size, limits)
        assert [document for _, document in found] == [b'{"a":1}', b'{"b":1}'], big
        assert report.problems["oversized-line"].where == "record 2"
        assert report.skipped == 1


def test_what_broken_objects_swallowed_is_read_again_within_bounds() -> None:
    # Each line opens an object that is never closed; to read all behind it each time would be quadratic.
    limits = replace(DEFAULT_LIMITS, line_bytes=1000)
    found, report = cut(b'{"a":\n' * 20_000, 500, limits)
    assert not found
    assert report.skipped > 1


@given(EVENTS, st.sampled_from([None, 2]), SIZE, st.data())
def test_damaged_json_ends_and_gives_no_error(
    events: list[Any], indent: int | None, size: int, data: st.DataObject
) -> None:
    text = bytearray(
        json.dumps({"Records": events} if data.draw(st.booleans()) else events, indent=indent).encode()
    )
    for _ in range(data.draw(st.integers(1, 5))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.sampled_from(b'"\\{}[],:\n a\x00\xff'))
    found, _ = cut(
        bytes(text[: data.draw(st.integers(0, len(text)))]), size, replace(DEFAULT_LIMITS, line_bytes=80)
    )
    assert all(document.startswith(b"{") and document.endswith(b"}") for _, document in found)
    numbers = [number for number, _ in found]
    assert numbers == sorted(set(numbers))


@given(st.text('"\\{}[],:\n a', max_size=60), st.integers(1, 20))
def test_random_brackets_end_and_give_no_error(text: str, size: int) -> None:
    cut(text.encode(), size, replace(DEFAULT_LIMITS, line_bytes=20))
