from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from haidang.errors import ConfigurationError
from haidang.ingest.model import SpoolFullError, TooMuchError
from haidang.ingest.syslog import ConnectionReceiver, SyslogListener, receiver_for
from haidang.limits import DEFAULT_LIMITS
from tests.ingest.holding import Book, MemoryIntake, eventually, source
from tests.ingest.syslog.small_ca import SmallAuthority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BOOK = Book(source("routers"), source("off", enabled=False), source("json", "ndjson"))


@contextlib.asynccontextmanager
async def receiving(
    intake: MemoryIntake, book: Book = BOOK, limits: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[ConnectionReceiver]:
    listener = SyslogListener(
        **{"host": "127.0.0.1", "port": 0, "kind": "tcp", "source": "routers", **options}
    )
    receiver = receiver_for(listener, intake, book, replace(DEFAULT_LIMITS, **(limits or {})))
    assert isinstance(receiver, ConnectionReceiver)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.close()


async def connect(receiver: ConnectionReceiver, **options: Any) -> asyncio.StreamWriter:
    _, writer = await asyncio.open_connection("127.0.0.1", receiver.port, **options)
    return writer


async def is_closed(writer: asyncio.StreamWriter) -> bool:
    """Wait until the other end closed."""
    # uvloop says so in its own way.
    with contextlib.suppress(ConnectionError, RuntimeError):
        async with asyncio.timeout(10):
            while True:
                writer.write(b"<13>still there\n")
                await writer.drain()
                await asyncio.sleep(0.01)
    return True


def test_takes_counted_messages_and_lines_of_one_connection() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake) as receiver:
            writer = await connect(receiver)
            writer.write(b"<13>one\n7 <13>two<13>thr")
            await eventually(lambda: len(intake.lines) == 2)
            writer.write(b"ee\n<13>last, without an end")
            await writer.drain()
            writer.close()
            await eventually(lambda: len(intake.lines) == 4)
            await eventually(lambda: receiver.counts().open == 0)
            assert intake.lines == [b"<13>one", b"<13>two", b"<13>three", b"<13>last, without an end"]
            assert {(name, form) for name, form, _ in intake.taken} == {("routers", "syslog")}
            assert (receiver.counts().messages, receiver.counts().accepted) == (4, 1)

    asyncio.run(run())


def test_the_format_that_the_source_names_is_kept() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, source="json") as receiver:
            writer = await connect(receiver)
            writer.write(b'{"a": 1}\n')
            await eventually(lambda: intake.taken == [("json", "ndjson", [b'{"a": 1}'])])
            writer.close()

    asyncio.run(run())


def test_reads_no_more_while_the_disk_takes_nothing_and_loses_nothing() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        intake.open.clear()
        line = b"<13>" + b"x" * 1000 + b"\n"
        async with receiving(intake) as receiver:
            with socket.create_connection(("127.0.0.1", receiver.port)) as client:
                client.setblocking(False)
                sent = 0
                # The kernel's buffers of both ends fill; then the sender is held back.
                quiet = 0
                while quiet < 20:
                    try:
                        sent += client.send((line * 100)[sent % len(line) :])
                        quiet = 0
                    except BlockingIOError:
                        quiet += 1
                    await asyncio.sleep(0.01)
                read = receiver.counts().bytes
                assert read <= 2 * DEFAULT_LIMITS.read_bytes < sent
                assert intake.attempts == 1
                intake.open.set()
                await eventually(lambda: receiver.counts().bytes == sent)
                client.shutdown(socket.SHUT_WR)
                await eventually(lambda: receiver.counts().open == 0)
            assert sum(len(one) for one in intake.lines) == sent - sent // len(line)

    asyncio.run(run())


def test_tries_again_until_it_is_taken() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        intake.refusals = [
            TooMuchError("too much", retry_after=0.01),
            SpoolFullError("the disk is full"),
            TooMuchError("too much", retry_after=0.01),
        ]
        async with receiving(intake) as receiver:
            writer = await connect(receiver)
            writer.write(b"<13>one\n")
            await eventually(lambda: intake.lines == [b"<13>one"])
            assert intake.attempts == 4
            writer.close()

    asyncio.run(run())


def test_refuses_more_connections_than_syslog_connections_and_syslog_host_connections() -> None:
    async def run(limits: dict[str, int]) -> None:
        intake = MemoryIntake()
        async with receiving(intake, limits=limits) as receiver:
            first, second = await connect(receiver), await connect(receiver)
            await eventually(lambda: receiver.counts().accepted == 2)
            third = await connect(receiver)
            assert await is_closed(third)
            assert receiver.counts().refused == 1
            first.close()
            await eventually(lambda: receiver.counts().open == 1)
            fourth = await connect(receiver)
            fourth.write(b"<13>let in\n")
            await eventually(lambda: intake.lines == [b"<13>let in"])
            second.close()
            fourth.close()

    asyncio.run(run({"syslog_connections": 2}))
    asyncio.run(run({"syslog_host_connections": 2}))


def test_closes_a_connection_that_is_silent_for_syslog_idle_seconds() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, limits={"syslog_idle_seconds": 0.1}) as receiver:
            writer = await connect(receiver)
            await eventually(lambda: receiver.counts().idle == 1)
            assert await is_closed(writer)

    asyncio.run(run())


def test_passes_on_and_closes_what_is_not_completed_in_syslog_partial_seconds() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, limits={"syslog_partial_seconds": 0.1}) as receiver:
            writer = await connect(receiver)
            writer.write(b"100 <13>half")
            await eventually(lambda: intake.lines == [b"<13>half"])
            await eventually(lambda: receiver.counts().incomplete == 1)
            assert await is_closed(writer)

    asyncio.run(run())


def test_cuts_a_message_of_more_than_syslog_message_bytes() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, limits={"syslog_message_bytes": 10}) as receiver:
            writer = await connect(receiver)
            writer.write(b"<13>" + b"x" * 100_000 + b"\n<13>next\n")
            await eventually(lambda: intake.lines == [b"<13>xxxxxx", b"<13>next"])
            writer.close()
            await eventually(lambda: receiver.counts().cut == 1)

    asyncio.run(run())


@pytest.mark.parametrize("name", ["off", "nobody"])
def test_takes_nothing_of_a_sender_without_a_source(name: str) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, source=name) as receiver:
            writer = await connect(receiver)
            assert await is_closed(writer)
            assert receiver.counts().unknown == 1
        assert not intake.taken

    asyncio.run(run())


def test_what_has_arrived_is_taken_when_the_listener_closes() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake) as receiver:
            writer = await connect(receiver)
            await eventually(lambda: receiver.counts().accepted == 1)
            # Far more than one read: all of it was written before the service stopped.
            writer.write(b"<13>line\n" * 100_000)
            await writer.drain()
        assert len(intake.lines) == 100_000
        writer.close()

    asyncio.run(run())


def test_gives_up_after_syslog_close_seconds_when_the_disk_takes_nothing() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        intake.open.clear()
        async with asyncio.timeout(10):
            async with receiving(intake, limits={"syslog_close_seconds": 0.2}) as receiver:
                writer = await connect(receiver)
                writer.write(b"<13>line\n")
                await eventually(lambda: intake.attempts == 1)
        assert not intake.lines
        writer.close()

    asyncio.run(run())


def test_says_why_a_port_cannot_be_opened() -> None:
    async def run() -> None:
        async with receiving(MemoryIntake()) as receiver:
            taken = SyslogListener("127.0.0.1", receiver.port, "tcp", source="routers")
            with pytest.raises(ConfigurationError, match="in use") as caught:
                await receiver_for(taken, MemoryIntake(), BOOK).start()
            assert "another port" in caught.value.hint

    asyncio.run(run())


# --- TLS ---


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> SmallAuthority:
    return SmallAuthority(tmp_path_factory.mktemp("authority"))


def tls(authority: SmallAuthority, *, clients: bool = False) -> dict[str, Any]:
    server = authority.issue("server.example")
    return {
        "kind": "tls",
        "certificate": server.certificate,
        "key": server.key,
        "authority": authority.path if clients else None,
    }


def client_context(authority: SmallAuthority, pair: Any = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.path)
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


def test_takes_messages_over_tls(authority: SmallAuthority) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, **tls(authority)) as receiver:
            writer = await connect(receiver, ssl=client_context(authority))
            writer.write(b"".join(b"%d <13>message %d" % (len(str(n)) + 12, n) for n in range(50_000)))
            await writer.drain()
            writer.close()
            await eventually(lambda: receiver.counts().open == 0 and receiver.counts().accepted == 1)
            assert intake.lines == [b"<13>message %d" % n for n in range(50_000)]

    asyncio.run(run())


def test_the_certificate_of_a_client_names_its_source(authority: SmallAuthority) -> None:
    async def run() -> None:
        one, two, stranger = (authority.issue(name) for name in ("one", "two", "stranger"))
        book = Book(
            source("unit-1"),
            source("unit-2"),
            certificates={one.fingerprint: "unit-1", two.fingerprint: "unit-2"},
        )
        intake = MemoryIntake()
        options = {**tls(authority, clients=True), "by_certificate": True, "source": ""}
        async with receiving(intake, book, **options) as receiver:
            for pair in (one, two):
                writer = await connect(receiver, ssl=client_context(authority, pair))
                writer.write(b"<13>of " + pair.certificate.stem.encode() + b"\n")
                await writer.drain()
                await eventually(lambda: receiver.counts().messages > 0)
                writer.close()
            await eventually(lambda: receiver.counts().messages == 2)
            assert intake.of("unit-1") == [b"<13>of one"]
            assert intake.of("unit-2") == [b"<13>of two"]
            writer = await connect(receiver, ssl=client_context(authority, stranger))
            assert await is_closed(writer)
            await eventually(lambda: receiver.counts().unknown == 1)
            assert len(intake.lines) == 2

    asyncio.run(run())


@pytest.mark.parametrize("case", ["none", "expired", "foreign"])
def test_lets_no_client_in_without_a_valid_certificate(
    authority: SmallAuthority, tmp_path: Path, case: str
) -> None:
    pair = None
    if case == "expired":
        pair = authority.issue("late", expired=True)
    elif case == "foreign":
        pair = SmallAuthority(tmp_path, "Other authority").issue("one")

    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, **tls(authority, clients=True)) as receiver:
            with contextlib.suppress(OSError):
                # With TLS 1.3 the client learns only by the first read that it was refused.
                writer = await connect(receiver, ssl=client_context(authority, pair))
                assert await is_closed(writer)
            await eventually(lambda: receiver.counts().handshakes == 1)
            assert (receiver.counts().accepted, intake.taken) == (0, [])

    asyncio.run(run())


def test_gives_up_a_handshake_after_syslog_handshake_seconds(authority: SmallAuthority) -> None:
    async def run() -> None:
        options = tls(authority)
        async with receiving(MemoryIntake(), limits={"syslog_handshake_seconds": 0.1}, **options) as receiver:
            writer = await connect(receiver)
            await eventually(lambda: receiver.counts().handshakes == 1)
            writer.close()
            await eventually(lambda: receiver.counts().open == 0)

    asyncio.run(run())


def test_a_renewed_certificate_is_used_and_a_broken_one_is_not(authority: SmallAuthority) -> None:
    async def fingerprint(receiver: ConnectionReceiver) -> bytes:
        writer = await connect(receiver, ssl=client_context(authority))
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return bytes(shown)

    async def run() -> None:
        options = tls(authority)
        async with receiving(MemoryIntake(), **options) as receiver:
            first = await fingerprint(receiver)
            renewed = authority.issue("server.example")
            assert renewed.certificate == options["certificate"]
            second = await fingerprint(receiver)
            assert first != second
            renewed.certificate.write_text("not a certificate")
            assert await fingerprint(receiver) == second

    asyncio.run(run())


def test_says_why_certificates_cannot_be_used(authority: SmallAuthority, tmp_path: Path) -> None:
    server, other = authority.issue("server.example"), authority.issue("other")
    (tmp_path / "empty.pem").write_bytes(b"")
    locked = tmp_path / "locked.key"
    command = ["openssl", "ec", "-in", str(server.key), "-aes256", "-passout", "pass:x", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)

    def said(**options: Any) -> str:
        async def run() -> None:
            listener = SyslogListener("127.0.0.1", 0, "tls", source="routers", **options)
            await receiver_for(listener, MemoryIntake(), BOOK).start()

        with pytest.raises(ConfigurationError) as caught:
            asyncio.run(run())
        assert caught.value.hint
        return caught.value.message

    assert "No such file" in said(certificate=server.certificate, key=tmp_path / "no.key")
    assert "cannot be used" in said(certificate=server.certificate, key=other.key)
    assert "has a password" in said(certificate=server.certificate, key=locked)
    assert "holds no certificate" in said(
        certificate=server.certificate, key=server.key, authority=tmp_path / "empty.pem"
    )
