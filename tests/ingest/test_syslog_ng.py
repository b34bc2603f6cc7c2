"""syslog-ng, as Debian packages it, sends what it hears: over TLS, to the bulk receiver and to the event collector.

It cannot be installed beside rsyslog; ``.ci/run`` unpacks it into ``build/syslog-ng``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from haidang.ingest.model import Source
from haidang.ingest.syslog import SyslogListener, receiver_for
from tests.ingest.holding import Book as NamedBook
from tests.ingest.holding import MemoryIntake, eventually, source
from tests.ingest.serving import Book, serving
from tests.ingest.syslog.small_ca import SmallAuthority

if TYPE_CHECKING:
    from collections.abc import Iterator

UNPACKED = Path(__file__).parents[2] / "build" / "syslog-ng"
FOUND = shutil.which("syslog-ng", path=f"{UNPACKED}/usr/sbin:/usr/sbin:/sbin")
pytestmark = pytest.mark.skipif(FOUND is None, reason="no syslog-ng (.ci/run unpacks Debian's)")

CONFIGURATION = """@version: 3.38
options {{ keep-hostname(yes); }};
source heard {{ network(ip("127.0.0.1") port({port}) transport("tcp") flags(store-raw-message)); }};
{destinations}
"""
TLS = """destination tls {{ network("127.0.0.1" port({port}) transport("tls") template("${{RAWMSG}}\\n")
    tls(ca-file("{authority.path}") cert-file("{pair.certificate}") key-file("{pair.key}"))); }};
log {{ source(heard); destination(tls); }};
"""
HTTP = """destination bulk {{ http(url("{url}/logs/_bulk") method("POST") user("syslog-ng") password("bulk")
    headers("Content-Type: application/x-ndjson") batch-lines(10) batch-timeout(100) body-suffix("\\n")
    body("{{\\"create\\":{{}}}}\\n$(format-json --scope none message=\\"${{RAWMSG}}\\" host=\\"${{HOST}}\\")")); }};
destination collector {{ http(url("{url}/services/collector/event") method("POST")
    headers("Authorization: Splunk collector") batch-lines(10) batch-timeout(100)
    body('$(format-json --scope none event="${{RAWMSG}}" host="${{HOST}}")')); }};
log {{ source(heard); destination(bulk); destination(collector); }};
"""
SENT = [f"<13>1 2026-11-11T22:14:{n:02}Z máy su - - - sign-in {n} failed" for n in range(30)]


@contextlib.contextmanager
def syslog_ng(folder: Path, destinations: str) -> Iterator[int]:
    """Yield the port at which it hears lines over TCP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    (folder / "conf").write_text(CONFIGURATION.format(port=port, destinations=destinations))
    modules = next((UNPACKED / "usr/lib/syslog-ng").glob("3.*"), None)
    command = [str(FOUND), "-F", "--stderr", "-f", str(folder / "conf"), "--no-caps"]
    command += ["-R", str(folder / "persist"), "-c", str(folder / "control"), "-p", str(folder / "pid")]
    environ = dict(os.environ)
    if modules is not None:
        command.append(f"--module-path={modules}")
        libraries = [modules.parent, *UNPACKED.glob("**/lib/*-linux-gnu")]
        environ["LD_LIBRARY_PATH"] = ":".join(map(str, libraries))
    with (
        (folder / "said").open("wb") as said,
        subprocess.Popen(command, env=environ, stdout=said, stderr=said) as process,
    ):
        try:
            until_up(port, process, folder / "said")
            yield port
        finally:
            process.terminate()
            process.wait(20)


def until_up(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, said.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise AssertionError(said.read_text())


def say(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"".join(line.encode() + b"\n" for line in SENT))


def test_every_line_comes_to_the_bulk_receiver_and_to_the_event_collector(tmp_path: Path) -> None:
    folder = tmp_path / "syslog-ng"
    folder.mkdir()
    book = Book({name: Source(name, name, format="syslog") for name in ("bulk", "collector")})
    with (
        serving(tmp_path, book) as service,
        syslog_ng(folder, HTTP.format(url=service.url)) as port,
    ):
        say(port)
        end = time.monotonic() + 20
        while len(service.spooled()) < 2 * len(SENT) and time.monotonic() < end:
            time.sleep(0.05)
        assert sorted(line.decode() for line in service.spooled()) == sorted([*SENT, *SENT])


def test_every_line_comes_over_tls_by_the_certificate_of_its_sender(tmp_path: Path) -> None:
    async def run() -> None:
        authority = SmallAuthority(tmp_path)
        server, pair = authority.issue("server.example"), authority.issue("syslog-ng")
        book = NamedBook(source("unit-7"), certificates={pair.fingerprint: "unit-7"})
        intake = MemoryIntake()
        listener = SyslogListener(
            host="127.0.0.1",
            port=0,
            kind="tls",
            certificate=server.certificate,
            key=server.key,
            authority=authority.path,
            by_certificate=True,
            source="",
        )
        receiver = receiver_for(listener, intake, book)
        await receiver.start()
        try:
            destination = TLS.format(port=receiver.port, authority=authority, pair=pair)
            with syslog_ng(tmp_path, destination) as port:
                say(port)
                await eventually(lambda: len(intake.of("unit-7")) == len(SENT))
                assert [line.decode() for line in intake.of("unit-7")] == SENT
        finally:
            await receiver.close()

    asyncio.run(run())
