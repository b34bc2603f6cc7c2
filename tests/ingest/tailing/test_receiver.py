from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from haidang.errors import ConfigurationError, StorageError
from haidang.ingest.counting import Counters
from haidang.ingest.intake import Intake
from haidang.ingest.model import SpoolFullError, TooMuchError
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool
from haidang.ingest.tailing import Tail, TailReceiver
from haidang.limits import DEFAULT_LIMITS
from tests.ingest.holding import Book, MemoryIntake, eventually, source
from tests.ingest.tailing.following import write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

LIMITS = replace(DEFAULT_LIMITS, tail_poll_seconds=0.01, tail_scan_seconds=0.02, spool_reserve_bytes=0)
BOOK = Book(source("unit"), source("other", "ndjson"))


class Marks:
    """Reads the marks that the intake in memory was given."""

    def __init__(self, intake: MemoryIntake) -> None:
        self._intake = intake
        self.refusals: list[StorageError] = []

    def marks(self, prefix: str) -> dict[str, bytes]:
        if self.refusals:
            raise self.refusals.pop()
        return {name: mark for name, mark in self._intake.kept.items() if name.startswith(prefix) and mark}


@contextlib.asynccontextmanager
async def following(
    intake: MemoryIntake, *tails: Tail, book: Book = BOOK, store: Any = None, **limits: Any
) -> AsyncIterator[TailReceiver]:
    receiver = TailReceiver(tails, intake, store or Marks(intake), book, replace(LIMITS, **limits))
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.close()


def test_hands_over_what_is_written_under_the_format_of_the_tail_or_of_the_source(tmp_path: Path) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        one, two, three = (tmp_path / f"{name}.log" for name in ("one", "two", "three"))
        tails = [
            Tail(str(one), "unit"),
            Tail(str(two), "unit", "web-access"),
            Tail(str(three), "other"),
        ]
        for path in (one, two, three):
            write(path, f"of {path.stem}")
        async with following(intake, *tails) as receiver:
            await eventually(lambda: len(intake.lines) == 3)
            write(one, "later")
            await eventually(lambda: len(intake.lines) == 4)
            assert {(name, form, lines[0]) for name, form, lines in intake.taken} == {
                ("unit", "", b"of one"),
                ("unit", "web-access", b"of two"),
                ("other", "ndjson", b"of three"),
                ("unit", "", b"later"),
            }
            assert {name: counts.files for name, counts in receiver.counts().items()} == {
                "unit": 2,
                "other": 1,
            }

    asyncio.run(run())


def test_goes_on_after_a_stop_where_it_was(tmp_path: Path) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        log = tmp_path / "app.log"
        tail = Tail(str(log), "unit")
        write(log, "one")
        async with following(intake, tail):
            await eventually(lambda: intake.lines == [b"one"])
        write(log, "two")
        async with following(intake, tail):
            await eventually(lambda: intake.lines == [b"one", b"two"])

    asyncio.run(run())


def test_reads_no_more_while_the_disk_takes_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        log = tmp_path / "app.log"
        write(log, *[f"line {number}" for number in range(1000)])
        intake.open.clear()
        async with following(intake, Tail(str(log), "unit"), tail_read_bytes=1000):
            await eventually(lambda: intake.attempts == 1)
            await asyncio.sleep(0.2)
            assert intake.attempts == 1
            intake.refusals = [SpoolFullError("full"), TooMuchError("too much", retry_after=0.01)]
            intake.open.set()
            await eventually(lambda: len(intake.lines) == 1000)
            assert intake.lines == [b"line %d" % number for number in range(1000)]

    asyncio.run(run())


def test_waits_for_a_source_that_is_not_known_or_disabled_and_for_its_marks(tmp_path: Path) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        store = Marks(intake)
        store.refusals = [StorageError("away")]
        log = tmp_path / "app.log"
        write(log, "one")
        book = Book()
        async with following(intake, Tail(str(log), "unit"), book=book, store=store):
            await asyncio.sleep(0.1)
            book.sources["unit"] = source("unit")
            await eventually(lambda: intake.lines == [b"one"])
            book.sources["unit"] = source("unit", enabled=False)
            await asyncio.sleep(0.1)
            write(log, "two")
            await asyncio.sleep(0.2)
            assert intake.lines == [b"one"]
            book.sources["unit"] = source("unit")
            await eventually(lambda: intake.lines == [b"one", b"two"])

    asyncio.run(run())


def test_what_is_taken_and_how_far_is_in_the_spool(tmp_path: Path) -> None:
    async def run() -> list[bytes]:
        spool = Spool(tmp_path / "spool.sqlite3", LIMITS)
        counters = Counters(spool.path, LIMITS)
        quarantine = Quarantine(tmp_path / "quarantine.sqlite3", LIMITS)
        with Intake(spool, quarantine, counters, BOOK, LIMITS) as intake:
            receiver = TailReceiver([Tail(str(tmp_path / "*.log"), "unit")], intake, spool, BOOK, LIMITS)
            await receiver.start()
            write(tmp_path / "app.log", "more")
            await asyncio.sleep(0.5)
            await receiver.close()
        return [batch.arrival.data for batch in Spool(spool.path).take()]

    write(tmp_path / "app.log", "one")
    assert b"\n".join(asyncio.run(run())) == b"one\nmore"
    assert b"\n".join(asyncio.run(run())) == b"one\nmore\nmore"


@pytest.mark.parametrize(("pattern", "name"), [("logs/*.log", "unit"), ("/var/log/*.log", "")])
def test_refuses_a_tail_that_cannot_be_meant(pattern: str, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Tail(pattern, name)
    assert caught.value.hint
