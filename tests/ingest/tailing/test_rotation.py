"""Each line is taken once, however its file is rotated, emptied or deleted."""

from __future__ import annotations

import bz2
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.ingest.tailing.following import Watch, compress, numbered, truncate, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(params=[True, False], ids=["running", "stopped"])
def running(request: pytest.FixtureRequest) -> bool:
    """Whether the watch runs while files are rotated, or is stopped and started again."""
    return bool(request.param)


@pytest.fixture(params=["app.log", "app.log*"], ids=["one name", "all names"])
def pattern(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def rotating(
    folder: Path, pattern: str, start: list[bytes], rotate: Callable[[Path], Any], *, running: bool
) -> list[bytes]:
    """Write, watch, write more, rotate, write on; return what was taken, sorted."""
    log = folder / "app.log"
    write(log, *start)
    watch = Watch(folder / pattern)
    taken = watch.step()
    assert taken == start
    write(log, *numbered(100, 110))
    if not running:
        watch.follower.close()
    rotate(log)
    write(log, *numbered(110, 120))
    if not running:
        watch.restart()
    taken += watch.settle()
    write(log, *numbered(120, 130))
    taken += watch.settle()
    watch.restart()
    taken += watch.settle()
    return sorted(taken)


def expected(start: list[bytes]) -> list[bytes]:
    return sorted(start + numbered(100, 130))


def test_takes_each_line_once_when_the_file_is_renamed(
    tmp_path: Path, pattern: str, start: list[bytes], *, running: bool
) -> None:
    def rotate(log: Path) -> None:
        log.rename(log.with_name("app.log.1"))

    assert rotating(tmp_path, pattern, start, rotate, running=running) == expected(start)


def test_takes_each_line_once_when_the_file_is_copied_and_truncated(
    tmp_path: Path, pattern: str, start: list[bytes], *, running: bool
) -> None:
    def rotate(log: Path) -> None:
        shutil.copy2(log, log.with_name("app.log.1"))
        truncate(log)

    assert rotating(tmp_path, pattern, start, rotate, running=running) == expected(start)


def test_takes_each_line_once_when_the_renamed_file_is_compressed(
    tmp_path: Path, pattern: str, start: list[bytes], *, running: bool
) -> None:
    def rotate(log: Path) -> None:
        compress(log.rename(log.with_name("app.log.1")))

    assert rotating(tmp_path, pattern, start, rotate, running=running) == expected(start)


def test_takes_each_line_once_when_the_copy_is_compressed(
    tmp_path: Path, pattern: str, start: list[bytes], *, running: bool
) -> None:
    def rotate(log: Path) -> None:
        copy = log.with_name("app.log.1")
        shutil.copy2(log, copy)
        truncate(log)
        compress(copy)

    assert rotating(tmp_path, pattern, start, rotate, running=running) == expected(start)


def test_takes_each_line_once_when_the_file_is_rotated_by_its_date_into_another_compression(
    tmp_path: Path, start: list[bytes], *, running: bool
) -> None:
    def rotate(log: Path) -> None:
        packed = log.with_name("app-20261130.log.bz2")
        packed.write_bytes(bz2.compress(log.read_bytes()))
        log.unlink()

    assert rotating(tmp_path, "app*", start, rotate, running=running) == expected(start)


def test_a_whole_series_of_rotations_is_taken_once(tmp_path: Path, pattern: str) -> None:
    log = tmp_path / "app.log"
    watch = Watch(tmp_path / pattern)
    taken: list[bytes] = []
    for turn in range(6):
        write(log, *numbered(turn * 100, turn * 100 + 90))
        taken += watch.step(0.25)
        write(log, *numbered(turn * 100 + 90, turn * 100 + 100))
        for number in (3, 2):
            older = tmp_path / f"app.log.{number}.gz"
            if older.exists():
                older.rename(tmp_path / f"app.log.{number + 1}.gz")
        if (tmp_path / "app.log.1").exists():
            compress(tmp_path / "app.log.1", tmp_path / "app.log.2.gz")
        log.rename(tmp_path / "app.log.1")
        if turn % 2:
            taken += watch.settle()
        if turn == 3:
            watch.restart()
    taken += watch.settle()
    assert sorted(taken) == numbered(0, 600)


def test_what_was_written_under_the_old_name_after_the_rotation_is_taken(
    tmp_path: Path, pattern: str
) -> None:
    log = tmp_path / "app.log"
    write(log, "one")
    watch = Watch(tmp_path / pattern)
    assert watch.step() == [b"one"]
    with log.open("ab") as file:
        old = log.rename(tmp_path / "app.log.1")
        write(log, "of the new file")
        file.write(b"late\n")
        file.flush()
        assert sorted(watch.step()) == [b"late", b"of the new file"]
        watch.settle()
        file.write(b"very late\n")
    assert watch.step() == [b"very late"]
    old.unlink()
    assert watch.settle() == []
    assert watch.follower.counts().files == 1


def test_a_last_line_without_an_end_is_taken_when_its_file_was_rotated(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "one", "cut o", end=b"\n")
    log.write_bytes(b"one\ncut o")
    watch = Watch(tmp_path / "app.log*")
    assert watch.step() == [b"one"]
    log.rename(tmp_path / "app.log.1")
    write(log, "new")
    assert watch.step() == [b"new"]
    assert watch.settle() == [b"cut o"]
    watch.restart()
    assert watch.settle() == []


def test_a_deleted_file_is_read_to_its_end_and_let_go(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "one")
    watch = Watch(log)
    assert watch.step() == [b"one"]
    write(log, "two")
    write(log, "three", end=b"")
    log.unlink()
    assert watch.settle() == [b"two", b"three"]
    assert watch.follower.counts().files == 0
    assert watch.follower.counts().missing == 0


def test_a_file_that_was_emptied_is_taken_from_its_beginning(tmp_path: Path, start: list[bytes]) -> None:
    log = tmp_path / "app.log"
    write(log, *start)
    watch = Watch(log)
    watch.step()
    truncate(log)
    write(log, "new")
    assert watch.step() == [b"new"]
    assert watch.follower.counts().truncated == 1


def test_a_file_that_was_emptied_and_has_grown_past_the_position_is_noticed(
    tmp_path: Path, start: list[bytes], *, running: bool
) -> None:
    log = tmp_path / "app.log"
    write(log, *start)
    watch = Watch(log)
    watch.step()
    truncate(log)
    write(log, *numbered(500, 700))
    if not running:
        watch.restart()
    assert watch.step() == numbered(500, 700)


def test_a_file_of_the_same_size_with_other_content_is_noticed(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, *numbered(0, 100))
    watch = Watch(log)
    watch.step()
    log.write_bytes(b"".join(line + b"\n" for line in numbered(100, 200)))
    os.utime(log, ns=(1, 1))
    assert watch.step() == numbered(100, 200)
