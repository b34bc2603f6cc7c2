"""The archive: every event once, as it came, and gone when its time is over."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from haidang.errors import StorageError
from haidang.ingest import archive as archive_module
from haidang.ingest._archive_rows import flattened
from haidang.ingest.archive import Archive, ArchivePosition, Retention, archive_files, run_archive
from haidang.ingest.model import Arrival
from haidang.ingest.spool import Spool, Spooled
from tests.scanning.material import event

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400 * 10**9
NOON = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()) * 10**9


def batch(number: int, *records: bytes, source: str = "7", received: int = NOON, form: str = "") -> Spooled:
    return Spooled(number, Arrival(source, form, received, b"\n".join(records), len(records)))


def events(*numbers: int) -> list[bytes]:
    return [json.dumps(event(number)).encode() for number in numbers]


def rows(folder: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    tables = [pq.ParquetFile(one.path).read() for one in archive_files(folder)]
    return pa.concat_tables(tables).to_pylist() if tables else []


def test_keeps_records_as_they_came_with_their_fields(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    odd = b'{"Channel": "x", "a": {"b": [1, {"c": null}]}, "t": true, "n": 12345678901234567890123}'
    archive.take([batch(3, *events(1), odd, b"\xff broken"), batch(4, *events(2), source="8")])
    archive.flush()
    first, second, third, other = sorted(rows(tmp_path), key=lambda row: (row["batch"], row["record"]))
    assert first["raw"].encode() == events(1)[0]
    assert first["time"] == datetime(2026, 3, 1, 10, 0, 1)  # noqa: DTZ001 -- UTC, as the schema has it
    assert (first["host"], first["origin"], dict(first["fields"])["Image"]) == (
        "h1",
        "windows",
        "C:\\x\\tool.exe",
    )
    assert dict(second["fields"])["a.b"] == '[1,{"c":null}]'
    assert second["time"] == second["received"]
    assert (third["record"], third["raw_bytes"], third["fields"]) == (3, b"\xff broken", [])
    assert other["batch"] == 4
    names = {str(path.path.relative_to(tmp_path).parent) for path in archive_files(tmp_path)}
    assert names == {"source=7/day=2026-11-30", "source=8/day=2026-11-30"}


def test_rows_are_made_a_few_batches_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    batches = [batch(number, *events(number, number + 10)) for number in range(1, 6)]
    monkeypatch.setattr(archive_module, "_GROUP_BYTES", 2 * len(batches[0].arrival.data))
    archive = Archive(tmp_path)
    archive.take(batches)
    archive.flush()
    (one,) = archive_files(tmp_path)
    assert pq.ParquetFile(one.path).num_row_groups == 3
    found = [json.loads(row["raw"]) for row in rows(tmp_path)]
    assert found == [event(at) for number in range(1, 6) for at in (number, number + 10)]


def test_other_formats_have_fields_too(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    line = b"<34>1 2026-11-30T08:00:00Z mymachine sshd 12 - - Failed password for root from 10.0.0.7"
    archive.take([batch(1, line, form="syslog")])
    archive.flush()
    (row,) = rows(tmp_path)
    assert (row["host"], row["format"]) == ("mymachine", "syslog")
    assert row["time"].hour == 8


def test_flattened_fields_are_texts_whatever_they_were() -> None:
    deep: dict[str, Any] = {"x": 1}
    for _ in range(100):
        deep = {"d": deep}
    found = dict(flattened({"a": None, "b": {"c": 1.5}, "d": [10**30], "e": "\udcff", **deep}))
    assert found["b.c"] == "1.5"
    assert found["d" + ".d" * 32].startswith('{"d":')
    assert found["e"] == "\udcff"
    assert "a" not in found


def test_text_that_is_not_unicode_can_be_kept(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.take([batch(1, rb'{"Channel": "x", "a\ud800": "\udcff"}')])
    archive.flush()
    assert len(rows(tmp_path)) == 1


def test_what_comes_again_is_skipped_source_by_source(tmp_path: Path) -> None:
    batches = [
        batch(1, *events(1)),
        batch(2, *events(2), source="8"),
        batch(3, *events(3), received=NOON + DAY),
    ]
    archive = Archive(tmp_path)
    archive.take(batches)
    archive.take(batches)
    archive.flush()
    # Killed when two of the files were there, but before it was said that all are.
    (tmp_path / "through").unlink()
    archive_files(tmp_path)[2].path.unlink()
    again = Archive(tmp_path)
    assert again.safe() == 0
    again.take(batches)
    again.flush()
    assert sorted(row["batch"] for row in rows(tmp_path)) == [1, 2, 3]
    assert ArchivePosition(tmp_path).safe() == again.safe() == 3


def test_batches_received_around_midnight_are_all_kept(tmp_path: Path) -> None:
    midnight = NOON + DAY // 2
    archive = Archive(tmp_path)
    archive.take(
        [
            batch(n, *events(n), received=received)
            for n, received in enumerate((midnight - 1, midnight + 1, midnight - 1, midnight), start=1)
        ]
    )
    archive.flush()
    assert sorted(row["batch"] for row in rows(tmp_path)) == [1, 2, 3, 4]


def test_many_small_files_become_one_and_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "_MANY", 4)
    archive = Archive(tmp_path)
    for number in range(1, 11):
        archive.take([batch(number, *events(number))])
        archive.flush()
    assert len(archive_files(tmp_path)) < 5
    assert [row["batch"] for row in rows(tmp_path)] == list(range(1, 11))


def test_a_joined_file_takes_the_place_of_those_that_a_kill_left(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.take([batch(1, *events(1)), batch(2, *events(2)), batch(3, *events(3))])
    archive.flush()
    place = archive_files(tmp_path)[0].path
    left = place.with_name(place.name.replace("3.parquet", "2.parquet"))
    left.write_bytes(b"not even a file")
    unfinished = place.with_name(f".{place.name}.tmp")
    unfinished.touch()
    assert len(rows(tmp_path)) == 3
    Archive(tmp_path)
    assert not left.exists()
    assert not unfinished.exists()


def test_old_files_go_by_days_and_by_bytes(tmp_path: Path) -> None:
    archive = Archive(tmp_path, retention=Retention(days=2), clock=lambda: (NOON + 4 * DAY) / 1e9)
    archive.take([batch(n, *events(n), received=NOON + n * DAY) for n in range(5)])
    archive.flush()
    assert [one.first for one in archive_files(tmp_path)] == [2, 3, 4]
    size = archive_files(tmp_path)[0].path.stat().st_size
    again = Archive(
        tmp_path, retention=Retention(days=9, most_bytes=int(size * 2.5)), clock=lambda: NOON / 1e9
    )
    again.take([batch(5, *events(5), received=NOON + 5 * DAY)])
    again.flush()
    assert [one.first for one in archive_files(tmp_path)] == [4, 5]


def test_says_that_it_cannot_be_written_and_goes_on_later(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a")
    place = tmp_path / "a" / "source=7"
    place.touch()
    archive.take([batch(1, *events(1))])
    with pytest.raises(StorageError):
        archive.flush()
    assert archive.safe() == 0
    place.unlink()
    archive.flush()
    assert archive.safe() == 1


def test_follows_a_spool_and_writes_what_waits_when_it_ends(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.sqlite3")
    numbers = spool.append([Arrival("7", "", NOON, events(1)[0], 1), Arrival("7", "", NOON, events(2)[0], 1)])
    stop = threading.Event()
    archive = Archive(tmp_path / "archive", flush_seconds=3600)
    thread = threading.Thread(target=run_archive, args=(spool, archive, stop))
    thread.start()
    time.sleep(0.3)
    stop.set()
    thread.join(timeout=30)
    assert ArchivePosition(tmp_path / "archive").safe() == numbers[-1]
    assert len(rows(tmp_path / "archive")) == 2
    assert spool.backlog().batches == 2
    spool.close()


def test_a_source_cannot_name_a_folder_elsewhere(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "a")
    archive.take([batch(1, *events(1), source="../../x")])
    archive.flush()
    (one,) = archive_files(tmp_path / "a")
    assert one.source == "x" + b"../../x".hex()


def test_compresses_what_repeats(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    many = events(*range(5000))
    archive.take([batch(1, *many)])
    archive.flush()
    assert archive_files(tmp_path)[0].path.stat().st_size * 5 < sum(map(len, many))
