"""The spool: what it returned for is there, in order, once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.ingest.model import Arrival, SpoolFullError, SpoolUnavailableError
from haidang.ingest.spool import Spool
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from pathlib import Path


def arrival(data: bytes = b'{"a": 1}', *, source: str = "s1", received: int = 7) -> Arrival:
    return Arrival(source, "ndjson", received, data, data.count(b"\n") + 1)


def noise(size: int, seed: int = 0) -> bytes:
    """Return bytes that compression cannot make smaller."""
    import random

    return random.Random(seed).randbytes(size).replace(b"\n", b" ")


def test_what_was_appended_is_taken_in_order_and_as_it_was(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    sent = [arrival(b"x\ny"), arrival(b"", source="s2"), arrival(noise(100_000), received=9)]
    numbers = spool.append(sent)
    assert numbers == sorted(set(numbers))
    assert [(one.number, one.arrival, one.damage) for one in spool.take()] == [
        (number, one, "") for number, one in zip(numbers, sent, strict=True)
    ]


def test_take_goes_on_behind_a_number_within_bytes(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    numbers = spool.append([arrival(noise(1000, seed)) for seed in range(5)])
    first = spool.take(most_bytes=2500)
    assert [one.number for one in first] == numbers[:2]
    assert [one.number for one in spool.take(numbers[1], most_bytes=1)] == [numbers[2]]
    assert spool.take(numbers[-1]) == []


def test_done_removes_and_numbers_are_never_given_twice(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    numbers = spool.append([arrival(), arrival()])
    spool.done(numbers[0])
    assert [one.number for one in spool.take()] == numbers[1:]
    spool.done(numbers[1])
    spool.close()
    again = Spool(tmp_path / "spool").append([arrival()])
    assert again[0] > numbers[1]


def test_a_new_file_goes_on_behind_the_numbers_of_one_that_was_lost(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    spool = Spool(path)
    numbers = spool.append([arrival()] * 100)
    for file in tmp_path.iterdir():
        file.unlink()
    (new,) = spool.append([arrival(b"later")])
    assert new > numbers[-1]
    # It is in the file that others see, not in the one that was removed.
    assert [one.arrival.data for one in Spool(path).take()] == [b"later"]


def test_marks_are_kept_with_what_they_belong_to(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", replace(DEFAULT_LIMITS, spool_file_bytes=1 << 20))
    spool.append([arrival()], {"tail/1/a": b"\x00", "tail/1/b": b"1", "tail/10/a": b"2", "tail/%/": b"3"})
    assert spool.marks("tail/1/") == {"tail/1/a": b"\x00", "tail/1/b": b"1"}
    assert len(spool.marks("")) == 4
    spool.append([], {"tail/1/a": b"", "tail/1/b": b"4", "never": b""})
    with pytest.raises(SpoolFullError):
        spool.append([arrival(noise(2 << 20))], {"tail/1/b": b"5"})
    assert spool.marks("tail/1/") == {"tail/1/b": b"4"}
    assert len(spool.take()) == 1


def test_the_backlog_says_what_waits(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    assert (spool.backlog().batches, spool.backlog().oldest) == (0, 0)
    spool.append([arrival(b"x\ny", received=5), arrival(b"z", received=4)])
    backlog = spool.backlog()
    assert (backlog.batches, backlog.events, backlog.bytes, backlog.oldest) == (2, 3, 4, 4)


def test_its_files_are_its_owners_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append([arrival()])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_full_file_keeps_nothing_of_what_it_refused_and_recovers(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, spool_file_bytes=1 << 20)
    spool = Spool(tmp_path / "spool", limits)
    kept: list[int] = []
    full = False
    while not full:
        try:
            kept += spool.append([arrival(noise(50_000, len(kept))), arrival(b"small")])
        except SpoolFullError:
            full = True
    assert kept
    assert (tmp_path / "spool").stat().st_size <= 1 << 20
    assert [one.number for one in spool.take(most_bytes=1 << 30)] == kept
    with pytest.raises(SpoolFullError):
        spool.append([arrival(noise(500_000))])
    spool.done(kept[-1])
    assert spool.append([arrival(noise(500_000))])


def test_sqlites_own_word_that_the_file_is_full_is_understood(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append([arrival()])
    with spool._database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 10").fetchone()
    with pytest.raises(SpoolFullError):
        spool.append([arrival(), arrival(noise(500_000))])
    assert len(spool.take()) == 1
    with spool._database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 1000").fetchone()
    spool.append([arrival(noise(500_000))])
    assert len(spool.take()) == 2


def test_room_on_the_disk_is_left_for_working_it_off(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, spool_reserve_bytes=1 << 60)
    spool = Spool(tmp_path / "spool", limits)
    with pytest.raises(SpoolFullError, match="room"):
        spool.append([arrival()])
    with pytest.raises(SpoolFullError):
        spool.require_room()
    spool.done(10)


def test_a_folder_that_is_away_is_said_and_may_come_back(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    spool = Spool(folder / "spool")
    with pytest.raises(SpoolUnavailableError):
        spool.append([arrival()])
    folder.mkdir()
    spool.append([arrival()])
    folder.rename(tmp_path / "away")
    with pytest.raises(SpoolUnavailableError):
        spool.append([arrival()])
    (tmp_path / "away").rename(folder)
    spool.append([arrival()])
    assert len(spool.take()) == 2


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"something else" * 1000)
    with pytest.raises(SpoolUnavailableError):
        Spool(tmp_path / "spool").append([arrival()])


def test_a_file_that_another_holds_for_too_long_is_said(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, spool_wait_seconds=0.05)
    spool = Spool(tmp_path / "spool", limits)
    spool.append([arrival()])
    other = sqlite3.connect(tmp_path / "spool", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SpoolUnavailableError, match="locked"):
        spool.append([arrival()])
    assert len(spool.take()) == 1
    other.close()
    spool.append([arrival()])


def test_a_damaged_batch_is_handed_over_as_such_and_stops_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.append([arrival(b"first"), arrival(b"second")])
    with closing(sqlite3.connect(tmp_path / "spool")) as other, other:
        torn = "CAST(substr(data, 1, 11) || x'00' || substr(data, 13) AS BLOB)"
        other.execute(f"UPDATE batch SET data = {torn} WHERE bytes = 5")
    damaged, whole = spool.take()
    assert damaged.damage
    assert damaged.arrival.data == b""
    assert whole.arrival.data == b"second"
    assert not whole.damage


def test_room_is_given_back_when_a_backlog_was_worked_off(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    numbers = spool.append([arrival(noise(1 << 20, seed)) for seed in range(100)])
    spool.close()
    before = (tmp_path / "spool").stat().st_size
    for number in numbers[-3:]:
        spool.done(number)
    spool.close()
    assert before > 100 << 20
    assert (tmp_path / "spool").stat().st_size <= before - (64 << 20)


READER = """
import sys, pathlib
from haidang.ingest.spool import Spool
spool = Spool(pathlib.Path(sys.argv[1]))
seen, last = 0, 0
while seen < int(sys.argv[2]):
    for one in spool.take(last, 100_000):
        assert one.number > last
        seen, last = seen + 1, one.number
    spool.done(last)
print(seen)
"""


def test_another_process_takes_and_marks_done_while_this_one_appends(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    spool = Spool(path)
    spool.append([arrival()])
    command = [sys.executable, "-c", READER, str(path), "301"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        for seed in range(300):
            spool.append([arrival(noise(2_000, seed))])
        out, _ = reader.communicate(timeout=60)
    assert out == "301\n"
    assert spool.backlog().batches == 0


def test_a_clock_that_goes_back_does_not_disturb_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "spool")
    (first,) = spool.append([arrival()])
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    spool.close()
    (second,) = Spool(tmp_path / "spool").append([arrival(received=0)])
    assert second > first
