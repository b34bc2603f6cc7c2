"""Plain lists."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from haidang.intel.feeds import feeds, read_feed
from haidang.limits import DEFAULT_LIMITS

LIST = b"""# ours
evil.example   # why
198.51.100.7
198.51.100.0/24
0.0.0.0 hosts.example
hxxp://evil[.]example/a
; other comment
who@evil.example
d41d8cd98f00b204e9800998ecf84270
two words here
10.1.2.3
"""


def test_each_line_is_told_by_its_shape_and_what_cannot_be_used_is_named() -> None:
    name, reading = read_feed(LIST, DEFAULT_LIMITS)
    assert name == "list"
    assert [(one.kind, one.value) for one in reading.indicators] == [
        ("domain", "evil.example"),
        ("ip", "198.51.100.7"),
        ("network", "198.51.100.0/24"),
        ("domain", "hosts.example"),
        ("url", "evil.example/a"),
        ("email", "who@evil.example"),
        ("hash", "d41d8cd98f00b204e9800998ecf84270"),
    ]
    assert [refused.what for refused in reading.refused] == ["line 10: two words here", "10.1.2.3"]


def test_a_list_in_utf_16_and_one_with_a_mark_are_read() -> None:
    for data in ("evil.example\n".encode("utf-16"), b"\xef\xbb\xbfevil.example\r\n"):
        assert [one.value for one in read_feed(data, DEFAULT_LIMITS)[1].indicators] == ["evil.example"]


def test_intel_indicators_bounds_a_source_and_the_rest_is_counted() -> None:
    _, reading = read_feed(b"a.example\nb.example\nc.example\n", replace(DEFAULT_LIMITS, intel_indicators=1))
    assert len(reading.indicators) == 1
    assert sum(reading.counts.values()) == 2


def test_refusals_are_counted_beyond_those_that_are_named() -> None:
    _, reading = read_feed(b"not one\n" * 1000, DEFAULT_LIMITS, name="list")
    assert sum(reading.counts.values()) == 1000
    assert len(reading.refused) < 1000


@given(st.binary(max_size=400), st.sampled_from(sorted(feeds())))
def test_no_bytes_break_recognition(data: bytes, name: str) -> None:
    assert 0 <= feeds()[name].recognises(data) <= 100


def test_headings_bullets_and_names_of_files_are_passed_over() -> None:
    digests = f"{'a' * 64}  x.exe\n{'b' * 32} *y z.dll\n"
    text = f"Tên miền độc hại\n1. a.example\n- b[.]example\n• 198.51.100.7\n{digests}"
    name, reading = read_feed(text.encode(), DEFAULT_LIMITS)
    assert (name, [one.value for one in reading.indicators], reading.refused) == (
        "list",
        ["a.example", "b.example", "198.51.100.7", "a" * 64, "b" * 32],
        [],
    )
    assert [one.value for one in read_feed(b"domain\nevil.example\n", DEFAULT_LIMITS)[1].indicators] == [
        "evil.example"
    ]


def test_blocklists_of_dnsmasq_and_browsers_are_lists() -> None:
    data = b"address=/a.example/0.0.0.0\n||b.example^$third-party\n.c.example\n"
    name, reading = read_feed(data, DEFAULT_LIMITS)
    assert (name, [one.value for one in reading.indicators]) == (
        "list",
        ["a.example", "b.example", "c.example"],
    )


def test_the_hash_of_an_empty_file_is_no_indicator() -> None:
    empty = [hashlib.sha256().hexdigest(), hashlib.md5(usedforsecurity=False).hexdigest()]
    _, reading = read_feed("\n".join(empty).encode(), DEFAULT_LIMITS)
    assert not reading.indicators
    assert reading.counts == {"the hash of an empty file": 2}
