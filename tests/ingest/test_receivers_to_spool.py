"""Followed files and syslog, down to the spool: the parts together, as the service joins them."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from haidang.ingest.model import Source
from haidang.ingest.spool import Spool
from haidang.ingest.syslog import SyslogListener, receiver_for
from haidang.ingest.tailing import Tail, TailReceiver
from tests.ingest.holding import eventually
from tests.ingest.serving import Book, intake_in

if TYPE_CHECKING:
    from pathlib import Path

BOOK = Book({"any": Source("s1", "web", format="syslog")})


def spooled(spool: Spool) -> list[bytes]:
    return [line for one in spool.take(most_bytes=1 << 30) for line in one.arrival.data.split(b"\n")]


async def follow(folder: Path, log: Path, more: list[bytes], expected: int) -> None:
    with intake_in(folder, BOOK) as intake:
        spool = Spool(intake._spool.path)
        receiver = TailReceiver([Tail(str(log), "web")], intake, spool, BOOK)
        await receiver.start()
        with log.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in more))
        await eventually(lambda: len(spooled(spool)) >= expected)
        await receiver.close()


def test_a_followed_file_is_in_the_spool_once_over_restarts(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_bytes(b"")
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [b"<13>1 2026-11-11T22:14:%02dZ host app - - - line" % n for n in range(40)]
    for start in range(0, 40, 10):
        asyncio.run(follow(folder, log, lines[start : start + 10], start + 10))
    assert spooled(Spool(folder / "spool.sqlite3")) == lines


def test_syslog_over_tcp_is_in_the_spool(tmp_path: Path) -> None:
    lines = [b"<13>1 2026-11-11T22:14:%02dZ host app - - - line" % n for n in range(50)]

    async def run() -> None:
        with intake_in(tmp_path, BOOK) as intake:
            spool = Spool(intake._spool.path)
            receiver = receiver_for(
                SyslogListener(kind="tcp", host="127.0.0.1", port=0, source="web"), intake, BOOK
            )
            await receiver.start()
            with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
                connection.sendall(b"".join(line + b"\n" for line in lines))
            await eventually(lambda: len(spooled(spool)) >= len(lines))
            await receiver.close()
            assert spooled(spool) == lines

    asyncio.run(run())
