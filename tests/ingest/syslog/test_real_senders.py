"""Senders as people have them: logger, Python's logging, rsyslog, OpenSSL."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import socket
from logging.handlers import SysLogHandler
from typing import TYPE_CHECKING, Any

import pytest

from haidang.events.readers.syslog import parse_line
from haidang.ingest.syslog import SyslogListener, receiver_for
from tests.ingest.holding import Book, MemoryIntake, eventually, source
from tests.ingest.syslog.small_ca import Pair, SmallAuthority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from haidang.ingest.syslog import SyslogReceiver

RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin:/bin")
needs_rsyslog = pytest.mark.skipif(RSYSLOGD is None, reason="no rsyslogd (Debian: rsyslog, rsyslog-gnutls)")
needs_logger = pytest.mark.skipif(shutil.which("logger") is None, reason="no logger (Debian: bsdutils)")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")


@contextlib.asynccontextmanager
async def receiving(
    intake: MemoryIntake, book: Book | None = None, **options: Any
) -> AsyncIterator[SyslogReceiver]:
    listener = SyslogListener(**{"host": "127.0.0.1", "port": 0, "source": "unit", **options})
    receiver = receiver_for(listener, intake, book or Book(source("unit")))
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.close()


async def run_command(*arguments: str, given: bytes = b"") -> bytes:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(30):
        said, _ = await process.communicate(given or None)
    return said


# --- logger ---


@needs_logger
@pytest.mark.parametrize("framing", [["-T"], ["-T", "--octet-count"], ["-d"]], ids=" ".join)
@pytest.mark.parametrize("form", [["--rfc5424"], ["--rfc3164"]], ids=" ".join)
def test_takes_what_logger_sends(framing: list[str], form: list[str]) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, kind="udp" if framing == ["-d"] else "tcp") as receiver:
            to = ["-n", "127.0.0.1", "-P", str(receiver.port), *framing, *form]
            said = await run_command(
                "logger", *to, "-t", "haidang", "-p", "auth.notice", "Đăng nhập thất bại"
            )
            assert said == b""
            await eventually(lambda: len(intake.lines) == 1)
            fields = parse_line(intake.lines[0].decode())
            assert fields is not None
            assert fields["message"] == "Đăng nhập thất bại"
            assert (fields["program"], fields["facility"], fields["severity"]) == (
                "haidang",
                "auth",
                "notice",
            )
            assert receiver.counts().messages == 1

    asyncio.run(run())


@needs_logger
def test_takes_many_lines_of_logger_in_their_order() -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, kind="tcp") as receiver:
            given = b"".join(b"line %d\n" % number for number in range(2000))
            to = ["-n", "127.0.0.1", "-P", str(receiver.port), "-T", "--octet-count", "--rfc5424"]
            await run_command("logger", *to, given=given)
            await eventually(lambda: len(intake.lines) == 2000)
            assert [line.rsplit(b" ", 1)[1] for line in intake.lines] == [b"%d" % n for n in range(2000)]

    asyncio.run(run())


# --- Python ---


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_takes_what_python_programs_send(kind: str) -> None:
    def send(port: int) -> None:
        socktype = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
        handler = SysLogHandler(("127.0.0.1", port), SysLogHandler.LOG_AUTH, socktype)
        for number in range(20):
            handler.emit(logging.makeLogRecord({"msg": f"Đăng nhập {number}", "levelno": logging.WARNING}))
        handler.close()

    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, kind=kind) as receiver:
            await asyncio.to_thread(send, receiver.port)
            await eventually(lambda: len(intake.lines) == 20)
            # The NUL that the handler writes behind each message is its frame.
            fields = [parse_line(line.decode()) or {} for line in intake.lines]
            assert [one["message"] for one in fields] == [f"Đăng nhập {number}" for number in range(20)]
            assert {one["facility"] for one in fields} == {"auth"}

    asyncio.run(run())


# --- rsyslog ---

INPUT = """
global(workDirectory="{folder}" maxMessageSize="64k" {tls})
module(load="imuxsock" SysSock.Use="off")
module(load="imptcp")
input(type="imptcp" address="127.0.0.1" port="{port}")
"""

TLS = (
    'defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="{authority}" '
    'defaultNetstreamDriverCertFile="{pair.certificate}" defaultNetstreamDriverKeyFile="{pair.key}"'
)

FORWARD = """
*.* action(type="omfwd" target="127.0.0.1" port="{port}" protocol="{protocol}" {more}
           action.resumeRetryCount="-1" action.resumeInterval="1"
           queue.type="linkedList" queue.size="20000" queue.timeoutShutdown="5000")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def rsyslog(folder: Path, port: int, **action: str) -> AsyncIterator[int]:
    """Let rsyslogd forward to ``port`` what is sent by TCP, which loses nothing, to the port given."""
    assert RSYSLOGD is not None
    own = free_port()
    tls = action.pop("tls", "")
    action.setdefault("protocol", "tcp")
    action.setdefault("more", "")
    configuration = folder / "rsyslog.conf"
    configuration.write_text(
        INPUT.format(folder=folder, port=own, tls=tls) + FORWARD.format(port=port, **action), encoding="utf-8"
    )
    process = await asyncio.create_subprocess_exec(
        RSYSLOGD,
        *["-n", "-f", str(configuration), "-i", str(folder / "rsyslog.pid")],
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield own
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        async with asyncio.timeout(30):
            await process.wait()


async def say(port: int, count: int, first: int = 0) -> None:
    """Send numbered messages to rsyslog."""
    await _send(port, (b"number %d" % number for number in range(first, first + count)))


async def _send(port: int, messages: Iterable[bytes]) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for message in messages:
        writer.write(b"<38>Nov 30 08:00:00 web1 sshd[7]: " + message + b"\n")
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def until_up(port: int, intake: MemoryIntake) -> None:
    async with asyncio.timeout(20):
        while not any(b"are you there" in line for line in intake.lines):
            with contextlib.suppress(OSError):
                await _send(port, [b"are you there"])
            await asyncio.sleep(0.1)


def numbers(lines: list[bytes]) -> list[int]:
    return [int(line.rpartition(b"number ")[2]) for line in lines if b"number " in line]


@needs_rsyslog
@pytest.mark.parametrize("framing", ["traditional", "octet-counted"])
@pytest.mark.parametrize("form", ["RSYSLOG_SyslogProtocol23Format", "RSYSLOG_TraditionalForwardFormat"])
def test_takes_what_rsyslog_forwards_over_tcp(tmp_path: Path, framing: str, form: str) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        more = f'TCP_Framing="{framing}" template="{form}"'
        async with (
            receiving(intake, kind="tcp") as receiver,
            rsyslog(tmp_path, receiver.port, more=more) as port,
        ):
            await until_up(port, intake)
            await say(port, 500)
            await eventually(lambda: len(numbers(intake.lines)) == 500)
            assert numbers(intake.lines) == list(range(500))
            fields = parse_line(intake.lines[-1].decode())
            assert fields is not None
            assert (fields["hostname"], fields["program"], fields["pid"]) == ("web1", "sshd", "7")
            assert receiver.counts().incomplete == 0

    asyncio.run(run())


@needs_rsyslog
def test_takes_what_rsyslog_forwards_over_udp(tmp_path: Path) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with (
            receiving(intake, kind="udp") as receiver,
            rsyslog(tmp_path, receiver.port, protocol="udp") as port,
        ):
            await until_up(port, intake)
            await say(port, 200)
            await eventually(lambda: len(numbers(intake.lines)) == 200)
            assert receiver.counts().lost == 0

    asyncio.run(run())


@needs_rsyslog
def test_rsyslog_waits_while_the_disk_takes_nothing_and_nothing_is_lost(tmp_path: Path) -> None:
    async def run() -> None:
        intake = MemoryIntake()
        async with receiving(intake, kind="tcp") as receiver, rsyslog(tmp_path, receiver.port) as port:
            await until_up(port, intake)
            intake.open.clear()
            await say(port, 3000)
            await asyncio.sleep(0.5)
            assert not numbers(intake.lines)
            intake.open.set()
            await eventually(lambda: len(numbers(intake.lines)) == 3000)
            assert numbers(intake.lines) == list(range(3000))

    asyncio.run(run())


def tls_options(authority: SmallAuthority) -> dict[str, Any]:
    server = authority.issue("server.example")
    return {
        "kind": "tls",
        "certificate": server.certificate,
        "key": server.key,
        "authority": authority.path,
        "by_certificate": True,
        "source": "",
    }


@needs_rsyslog
def test_takes_what_rsyslog_forwards_over_tls_by_its_certificate(tmp_path: Path) -> None:
    async def run() -> None:
        authority = SmallAuthority(tmp_path)
        pair: Pair = authority.issue("rsyslog")
        book = Book(source("unit-7"), certificates={pair.fingerprint: "unit-7"})
        intake = MemoryIntake()
        more = (
            'StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name" '
            'StreamDriverPermittedPeers="server.example" TCP_Framing="octet-counted" '
            'template="RSYSLOG_SyslogProtocol23Format"'
        )
        tls = TLS.format(authority=authority.path, pair=pair)
        async with (
            receiving(intake, book, **tls_options(authority)) as receiver,
            rsyslog(tmp_path, receiver.port, more=more, tls=tls) as port,
        ):
            await until_up(port, intake)
            await say(port, 500)
            await eventually(lambda: len(numbers(intake.lines)) == 500)
            assert numbers(intake.of("unit-7")) == list(range(500))

    asyncio.run(run())


# --- OpenSSL ---


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_takes_what_openssl_sends_and_refuses_old_versions(tmp_path: Path, version: str) -> None:
    async def run() -> None:
        authority = SmallAuthority(tmp_path)
        pair = authority.issue("client")
        book = Book(source("unit-7"), certificates={pair.fingerprint: "unit-7"})
        intake = MemoryIntake()
        async with receiving(intake, book, **tls_options(authority)) as receiver:

            async def client(*options: str) -> bytes:
                to = ["-connect", f"127.0.0.1:{receiver.port}", "-CAfile", str(authority.path)]
                flags = ["-verify_return_error", "-ign_eof", "-quiet"]
                return await run_command("openssl", "s_client", *to, *flags, *options, given=b"<13>by hand\n")

            own = ["-cert", str(pair.certificate), "-key", str(pair.key)]
            task = asyncio.create_task(client(version, *own))
            await eventually(lambda: intake.of("unit-7") == [b"<13>by hand"])
            await receiver.close()
            await task

        async with receiving(intake, book, **tls_options(authority)) as receiver:
            old = ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
            assert b"alert" in await client(*old, *own) or receiver.counts().handshakes
            await eventually(lambda: receiver.counts().handshakes == 1)
            assert len(intake.lines) == 1

    asyncio.run(run())
