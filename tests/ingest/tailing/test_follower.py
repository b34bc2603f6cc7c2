"""Files that only grow: what is taken of them, what is left out, and what the limits do."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING, Any

from tests.ingest.tailing.following import Watch, numbered, write

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
