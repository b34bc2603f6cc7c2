"""Copies of a file, compressed ones and those that only look like one, tell nothing twice."""

from __future__ import annotations

import gzip
import os
import shutil
from typing import TYPE_CHECKING

from tests.ingest.tailing.following import START, Watch, numbered, truncate, write

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_taken_of_a_copy_that_somebody_made(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, *START)
    watch = Watch(tmp_path)
    watch.step()
    shutil.copy(log, tmp_path / "copy.log")
    (tmp_path / "packed.gz").write_bytes(gzip.compress(log.read_bytes()))
    assert watch.settle() == []
    write(log, "more")
    assert watch.settle() == [b"more"]
    watch.restart()
    assert watch.settle() == []


def test_a_copy_in_the_making_is_not_taken_for_a_new_file(tmp_path: Path, start: list[bytes]) -> None:
    log, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    write(log, *start, *numbered(200, 300))
    watch = Watch(tmp_path / "app.log*")
    watch.step()
    whole = log.read_bytes()
    for part in range(5):
        copy.write_bytes(whole[: len(whole) * part // 5 + 1])
        assert watch.step() == []
    copy.write_bytes(whole)
    truncate(log)
    write(log, "new")
    assert watch.settle() == [b"new"]


def test_files_that_begin_with_the_same_line_are_each_taken_in_whole(tmp_path: Path) -> None:
    banner = "Service is starting"
    write(tmp_path / "1.log", banner, "first")
    watch = Watch(tmp_path)
    assert watch.step() == [banner.encode(), b"first"]
    write(tmp_path / "2.log", banner, "second")
    assert watch.settle() == [banner.encode(), b"second"]
    (tmp_path / "1.log").unlink()
    watch.settle()
    write(tmp_path / "3.log", banner, "third")
    assert watch.settle() == [banner.encode(), b"third"]


def test_a_file_that_is_no_more_than_the_beginning_of_another_is_held_back_until_it_goes_on(
    tmp_path: Path,
) -> None:
    write(tmp_path / "1.log", "Service is starting", "first")
    watch = Watch(tmp_path)
    watch.step()
    write(tmp_path / "2.log", "Service is starting")
    assert watch.step() == []
    assert watch.follower.counts().waiting == 1
    write(tmp_path / "2.log", "second")
    assert watch.step() == [b"Service is starting", b"second"]
    write(tmp_path / "3.log", "Service is starting")
    assert watch.step(1) == []
    assert watch.settle() == [b"Service is starting"]
    assert watch.follower.counts().waiting == 0


def test_a_slow_copy_is_waited_for_until_it_has_rested_for_tail_settle_seconds(tmp_path: Path) -> None:
    log, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    write(log, *START)
    whole = log.read_bytes()
    watch = Watch(tmp_path, tail_settle_seconds=30)
    watch.step()
    for part in range(100):
        copy.write_bytes(whole[: len(whole) * part // 100])
        assert watch.step(25) == []
    copy.write_bytes(whole)
    assert watch.step(25) == []
    assert watch.follower.counts().files == 1
    assert watch.step(31) == []
    assert watch.follower.counts().files == 2
    write(copy, "more of the copy")
    assert watch.step() == [b"more of the copy"]


def test_files_that_share_a_long_beginning_are_each_taken_in_whole(tmp_path: Path) -> None:
    banner = [b"# banner %04d" % number for number in range(200)]
    write(tmp_path / "1.log", *banner, b"first")
    watch = Watch(tmp_path)
    watch.step()
    write(tmp_path / "2.log", *banner, b"second and longer")
    assert watch.settle() == [*banner, b"second and longer"]


def test_a_compressed_file_that_was_never_seen_is_taken_once_it_is_complete(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    whole = gzip.compress(b"".join(line + b"\n" for line in numbered(0, 5000)))
    packed = tmp_path / "old.log.gz"
    packed.write_bytes(whole[: len(whole) // 2])
    assert watch.step() == []
    assert watch.step(5) == []
    packed.write_bytes(whole)
    assert watch.settle() == numbered(0, 5000)
    watch.restart()
    assert watch.settle() == []


def test_a_broken_compressed_file_is_taken_as_far_as_it_goes_and_counted(tmp_path: Path) -> None:
    whole = gzip.compress(b"".join(os.urandom(20).hex().encode() + b"\n" for _ in range(50_000)))
    (tmp_path / "old.log.gz").write_bytes(whole[: len(whole) // 2])
    watch = Watch(tmp_path, tail_read_bytes=10_000)
    assert len(watch.settle()) > 1000
    assert watch.follower.counts().unreadable == 1


def test_a_compressed_file_goes_on_where_a_restart_left_it(tmp_path: Path) -> None:
    (tmp_path / "old.log.gz").write_bytes(gzip.compress(b"".join(line + b"\n" for line in numbered(0, 5000))))
    watch = Watch(tmp_path, tail_read_bytes=10_000)
    watch.step()
    watch.now += 100
    watch.follower.scan()
    taken = []
    for file, portion in watch.follower.look():
        watch.marks |= watch.follower.mark(portion.position)
        watch.follower.taken(file, portion)
        taken += portion.data.split(b"\n")
    assert 0 < len(taken) < 5000
    watch.restart()
    assert taken + watch.settle() == numbered(0, 5000)
