"""Whatever bytes a reader gets, it ends, raises nothing, and counts what it could not read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haidang.events.readers import readers
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import SAMPLES, head
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = replace(DEFAULT_LIMITS, line_bytes=300, batch_events=5, batch_bytes=2000, spool_bytes=100_000)
OWN = {
    "ndjson": "ndjson",
    "json": "json_documents",
    "evtx": "evtx",
    "text": "text",
    "example": "example",
    "suricata": "suricata",
}
CASES = [(name, path) for name, folder in OWN.items() for path in sorted((SAMPLES / folder).iterdir())]


def survives(name: str, data: bytes, block: int) -> None:
    reader = readers()[name]
    assert 0 <= reader.recognises(head(data)) <= 100
    file = read_bytes(reader, data, limits=LIMITS, block=block)
    assert file.report.size == len(data)
    assert file.report.skipped <= sum(problem.count for problem in file.report.problems.values())
    assert all(problem.count > 0 and problem.where for problem in file.report.problems.values())


@pytest.mark.parametrize("name", sorted(OWN))
@given(data=st.binary(max_size=300), block=st.integers(1, 400))
def test_random_bytes_are_survived(name: str, data: bytes, block: int) -> None:
    survives(name, data, block)


@pytest.mark.parametrize(("name", "path"), CASES, ids=str)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
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
