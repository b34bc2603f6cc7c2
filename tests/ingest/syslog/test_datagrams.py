from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from haidang.errors import ConfigurationError
from haidang.ingest.syslog import DatagramReceiver, SyslogListener, receiver_for
from haidang.limits import DEFAULT_LIMITS
from tests.ingest.holding import Book, MemoryIntake, eventually, source

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BOOK = Book(source("routers"), source("local"), source("off", enabled=False))


@contextlib.asynccontextmanager
async def receiving(
    intake: MemoryIntake, limits: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[DatagramReceiver]:
    listener = SyslogListener(
        **{"host": "127.0.0.1", "port": 0, "kind": "udp", "source": "routers", **options}
    )
    receiver = receiver_for(listener, intake, BOOK, replace(DEFAULT_LIMITS, **(limits or {})))
    assert isinstance(receiver, DatagramReceiver)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.close()


def send(receiver: DatagramReceiver, *messages: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for message in messages:
            client.sendto(message, ("127.0.0.1", receiver.port))


def test_each_datagram_is_a_message() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake) as receiver:
            send(receiver, b"<13>one\n", b"<13>two", b"<13>of\ntwo lines", b"", b"<13>" + b"x" * 60_000)
            await eventually(lambda: receiver.counts().messages == 4)
            assert intake.lines[:3] == [b"<13>one", b"<13>two", b"<13>of#012two lines"]
            assert len(intake.lines[3]) == 60_004
            assert receiver.counts().cut == 0

    asyncio.run(run())


def test_cuts_a_datagram_of_more_than_syslog_message_bytes() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, {"syslog_message_bytes": 6}) as receiver:
            send(receiver, b"<13>onetwo")
            await eventually(lambda: intake.lines == [b"<13>on"])
            assert receiver.counts().cut == 1

    asyncio.run(run())


def test_the_network_of_the_sender_names_its_source_and_strangers_are_counted() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, networks=(("127.0.0.0/8", "local"),), source="") as receiver:
            send(receiver, b"<13>one")
            await eventually(lambda: intake.of("local") == [b"<13>one"])
        async with receiving(intake, source="off") as receiver:
            send(receiver, b"<13>two", b"<13>three")
            await eventually(lambda: receiver.counts().unknown == 2)
        assert len(intake.lines) == 1

    asyncio.run(run())


def test_drops_and_counts_what_finds_no_room_in_syslog_pending_bytes() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        intake.open.clear()
        async with receiving(intake, {"syslog_pending_bytes": 1000}) as receiver:
            send(receiver, *[b"<13>" + b"x" * 96] * 25)
            await eventually(lambda: receiver.counts().bytes == 2500)
            assert receiver.counts().dropped == 15
            intake.open.set()
            await eventually(lambda: len(intake.lines) == 10)
            send(receiver, b"<13>room again")
            await eventually(lambda: intake.lines[-1] == b"<13>room again")

    asyncio.run(run())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_counts_what_the_kernel_dropped_before_it_could_be_read() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake) as receiver:
            assert receiver.counts().lost == 0
            assert receiver._socket is not None
            receiver._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            # The event loop stands still meanwhile, so nothing is read.
            send(receiver, *[b"<13>" + b"x" * 996] * 1000)
            lost = receiver.counts().lost
            assert lost
            await eventually(lambda: receiver.counts().messages == 1000 - lost)
            await asyncio.sleep(0.1)
            assert (len(intake.lines), receiver.counts().lost) == (1000 - lost, lost)

    asyncio.run(run())


def test_what_has_arrived_is_taken_when_the_listener_closes() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake) as receiver:
            send(receiver, *[b"<13>line"] * 3000)
            lost = receiver.counts().lost or 0
        assert len(intake.lines) == 3000 - lost

    asyncio.run(run())


def test_what_is_still_waiting_after_syslog_close_seconds_is_counted_as_dropped() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        intake.open.clear()
        async with receiving(intake, {"syslog_close_seconds": 0.1}) as receiver:
            send(receiver, *[b"<13>line"] * 30)
        assert (intake.lines, receiver.counts().dropped) == ([], 30)

    asyncio.run(run())


def test_listens_to_ipv6_and_ipv4_at_all_addresses() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, host="", networks=(("127.0.0.1/32", "local"),)) as receiver:
            send(receiver, b"<13>four")
            await eventually(lambda: intake.of("local") == [b"<13>four"])
            if socket.has_ipv6:
                with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
                    client.sendto(b"<13>six", ("::1", receiver.port))
                await eventually(lambda: intake.of("routers") == [b"<13>six"])

    asyncio.run(run())


def test_says_why_a_port_cannot_be_opened() -> None:
    async def run() -> None:
        async with receiving(MemoryIntake()) as receiver:
            taken = SyslogListener("127.0.0.1", receiver.port, "udp", source="routers")
            with pytest.raises(ConfigurationError, match="in use"):
                await receiver_for(taken, MemoryIntake(), BOOK).start()
            nowhere = SyslogListener("no.such.host.invalid", 0, "udp", source="routers")
            with pytest.raises(ConfigurationError):
                await receiver_for(nowhere, MemoryIntake(), BOOK).start()

    asyncio.run(run())
