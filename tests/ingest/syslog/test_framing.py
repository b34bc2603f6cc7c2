from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.ingest.syslog.framing import Framer, records

MOST = 64


def framed(data: bytes, most: int = MOST) -> list[bytes]:
    framer = Framer(most)
    return [*framer.feed(data), *framer.finish()]


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (b"<13>one\n<13>two\n", [b"<13>one", b"<13>two"]),
        (b"7 <13>one7 <13>two", [b"<13>one", b"<13>two"]),
        (b"<13>one\n7 <13>two<13>three\n8 <13>four", [b"<13>one", b"<13>two", b"<13>three", b"<13>four"]),
        (b"8 <13>a\nb\n<13>c\n", [b"<13>a\nb\n", b"<13>c"]),
        (b"2026-11-30T08:00:00Z host app: text\n", [b"2026-11-30T08:00:00Z host app: text"]),
        (b"12 apples\n<13>one\n", [b"12 apples", b"<13>one"]),
        (b"0 <13>x\n", [b"0 <13>x"]),
        (b"12345678 <13>x\n", [b"12345678 <13>x"]),
        (b"<13>one\0<13>two\0", [b"<13>one", b"<13>two"]),
        (b"7 <13>a\0b<13>two\0<13>three\n", [b"<13>a\0b", b"<13>two", b"<13>three"]),
        (b"<13>no end", [b"<13>no end"]),
        (b"12", [b"12"]),
    ],
)
def test_tells_counted_messages_and_lines_apart_one_by_one(data: bytes, messages: list[bytes]) -> None:
    assert framed(data) == messages


def test_cuts_a_message_that_is_too_long_counts_it_and_goes_on_behind_it() -> None:
    framer = Framer(8)
    assert framer.feed(b"<13>" + b"a" * 100 + b"\n<13>next\n") == [b"<13>aaaa", b"<13>next"]
    assert framer.cut == 1
    assert framer.feed(b"104 <13>" + b"b" * 50) == [b"<13>bbbb"]
    assert framer.feed(b"b" * 50 + b"8 <13>last") == [b"<13>last"]
    assert framer.cut == 2
    assert not framer.waiting


def test_a_message_of_just_the_longest_length_is_whole() -> None:
    framer = Framer(8)
    assert framer.feed(b"<13>aaaa\n8 <13>bbbb") == [b"<13>aaaa", b"<13>bbbb"]
    assert framer.cut == 0


def test_holds_no_more_than_one_message_of_the_longest_length() -> None:
    framer = Framer(1000)
    for _ in range(1000):
        framer.feed(b"x" * 999)
        assert len(framer._held) <= 2000
    assert framer.cut == 1


def test_counts_a_counted_message_whose_end_never_came() -> None:
    framer = Framer(MOST)
    assert framer.feed(b"20 <13>half") == []
    assert framer.waiting
    assert framer.finish() == [b"<13>half"]
    assert (framer.incomplete, framer.waiting) == (1, False)


MESSAGES = st.lists(
    st.binary(max_size=2 * MOST).map(lambda data: b"<13>" + data.translate(None, b"\n\0")), max_size=8
)


@given(messages=MESSAGES, counted=st.lists(st.booleans(), min_size=8, max_size=8), data=st.data())
def test_how_the_bytes_come_in_makes_no_difference(
    messages: list[bytes], counted: list[bool], data: st.DataObject
) -> None:
    stream = b"".join(
        b"%d %b" % (len(message), message) if count else message + b"\n"
        for message, count in zip(messages, counted, strict=False)
    )
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    framer = Framer(MOST)
    found: list[bytes] = []
    for start, end in zip([0, *places], [*places, len(stream)], strict=True):
        found += framer.feed(stream[start:end])
    assert found + framer.finish() == [message[:MOST] for message in messages]
    assert framer.cut == sum(len(message) > MOST for message in messages)
    assert framer.incomplete == 0


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes_are_framed_within_the_bounds(parts: list[bytes]) -> None:
    framer = Framer(16)
    found = [message for part in parts for message in framer.feed(part)] + framer.finish()
    assert all(len(message) <= 16 for message in found)
    assert sum(map(len, found)) <= sum(map(len, parts))


def test_a_message_is_one_record_and_an_empty_one_is_none() -> None:
    assert records([b"<13>a\nb\n", b"", b"\n", b"<13>c\r\n\x00"]) == (b"<13>a#012b\n<13>c", 2)
    assert records([]) == (b"", 0)
