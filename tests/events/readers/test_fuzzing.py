"""Whatever bytes a reader gets, it ends, raises nothing, and counts what it could not read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haidang.events.readers import readers
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import SAMPLES, feed, head
from tests.events.readers.tearing import filled_lines, samples, torn
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMITS = replace(DEFAULT_LIMITS, line_bytes=300, batch_events=5, batch_bytes=2000, spool_bytes=100_000)
SMALL = replace(DEFAULT_LIMITS, batch_events=3)
FOLDERS = {name: type(reader).__module__.rpartition(".")[2] for name, reader in readers().items()}
"""Name of a reader to the folder of its samples, which is called like its module."""
CASES = [(name, path) for name, folder in FOLDERS.items() for path in sorted((SAMPLES / folder).iterdir())]
DECODED_LATER = {"parquet"}
"""What is broken in these is noticed by whoever asks for a column: torn in tests of their own."""
BEGINNINGS = {
    "event-xml": [b"</Event>"],
    "journald": [b"__CURSOR=a\n", b"{"],
    "parquet": [b"PAR1"],
    "powershell-transcript": [b"**********************\n"],
}
"""What makes a reader go on where random bytes alone would end it."""


def survives(name: str, data: bytes, block: int) -> None:
    reader = readers()[name]
    assert 0 <= reader.recognises(head(data)) <= 100
    file = read_bytes(reader, data, limits=LIMITS, block=block)
    assert file.report.size == len(data)
    assert file.report.skipped <= sum(problem.count for problem in file.report.problems.values())
    assert all(problem.count > 0 and problem.where for problem in file.report.problems.values())


def test_every_reader_has_a_sample_to_be_torn() -> None:
    assert {name for name, _ in CASES} == set(readers())


@pytest.mark.parametrize("name", sorted(readers()))
@given(data=st.binary(max_size=300), block=st.integers(1, 400))
def test_random_bytes_are_survived(name: str, data: bytes, block: int) -> None:
    survives(name, data, block)
    for beginning in BEGINNINGS.get(name, ()):
        survives(name, data + beginning + data, block)
        survives(name, beginning + data, block)


@pytest.mark.parametrize(("name", "path"), [one for one in CASES if one[0] not in DECODED_LATER], ids=str)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=25)
@given(data=st.data())
def test_mutated_samples_are_survived(name: str, path: Path, data: st.DataObject) -> None:
    sample = bytearray(path.read_bytes())
    # What is hit is what counts: in an event log, the first records and the headers.
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(sample), 6000) - 1))
        kind = data.draw(st.sampled_from(["change", "insert", "delete", "repeat"]))
        if kind == "change":
            sample[at] = data.draw(st.integers(0, 255))
        elif kind == "insert":
            sample[at:at] = data.draw(st.binary(min_size=1, max_size=8))
        elif kind == "delete":
            del sample[max(1, at) : at + data.draw(st.integers(1, 50))]
        else:
            sample[at:at] = sample[at : at + 40]
    if data.draw(st.booleans()):
        del sample[data.draw(st.integers(0, len(sample) - 1)) :]
    survives(name, bytes(sample), data.draw(st.sampled_from([1000, 7, 70_000])))


def has_message(event: dict[str, Any]) -> bool:
    return isinstance(event["raw"], str) and "message" in event


# What each event of a reader has, of whose logs every line that holds anything is one.
EACH_LINE: dict[str, Callable[[dict[str, Any]], bool]] = {
    "mail": has_message,
    "syslog": has_message,
    "web-access": lambda event: not {"c-ip", "message", "time"}.isdisjoint(event),
    "web-errors": lambda event: isinstance(event["message"], str),
}


@pytest.mark.parametrize("name", sorted(EACH_LINE))
@given(data=st.data())
def test_whatever_it_is_fed_each_line_is_an_event(name: str, data: st.DataObject) -> None:
    fed = data.draw(torn(samples(FOLDERS[name])))
    seen = feed(readers()[name], fed, limits=SMALL)
    assert filled_lines(fed) <= set(seen.records)
    # In the file of a syslog collector, other readers make events of their own of some lines.
    events = zip(seen.events, seen.origins, strict=True)
    assert all(EACH_LINE[name](event) for event, origin in events if name != "syslog" or origin == "syslog")
