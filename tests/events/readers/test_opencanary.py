"""OpenCanary's lines are handed over as they are, and known by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers.opencanary import ORIGIN, READER
from tests.events.readers.feeding import head, sample
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from haidang.events.readers import Reader

READ: Reader = READER


def test_hands_over_the_lines_with_their_numbers() -> None:
    file = read_bytes(READ, sample("opencanary", "opencanary.log"))
    assert file.report.complete
    assert file.records == [1, 2, 3]
    assert [event["logtype"] for event in file.events] == [4002, 3000, 1001]
    assert all(name in file.events[0] for name in ORIGIN.host_fields)


def test_is_surer_than_the_reader_of_any_json() -> None:
    assert READER.recognises(head(sample("opencanary", "opencanary.log"))) == 86


@pytest.mark.parametrize(
    "line", [b'{"logtype": 1}', b'{"EventID": 1, "Channel": "x"}', b"logtype logdata node_id", b""]
)
def test_does_not_take_other_json_for_it(line: bytes) -> None:
    assert READER.recognises(head((line + b"\n") * 5)) == 0


@given(st.binary(max_size=300), st.integers(1, 400))
def test_random_bytes_are_survived(data: bytes, block: int) -> None:
    file = read_bytes(READ, sample("opencanary", "opencanary.log") + data, block=block)
    assert [event["logtype"] for event in file.events[:2]] == [4002, 3000]
    READER.recognises(head(data))
