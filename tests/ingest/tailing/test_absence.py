"""Files that went, or came and went, while nobody watched."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

from tests.ingest.tailing.following import START, Watch, compress, numbered, write

if TYPE_CHECKING:
    from pathlib import Path


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
