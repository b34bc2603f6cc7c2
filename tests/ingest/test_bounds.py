"""What is not taken: too much, too large, while the disk is full; and how the service recovers."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from haidang.ingest.model import (
    BrokenLines,
    Portion,
    Source,
    SpoolFullError,
    SpoolUnavailableError,
    TooMuchError,
)
from haidang.limits import DEFAULT_LIMITS
from tests.ingest.serving import TOKEN, Book, intake_in, post, serving

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.ingest.intake import Intake

LINES = b'{"n": 1}\n{"n": 2}\n'
SOURCE = Source("s1", "web")
HEAD = b"POST /ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n"
HEAD += b"Authorization: Bearer %b\r\n\r\n" % TOKEN.encode()


def portion(data: bytes = b'{"n": 1}', count: int = 1) -> Portion:
    return Portion("ndjson", data, count)


def test_a_body_past_the_limit_is_refused_before_and_while_it_comes(tmp_path: Path) -> None:
    with serving(tmp_path, limits=replace(DEFAULT_LIMITS, ingest_body_bytes=1000)) as service:
        large = b'{"a":"%b"}' % (b"x" * 2000)
        answer = post(f"{service.url}/ingest", large)
        assert answer.status == 413
        assert "1000 bytes" in str(answer.json["error"])
        # Small on its way, large when it is unfolded.
        assert post(f"{service.url}/ingest", gzip.compress(large), Content_Encoding="gzip").status == 413
        connection = http.client.HTTPConnection("127.0.0.1", service.port)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        connection.request(
            "POST", "/ingest", iter([large[:900], large[900:]]), headers
        )  # Chunked: no length.
        with connection.getresponse() as response:
            assert response.status == 413
        connection.close()
        assert service.spooled() == []
        assert service.intake.counters.all()["s1"].refused == 3
        assert service.intake.held == 0


def test_a_source_may_have_a_bound_of_its_own(tmp_path: Path) -> None:
    book = Book({TOKEN: replace(SOURCE, body_bytes=10)})
    with serving(tmp_path, book) as service:
        assert post(f"{service.url}/ingest", LINES).status == 413
        assert post(f"{service.url}/ingest", LINES[:9]).status == 200


def test_more_than_a_source_may_send_is_told_when_to_come_again(tmp_path: Path) -> None:
    book = Book({TOKEN: replace(SOURCE, rate=1, burst=2), "other": Source("s2", "calm")})
    with serving(tmp_path, book) as service:
        assert post(f"{service.url}/ingest", LINES * 2).status == 200
        answer = post(f"{service.url}/ingest", LINES)
        assert answer.status == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 4
        assert post(f"{service.url}/ingest", LINES, token="Bearer other").status == 200
        assert len(service.spooled()) == 6
        assert service.intake.counters.all()["s1"].refused == 1


def test_a_source_sends_in_the_long_run_what_it_may(tmp_path: Path) -> None:
    source = replace(SOURCE, rate=100, burst=10)
    taken = 0
    with intake_in(tmp_path, Book()) as intake:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            try:
                intake.submit(source, [portion(b"1\n2\n3\n4\n5", 5)])
                taken += 5
            except TooMuchError as error:
                time.sleep(error.retry_after)
    assert 60 <= taken <= 130


def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    with serving(tmp_path, limits=replace(DEFAULT_LIMITS, ingest_body_seconds=0.2)) as service:
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
            connection.sendall(HEAD + b'{"n"')
            assert connection.recv(1000).startswith(b"HTTP/1.1 408")
        assert service.intake.held == 0


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
            connection.sendall(HEAD + LINES[:9])
        for _ in range(500):
            if not service.intake.held:
                break
            time.sleep(0.01)
        assert service.intake.held == 0
        assert service.spooled() == []


def test_a_full_spool_refuses_says_so_and_recovers_by_itself(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, spool_file_bytes=1 << 20)
    import random

    with serving(tmp_path, limits=limits) as service:
        kept = 0
        for seed in range(100):
            line = json.dumps({"noise": random.Random(seed).randbytes(30_000).hex()}).encode()
            answer = post(f"{service.url}/ingest", line)
            if answer.status != 200:
                break
            kept += 1
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert str(tmp_path) not in answer.body.decode()
        assert isinstance(service.intake.trouble, SpoolFullError)
        assert len(service.spooled()) == kept > 0
        service.intake._spool.done(1 << 60)
        assert post(f"{service.url}/ingest", line).status == 200
        assert service.intake.trouble is None
        assert len(service.spooled()) == 1


def test_trouble_ends_without_a_request_that_tries(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with intake_in(folder, Book()) as intake:
        with pytest.raises(SpoolUnavailableError):
            intake.submit(SOURCE, [portion()]).result(10)
        assert intake.trouble is not None
        folder.mkdir()
        for _ in range(600):
            if intake.trouble is None:
                break
            time.sleep(0.01)
        assert intake.trouble is None
        intake.submit(SOURCE, [portion()]).result(10)


def test_of_a_request_all_or_nothing_is_kept(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, spool_file_bytes=1 << 20)
    import random

    large = random.Random(1).randbytes(2 << 20).replace(b"\n", b"")
    with intake_in(tmp_path, Book(), limits) as intake:
        future = intake.submit(SOURCE, [portion(), Portion("syslog", large, 1)])
        with pytest.raises(SpoolFullError):
            future.result(10)
        assert intake._spool.backlog().batches == 0


def test_memory_for_what_waits_is_bounded(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, ingest_held_bytes=100)
    with intake_in(tmp_path, Book(), limits) as intake:
        with intake._spool._database._lock:  # The disk is slow.
            one = intake.submit(SOURCE, [portion(b"x" * 90)])
            with pytest.raises(TooMuchError) as told:
                intake.submit(SOURCE, [portion(b"x" * 20)])
            assert told.value.retry_after > 0
        one.result(10)
        intake.submit(SOURCE, [portion(b"x" * 1000)]).result(10)  # A single one always fits.
        assert intake.held == 0


def test_the_memory_of_bodies_on_their_way_is_bounded(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, ingest_held_bytes=100_000)
    large = b'{"a":"%b"}' % (b"x" * 90_000)
    with serving(tmp_path, limits=limits) as service:
        # Alone it fits, though it is counted twice for a moment.
        assert post(f"{service.url}/ingest", gzip.compress(large), Content_Encoding="gzip").status == 200
        service.intake.hold(50_000)
        answer = post(f"{service.url}/ingest", large)
        assert (answer.status, answer.headers["retry-after"]) == (429, "2")
        service.intake.release(50_000)
        assert post(f"{service.url}/ingest", large).status == 200
        assert service.intake.held == 0
        assert service.intake.counters.all()["s1"].refused == 1


def test_what_waits_goes_to_disk_together_within_bounds(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, ingest_batch_bytes=50, ingest_commit_bytes=200)
    other = Source("s2", "db")
    with intake_in(tmp_path, Book(), limits) as intake:
        with intake._spool._database._lock:
            futures = [intake.submit(SOURCE, [portion()])]
            while intake._waiting:
                time.sleep(0.001)  # The first is being written; the rest waits for it.
            futures += [intake.submit(SOURCE, [portion(b"%020d" % n)]) for n in range(5)]
            futures += [
                intake.submit(other, [portion(b"b")]),
                intake.submit(SOURCE, [Portion("syslog", b"c", 1)]),
            ]
        for future in futures:
            future.result(10)
        batches = [one.arrival for one in intake._spool.take()]
    assert [(one.source, one.format, one.count) for one in batches] == [
        ("s1", "ndjson", 1),
        ("s1", "ndjson", 2),
        ("s1", "ndjson", 2),
        ("s1", "ndjson", 1),
        ("s2", "ndjson", 1),
        ("s1", "syslog", 1),
    ]
    assert [one.data for one in batches[1:4]] == [
        b"%020d\n%020d" % (0, 1),
        b"%020d\n%020d" % (2, 3),
        b"%020d" % 4,
    ]


def test_closing_writes_what_waits_and_takes_no_more(tmp_path: Path) -> None:
    intake = intake_in(tmp_path, Book())
    intake.start()
    with intake._spool._database._lock:
        future = intake.submit(SOURCE, [portion()])
        closing = threading.Thread(target=intake.close)
        closing.start()
        time.sleep(0.05)
        with pytest.raises(SpoolUnavailableError):
            intake.submit(SOURCE, [portion()])
    closing.join(10)
    assert future.result(0) is None
    assert intake._spool.backlog().events == 1


def test_who_gives_up_waiting_before_it_is_written_leaves_nothing(tmp_path: Path) -> None:
    with intake_in(tmp_path, Book()) as intake:
        with intake._spool._database._lock:
            first = intake.submit(SOURCE, [portion()])
            while intake._waiting:
                time.sleep(0.001)
            second = intake.submit(SOURCE, [portion()])
            assert second.cancel()
        first.result(10)
        with pytest.raises(CancelledError):
            second.result(10)
        intake.submit(SOURCE, [portion()]).result(10)
        assert intake._spool.backlog().events == 2
        assert intake.held == 0


def test_take_returns_when_it_is_on_disk(tmp_path: Path) -> None:
    with intake_in(tmp_path, Book()) as intake:
        asyncio.run(intake.take(SOURCE, b"a\nb", format="syslog", count=2))
        assert intake._spool.backlog().events == 2


def test_marks_are_on_disk_with_the_events_and_alone(tmp_path: Path) -> None:
    with intake_in(tmp_path, Book()) as intake:
        asyncio.run(intake.take(SOURCE, b"a", format="syslog", count=1, marks={"x": b"1", "y": b"1"}))
        asyncio.run(intake.take(SOURCE, b"", format="", count=0, marks={"x": b""}))
        assert intake._spool.marks("") == {"y": b"1"}
        assert [one.arrival.count for one in intake._spool.take()] == [1]


def test_records_with_header_lines_of_their_own_are_a_batch_of_their_own(tmp_path: Path) -> None:
    async def run(intake: Intake) -> None:
        takes = [
            intake.take(SOURCE, b"name\n%d" % number, format="csv", count=2, alone=number > 1)
            for number in range(4)
        ]
        await asyncio.gather(*takes)

    with intake_in(tmp_path, Book()) as intake:
        asyncio.run(run(intake))
        found = [one.arrival.data for one in intake._spool.take()]
    assert {b"name\n2", b"name\n3"} < set(found)


def test_what_is_counted_outlives_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        with intake_in(tmp_path, Book()) as intake:
            broken = BrokenLines(DEFAULT_LIMITS)
            broken.broken("broken-line", b"x", "The line is no JSON object.")
            intake.submit(SOURCE, [portion(b"1\n2", 2)], broken).result(10)
    counts = intake.counters.all()["s1"]
    assert (counts.events, counts.bytes, counts.quarantined, counts.refused) == (4, 6, 2, 0)
    assert 0 <= time.time_ns() - counts.seen < 60e9


def test_counters_that_cannot_be_saved_are_not_lost(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    intake = intake_in(folder, Book())
    with intake:
        intake.submit(SOURCE, [portion()]).result(10)
        folder.rename(tmp_path / "away")
        with pytest.raises(SpoolUnavailableError):
            intake.counters.save()
        (tmp_path / "away").rename(folder)
    assert intake.counters.all()["s1"].events == 1
