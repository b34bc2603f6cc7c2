from __future__ import annotations

import bz2
import gzip
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.ingest.tailing.following import Watch, truncate, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def numbered(first: int, last: int) -> list[bytes]:
    """Lines with a number, long enough that a few of them are more than a window."""
    return [b"line %04d %s" % (number, b"x" * 40) for number in range(first, last)]


def compress(path: Path, target: Path | None = None) -> Path:
    """Do as gzip does: the compressed file has the times of the plain one, which goes."""
    target = target or path.with_name(path.name + ".gz")
    state = path.stat()
    target.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))
    path.unlink()
    return target


# --- plain following ---


def test_takes_what_is_there_and_what_is_added(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "one", "two")
    watch = Watch(log)
    assert watch.step() == [b"one", b"two"]
    assert watch.look() == []
    write(log, "three")
    assert watch.look() == [b"three"]
    assert watch.counted == 3


def test_a_last_line_without_an_end_waits(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "one", end=b"")
    watch = Watch(log)
    assert watch.settle() == []
    write(log, " and more", "next")
    assert watch.settle() == [b"one and more", b"next"]


def test_lines_are_passed_on_as_they_are_and_blank_ones_are_not_counted(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"\none\r\n\n\xff\xfe\n\n")
    watch = Watch(log)
    watch.step()
    assert watch.portions == [b"\none\r\n\n\xff\xfe\n"]
    assert watch.counted == 2


def test_nothing_but_blank_lines_is_no_portion_and_is_not_looked_at_again(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "", "", "")
    watch = Watch(log)
    assert watch.step() == []
    watch.restart()
    write(log, "one")
    assert watch.step() == [b"one"]


def test_follows_patterns_and_whole_folders_and_new_files_in_them(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    write(tmp_path / "a.log", "of a")
    write(tmp_path / "b.txt", "of b")
    write(tmp_path / "deep" / "deeper" / "c.log", "of c")
    write(tmp_path / ".hidden.log", "hidden")
    assert sorted(Watch(tmp_path / "*.log").step()) == [b"of a"]
    assert sorted(Watch(tmp_path / "**" / "*.log").step()) == [b"of a", b"of c"]
    watch = Watch(tmp_path)
    assert sorted(watch.step()) == [b"of a", b"of b", b"of c"]
    write(tmp_path / "deep" / "new.log", "new")
    assert watch.step() == [b"new"]


def test_a_file_with_two_names_or_found_by_two_patterns_is_taken_once(tmp_path: Path) -> None:
    write(tmp_path / "a.log", "one")
    (tmp_path / "b.log").symlink_to("a.log")
    os.link(tmp_path / "a.log", tmp_path / "c.log")
    watch = Watch(tmp_path / "*.log", tmp_path / "a*")
    assert watch.step() == [b"one"]
    assert watch.settle() == []


def test_takes_portions_of_tail_read_bytes_and_turns_of_tail_turn_bytes(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"{name}.log", *numbered(0, 100))
    watch = Watch(tmp_path, tail_read_bytes=1000, tail_turn_bytes=1500)
    watch.follower.scan()
    found = watch.follower.look()
    assert len(found) == 2
    assert all(900 < len(portion.data) <= 1000 for _, portion in found)
    assert sorted(watch.look()) == sorted(numbered(0, 100) * 3)


def test_a_line_longer_than_line_bytes_is_passed_over_and_counted(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "one", b"x" * 5000, "two", b"y" * 100)
    watch = Watch(log, line_bytes=100, tail_read_bytes=64)
    assert watch.step() == [b"one", b"two", b"y" * 100]
    assert watch.follower.counts().oversized == 1


def test_a_line_that_is_too_long_is_passed_over_as_it_grows_and_over_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, b"x" * 300, end=b"")
    watch = Watch(log, line_bytes=100)
    assert watch.step() == []
    write(log, b"x" * 300, end=b"")
    watch.restart()
    assert watch.step() == []
    write(log, b"its end", "next")
    assert watch.step() == [b"next"]


def test_what_is_no_text_is_refused_and_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a.evtx").write_bytes(b"ElfFile\x00\x00\x00")
    (tmp_path / "b.txt").write_bytes("hai dòng\n".encode("utf-16"))
    (tmp_path / "padded.log").write_bytes(b"#Software: IIS\n" + b"\x00" * 100)
    watch = Watch(tmp_path)
    assert watch.settle() == [b"#Software: IIS"]
    assert watch.follower.counts().refused == 2


def test_a_file_that_is_allocated_beforehand_is_taken_as_it_is_filled(tmp_path: Path) -> None:
    log = tmp_path / "u_ex.log"
    log.write_bytes(b"one\n" + b"\x00" * 100)
    watch = Watch(log)
    assert watch.step() == [b"one"]
    with log.open("r+b") as file:
        file.seek(4)
        file.write(b"two\n")
    os.utime(log, ns=(1, 1))
    assert watch.step() == [b"two"]


def test_more_than_tail_files_are_left_out_and_counted(tmp_path: Path) -> None:
    for number in range(5):
        write(tmp_path / f"{number}.log", f"of {number}")
    watch = Watch(tmp_path, tail_files=3)
    assert len(watch.step()) == 3
    assert watch.follower.counts().left_out == 2


def test_no_more_than_tail_open_are_held_open_and_all_are_followed(tmp_path: Path) -> None:
    watch = Watch(tmp_path, tail_open=2)
    for turn in range(3):
        for number in range(6):
            write(tmp_path / f"{number}.log", f"{turn} of {number}")
        assert len(watch.step()) == 6
        assert sum(file.is_open for file in watch.follower._files.values()) <= 2


def test_a_pipe_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    assert Watch(tmp_path).settle() == []


def test_what_cannot_be_opened_is_counted_and_taken_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "app.log"
    write(log, "one")
    real = os.open

    def refused(path: Any, *arguments: Any, **options: Any) -> int:
        if os.fspath(path) == str(log):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    watch = Watch(log)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        assert watch.settle() == []
        assert watch.follower.counts().unreadable == 1
    assert watch.step() == [b"one"]


# --- the first start ---


def test_what_is_there_at_the_very_first_start_can_be_left_out(tmp_path: Path) -> None:
    log, packed, half = tmp_path / "app.log", tmp_path / "app.log.2.gz", tmp_path / "half.log"
    write(log, "old")
    write(half, "old", end=b"")
    packed.write_bytes(gzip.compress(b"older\n"))
    watch = Watch(tmp_path / "*", existing=False)
    assert watch.settle() == []
    write(log, "new")
    write(half, " and its end")
    write(tmp_path / "later.log", "of a later file")
    assert sorted(watch.settle()) == [b"new", b"of a later file", b"old and its end"]
    watch.restart()
    assert watch.settle() == []


def test_a_later_start_leaves_nothing_out(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "*", existing=False)
    watch.step()
    write(tmp_path / "app.log", "written while nobody watched")
    watch.restart()
    assert watch.step() == [b"written while nobody watched"]


# --- rotation ---

START = numbered(0, 100)
SHORT = [b"only this"]


@pytest.fixture(params=[True, False], ids=["running", "stopped"])
def running(request: pytest.FixtureRequest) -> bool:
    """Whether the watch runs while files are rotated, or is stopped and started again."""
    return bool(request.param)


@pytest.fixture(params=["app.log", "app.log*"], ids=["one name", "all names"])
def pattern(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[START, SHORT], ids=["long", "short"])
def start(request: pytest.FixtureRequest) -> list[bytes]:
    found: list[bytes] = request.param
    return found


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


# --- copies and what only looks like one ---


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


def test_what_is_missing_is_looked_for_during_tail_missing_seconds(tmp_path: Path) -> None:
    def rest_found(after: float) -> list[bytes]:
        folder = tmp_path / str(after)
        folder.mkdir()
        log = folder / "app.log"
        write(log, *START)
        watch = Watch(log, tail_missing_seconds=3600)
        watch.step()
        write(log, "unread")
        watch.follower.close()
        log.rename(tmp_path / "elsewhere")
        watch.restart()
        watch.step()
        assert watch.follower.counts().missing == 1
        watch.step(after)
        (tmp_path / "elsewhere").rename(folder / "app.log.1")
        return watch.settle()

    assert rest_found(3000) == [b"unread"]
    assert rest_found(4000) == []


def test_what_is_gone_is_forgotten_after_tail_remembered_days(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, *START)
    watch = Watch(tmp_path, tail_remembered_days=60)
    watch.step()
    copy = log.read_bytes()
    log.unlink()
    watch.settle()
    assert any("/at/" in name for name in watch.marks)
    watch.limits = watch.limits.__class__(tail_remembered_days=-1)
    watch.restart()
    watch.step()
    assert not any("/at/" in name for name in watch.marks)
    (tmp_path / "back.gz").write_bytes(gzip.compress(copy))
    assert watch.settle() == START


# --- header lines ---

W3C = [
    b"#Software: Microsoft Internet Information Services 10.0",
    b"#Version: 1.0",
    b"#Fields: date cs-uri-stem",
]


def test_portions_of_a_w3c_log_bring_the_latest_header_lines_along(tmp_path: Path) -> None:
    log = tmp_path / "u_ex.log"
    write(log, *W3C, b"2026-11-30 /a")
    watch = Watch(log)
    watch.step()
    write(log, b"2026-11-30 /b")
    watch.step()
    write(log, b"#Fields: date time cs-uri-stem", b"2026-11-30 08:00 /c")
    watch.step()
    watch.restart()
    write(log, b"2026-11-30 09:00 /d")
    watch.step()
    assert [portion.split(b"\n") for portion in watch.portions] == [
        [*W3C, b"2026-11-30 /a"],
        [*W3C, b"2026-11-30 /b"],
        [*W3C, b"#Fields: date time cs-uri-stem", b"2026-11-30 08:00 /c"],
        [*W3C[:2], b"#Fields: date time cs-uri-stem", b"2026-11-30 09:00 /d"],
    ]
    assert watch.counted == 8


def test_portions_of_a_table_bring_its_header_row_along(tmp_path: Path) -> None:
    table = tmp_path / "users.csv"
    write(table, "name,age", "An,30")
    watch = Watch(table, form="csv")
    watch.step()
    write(table, "Bình,40")
    watch.step()
    assert watch.portions == [b"name,age\nAn,30", "name,age\nBình,40".encode()]


def test_a_log_with_comments_has_no_header_lines(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "# a comment", "one")
    watch = Watch(log)
    watch.step()
    write(log, "two")
    assert watch.step() == [b"two"]


def test_header_lines_are_brought_along_where_the_rest_was_left_out(tmp_path: Path) -> None:
    log = tmp_path / "u_ex.log"
    write(log, *W3C, b"2026-11-30 /a")
    watch = Watch(log, existing=False)
    assert watch.step() == []
    write(log, b"2026-11-30 /b")
    assert watch.step() == [*W3C, b"2026-11-30 /b"]


# --- files that came and went while nobody watched ---


def test_what_came_and_went_under_the_name_while_nobody_watched_is_taken(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(tmp_path / "app.log.9", "of long ago")
    os.utime(tmp_path / "app.log.9", (1, 1))
    write(log, *START)
    watch = Watch(log)
    taken = watch.step()
    write(log, *numbered(100, 110))
    watch.follower.close()
    log.rename(tmp_path / "app.log.1")
    write(log, *numbered(110, 120))
    compress(tmp_path / "app.log.1", tmp_path / "app.log.3.gz")
    compress(log, tmp_path / "app.log.2.gz")
    write(log, *numbered(120, 130))
    log.rename(tmp_path / "app.log.1")
    write(log, *numbered(130, 140))
    write(tmp_path / "app.log.conf", "of something else")
    watch.restart()
    taken += watch.settle()
    watch.restart()
    taken += watch.settle()
    assert sorted(taken) == numbered(0, 140)


def test_nothing_is_taken_beside_a_file_that_is_still_there(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    write(log, "one")
    watch = Watch(log)
    watch.step()
    write(tmp_path / "app.log.1", "of something else")
    assert watch.settle() == []
    watch.restart()
    assert watch.settle() == []
