"""A worker that dies takes only its input with it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from haidang.scanning import ScanOptions, _pool, run
from haidang.scanning._worker import FileEvidence, Worker

from .material import event, split_small, write_log, write_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from haidang.events.streams import Input
    from haidang.findings.model import Finding, ScanSummary

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers are forked on POSIX only")


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Let the part of a file that begins at a byte end the process that reads it, in workers only."""
    parent = os.getpid()
    plain = Worker.scan

    def kill(name: str, start: int = 0) -> None:
        def scan(self: Worker, item: Input, on_batch: Callable[[int, int], None]) -> Iterator[FileEvidence]:
            if str(item.path).endswith(name) and item.start >= start and os.getpid() != parent:
                os._exit(9)
            return plain(self, item, on_batch)

        monkeypatch.setattr(Worker, "scan", scan)

    return kill


def scanned(tmp_path: Path, *paths: Path) -> tuple[list[Finding], ScanSummary]:
    rules = str(write_rules(tmp_path))
    found: list[Finding] = []
    options = ScanOptions(tuple(map(str, paths)), rules=(rules,), cache=False, processes=2)
    return found, run(options, found.append)


def test_an_input_that_kills_its_worker_is_named_and_the_rest_is_scanned(
    tmp_path: Path, deadly: Callable[[str, int], None]
) -> None:
    logs = [write_log(tmp_path / f"logs/{at}.jsonl", [event(at)]) for at in range(8)]
    deadly("3.jsonl", 0)
    found, summary = scanned(tmp_path, *logs)
    plain = [finding.source.path for finding in found if finding.origin != "correlation"]
    assert plain == [str(log) for at, log in enumerate(logs) if at != 3]
    assert [file.path for file in summary.files] == [str(log) for log in logs]
    assert [file.path for file in summary.files if "crashed" in file.problems] == [str(logs[3])]


@pytest.mark.parametrize("start", [0, 1])
def test_a_split_file_whose_part_kills_its_worker_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deadly: Callable[[str, int], None], start: int
) -> None:
    log = write_log(tmp_path / "big.jsonl", [event(at) for at in range(1500)])
    other = write_log(tmp_path / "other.jsonl", [event(1)])
    split_small(monkeypatch)
    deadly("big.jsonl", start)
    found, summary = scanned(tmp_path, log, other)
    assert [file.path for file in summary.files] == [str(log), str(other)]
    assert "crashed" in summary.files[0].problems
    assert summary.files[0].format == ("ndjson" if start else "")
    assert any(finding.source.path == str(other) for finding in found)


def test_records_behind_a_lost_part_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = write_log(tmp_path / "big.jsonl", [event(at) for at in range(3000)])
    whole, _ = scanned(tmp_path, log)
    split_small(monkeypatch)
    parent, plain = os.getpid(), Worker.scan

    def scan(self: Worker, item: Input, on_batch: Callable[[int, int], None]) -> Iterator[FileEvidence]:
        if item.end is not None and 0 < item.start < item.end < log.stat().st_size and os.getpid() != parent:
            os._exit(9)
        return plain(self, item, on_batch)

    monkeypatch.setattr(Worker, "scan", scan)
    found, summary = scanned(tmp_path, log)
    (report,) = summary.files
    events = [finding for finding in found if finding.origin != "correlation"]
    assert {finding.source.record for finding in events} < {finding.source.record for finding in whole}
    assert events[-1].source.record == report.lines == 3000
    assert report.skipped == 3000 - len(events) > 0


def test_a_large_result_travels_by_a_file_and_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = [write_log(tmp_path / f"logs/{at}.jsonl", [event(n) for n in range(3000)]) for at in range(2)]
    plain, _ = scanned(tmp_path, *logs)
    monkeypatch.setattr(_pool, "_IN_MEMORY", 1)
    spilled, _ = scanned(tmp_path, *logs)
    assert spilled == plain
    assert len(plain) > 6000


def test_nothing_manages_workers_once_a_scan_has_ended(tmp_path: Path) -> None:
    logs = [write_log(tmp_path / f"logs/{at}.jsonl", [event(at)]) for at in range(8)]
    before = set(threading.enumerate())
    scanned(tmp_path, *logs)
    left = [
        thread for thread in set(threading.enumerate()) - before if "manager" in type(thread).__name__.lower()
    ]
    assert left == []
