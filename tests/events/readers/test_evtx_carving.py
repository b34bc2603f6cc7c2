"""What is intact in a damaged event log is found, once, and nothing that the log had given up."""

from __future__ import annotations

import struct
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haidang.events.readers._evtx_carving import carve
from haidang.events.readers.evtx import READER
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.evtx_making import CHUNK, HOST, SECURITY, make_evtx
from tests.events.readers.firing import scan_bytes, write_rules
from tests.events.reading import File, read_bytes, read_one

if TYPE_CHECKING:
    from pathlib import Path

HEADER = 4096
EVENT = {**SECURITY, **HOST, "EventID": "4624"}
LOG = make_evtx([[{**EVENT, "A": "x" * 20 * at} for at in range(1, 7)], [EVENT, EVENT]])
"""Two chunks, of six records and of two."""


def places(log: bytes, start: int = HEADER) -> list[tuple[int, int]]:
    """Return where the records of a chunk are in the file, and their sizes."""
    found = []
    at = start + 512
    while log[at : at + 4] == b"**\x00\x00":
        size = struct.unpack_from("<I", log, at + 4)[0]
        found.append((at, size))
        at += size
    return found


def put(log: bytes, at: int, new: bytes) -> bytes:
    return log[:at] + new + log[at + len(new) :]


def read(log: bytes) -> File:
    return read_bytes(READER, log)


def test_the_log_of_these_tests_is_whole() -> None:
    file = read(LOG)
    assert file.report.complete
    assert file.records == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(places(LOG)) == 6


@pytest.mark.parametrize("header", [bytes(8), b"\xff" * 8, bytes(HEADER), b"\xaa" * HEADER])
def test_a_log_without_its_header_is_read_whole_and_noted(header: bytes, tmp_path: Path) -> None:
    path = tmp_path / "security.bin"
    path.write_bytes(put(LOG, 0, header))
    file = read_one(path)
    assert file.report.format == "evtx"
    assert file.records == [1, 2, 3, 4, 5, 6, 7, 8]
    assert file.problems == {"corrupt": ("byte 0", 1)}


@pytest.mark.parametrize("log", [LOG[HEADER:], LOG[HEADER + CHUNK :], b"junk" * 30 + LOG[HEADER:]])
def test_chunks_that_were_cut_out_of_a_log_are_read(log: bytes) -> None:
    assert read(log).records in ([1, 2, 3, 4, 5, 6, 7, 8], [7, 8])


@pytest.mark.parametrize("damage", [bytes(8), bytes(128), bytes(512), b"\xee" * 512])
def test_a_chunk_without_its_header_gives_its_records(damage: bytes) -> None:
    file = read(put(LOG, HEADER, damage))
    assert file.records == [7, 8, 1, 2, 3, 4, 5, 6]
    assert file.problems["corrupt"][1] >= 1


def test_a_chunk_whose_header_kept_only_its_signature_gives_its_records() -> None:
    # With a wild end the library reads on up to the last record by itself.
    assert read(put(LOG, HEADER + 8, b"\xaa" * 120)).records == [1, 2, 3, 4, 5, 6, 7, 8]
    file = read(put(LOG, HEADER + 8, bytes(120)))
    assert file.records == [7, 8, 1, 2, 3, 4, 5, 6]
    assert file.problems == {"corrupt": (f"byte {HEADER}", 1)}


@pytest.mark.parametrize("broken", range(6))
@pytest.mark.parametrize(
    "damage", [b"XXXX", b"**\x00\x00\x05\x00\x00\x00", b"**\x00\x00\xff\xff\xff\x7f", bytes(28)]
)
def test_a_broken_record_costs_no_other(broken: int, damage: bytes) -> None:
    at, _ = places(LOG)[broken]
    file = read(put(LOG, at, damage))
    assert sorted(file.records) == [number for number in range(1, 9) if number != broken + 1]
    assert file.report.skipped == 1
    assert not file.report.complete


def test_bytes_that_are_missing_in_the_middle_cost_what_they_held() -> None:
    at, size = places(LOG)[2]
    file = read(LOG[: at + 100] + LOG[at + 100 + 2000 :])
    assert {1, 2, 7, 8} <= set(file.records)
    assert len(file.records) == len(set(file.records))
    assert size < 2000


def test_what_a_chunk_held_in_its_earlier_life_is_not_found() -> None:
    at, size = places(LOG)[-1]
    old = LOG[places(LOG)[0][0] : places(LOG)[1][0]]
    slack = put(LOG, at + size, old)
    assert read(slack).report.complete
    for damage in (bytes(8), bytes(512)):
        assert sorted(read(put(slack, HEADER, damage)).records) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_file_in_which_nothing_is_left_says_so() -> None:
    file = read(b"ElfFile\x00" + b"\xee" * 100_000)
    assert not file.events
    assert "corrupt" in file.problems


def test_rules_fire_on_what_was_carved(tmp_path: Path) -> None:
    rules = write_rules(tmp_path / "rules", logon=("product: windows, service: security", "EventID: 4624"))
    found = scan_bytes(tmp_path, put(LOG, 0, bytes(8)), rules)
    assert [finding.source.record for finding in found] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_batches_of_what_was_carved_are_bounded() -> None:
    limits = replace(DEFAULT_LIMITS, batch_events=3)
    assert read_bytes(READER, put(LOG, 0, bytes(8)), limits=limits).records == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_records_of_recorded_logs_are_found_without_their_headers(corpora: Path) -> None:
    paths = sorted((corpora / "regression").rglob("*.evtx"))
    assert len(paths) == 98
    for path in paths[::4]:
        data = path.read_bytes()
        whole = read(data)
        assert read(bytes(8) + data[8:]).events == whole.events, path
        for damage in (bytes(8), bytes(128), bytes(512)):
            assert sorted(read(put(data, HEADER, damage)).records) == sorted(whole.records), path


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(st.data())
def test_whatever_is_done_to_it_no_record_comes_twice(data: st.DataObject) -> None:
    log = LOG
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 12_000))
        log = put(log, at, data.draw(st.binary(min_size=1, max_size=30)))
    file = read(log)
    assert len(file.records) == len(set(file.records))
    assert {7, 8} <= set(file.records)
    assert file.report.skipped <= sum(problem.count for problem in file.report.problems.values())


@given(st.binary(max_size=2000))
def test_random_bytes_are_survived(data: bytes) -> None:
    for whole in (True, False):
        list(carve(BytesIO(data), whole=whole))
        list(carve(BytesIO(b"ElfChnk\x00" + data), whole=whole))
        list(carve(BytesIO(b"ElfChnk\x00" + bytes(504) + b"**\x00\x00" + data), whole=whole))
