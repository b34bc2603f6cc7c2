"""Windows event logs are read record by record, damaged ones as far as they go."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.events import shapes
from haidang.events.readers.evtx import READER
from haidang.events.streams import find_inputs, open_input
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.evtx_making import CHUNK, SAMPLE, SAMPLE_PATH, make_evtx
from tests.events.readers.feeding import head
from tests.events.reading import File, read_bytes, read_one

if TYPE_CHECKING:
    from pathlib import Path

DATA = SAMPLE_PATH.read_bytes()
RECORD = DATA.index(b"**\x00\x00\x00"[:4], 4096 + 512)
SECOND = DATA.index(b"**\x00\x00", RECORD + 4)


def changed(position: int, new: bytes) -> bytes:
    return DATA[:position] + new + DATA[position + len(new) :]


def from_disk(folder: Path, data: bytes) -> File:
    path = folder / "x.evtx"
    path.write_bytes(data)
    return read_one(path)


def test_the_sample_is_what_its_script_writes() -> None:
    assert make_evtx(SAMPLE) == DATA


def test_records_are_windows_events_with_their_ids(tmp_path: Path) -> None:
    file = from_disk(tmp_path, DATA)
    assert (file.report.format, file.report.complete, file.report.size) == ("evtx", True, len(DATA))
    assert file.records == [1, 2, 3, 4]
    fields = shapes.flatten(shapes.recognise(file.events[0]), file.events[0])
    assert fields["Channel"] == "Microsoft-Windows-Sysmon/Operational"
    assert fields["Provider_Name"] == "Microsoft-Windows-Sysmon"
    assert fields["Computer"] == "ws-07.hoavang.example"
    assert fields["EventID"] == "1"
    assert fields["TimeCreated"].startswith("2025-11-12T00:00:01")


def test_batches_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "x.evtx"
    path.write_bytes(DATA)
    for limits in (replace(DEFAULT_LIMITS, batch_events=1), replace(DEFAULT_LIMITS, batch_bytes=10)):
        (item,) = find_inputs([str(path)], limits=limits, on_problem=print)
        ((_, batches),) = open_input(item, limits=limits)
        assert [list(batch.records) for batch in batches] == [[1], [2], [3], [4]]


@pytest.mark.parametrize("missing", [1, 1000, CHUNK - 2000])
def test_a_chunk_that_is_cut_off_gives_the_records_it_has(missing: int, tmp_path: Path) -> None:
    file = from_disk(tmp_path, DATA[:-missing])
    assert file.records == [1, 2, 3, 4]
    assert file.problems == {"truncated": (f"byte {len(DATA) - missing}", 1)}


def test_a_log_that_lacks_whole_chunks_is_truncated(tmp_path: Path) -> None:
    file = from_disk(tmp_path, DATA[:-CHUNK])
    assert file.records == [1, 2, 3]
    assert file.problems == {"truncated": (f"byte {4096 + CHUNK}", 1)}


def test_a_broken_chunk_is_noted_and_its_records_come_last(tmp_path: Path) -> None:
    file = from_disk(tmp_path, changed(4096, b"no chunk"))
    assert file.records == [4, 1, 2, 3]
    assert file.problems == {"corrupt": ("chunk 0", 1)}


def test_a_broken_record_is_noted_with_its_number(tmp_path: Path) -> None:
    file = from_disk(tmp_path, changed(SECOND + 24, b"\xee" * 20))
    assert file.records == [1, 3, 4]
    assert file.problems["broken-record"] == ("record 2", 1)
    assert file.report.skipped == 1


def test_a_record_that_is_left_out_in_silence_is_counted_and_those_behind_it_are_found(
    tmp_path: Path,
) -> None:
    file = from_disk(tmp_path, changed(SECOND, b"XXXX"))
    assert file.records == [1, 4, 3]
    assert file.problems["broken-record"][1] == file.report.skipped == 1


def test_a_dirty_log_whose_header_names_fewer_chunks_is_read_whole(tmp_path: Path) -> None:
    dirty = changed(42, b"\x00\x00")
    dirty = dirty[:120] + b"\x01" + dirty[121:]
    assert from_disk(tmp_path, dirty).records == [1, 2, 3, 4]


@pytest.mark.parametrize("size", [8, 50, 4096])
def test_a_log_of_nothing_but_a_header_is_truncated(size: int, tmp_path: Path) -> None:
    file = from_disk(tmp_path, DATA[:size])
    assert not file.records
    assert "truncated" in file.problems


def test_a_log_that_comes_from_an_archive_is_read_alike() -> None:
    for limits in (DEFAULT_LIMITS, replace(DEFAULT_LIMITS, spool_bytes=1000)):
        file = read_bytes(READER, DATA, limits=limits)
        assert (file.records, file.report.size) == ([1, 2, 3, 4], len(DATA))
        assert read_bytes(READER, DATA[:-1000], limits=limits).records == [1, 2, 3, 4]


def test_the_signature_of_the_file_or_of_a_chunk_counts() -> None:
    assert READER.recognises(head(DATA)) == 100
    assert READER.recognises(head(bytes(8) + DATA[8:])) == 90
    assert READER.recognises(head(DATA[4096:])) == 90
    assert not READER.recognises(head(os.urandom(5000)))


def test_every_log_of_the_corpora_gives_as_many_records_as_its_chunks_name(corpora: Path) -> None:
    paths = sorted((corpora / "regression").rglob("*.evtx"))
    assert len(paths) == 98
    for path in paths:
        file = read_one(path)
        assert file.report.complete, path
        assert file.events, path
