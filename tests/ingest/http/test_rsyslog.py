"""rsyslog's omelasticsearch, as Debian packages it, sends what it hears."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from haidang.ingest.model import Source
from tests.ingest.serving import TOKEN, Book, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/sbin:/bin")
MODULES = Path("/usr/lib").glob("*/rsyslog/omelasticsearch.so")

pytestmark = pytest.mark.skipif(
    RSYSLOGD is None or not any(MODULES), reason="needs rsyslogd and rsyslog-elasticsearch"
)

CONFIGURATION = """
global(workDirectory="{folder}")
module(load="imtcp")
module(load="omelasticsearch")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{folder}/port")
template(name="document" type="list" option.jsonf="on") {{
    property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="message" name="rawmsg" format="jsonf")
}}
action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" uid="rsyslog" pwd="{token}"
    searchIndex="logs" searchType="" bulkmode="{bulk}" template="document" errorfile="{folder}/errors"
    action.resumeRetryCount="-1" action.resumeInterval="1")
"""


@contextlib.contextmanager
def rsyslog(folder: Path, port: int, *, bulk: bool) -> Iterator[int]:
    """Yield the port on which rsyslog listens for lines over TCP."""
    values = {"folder": folder, "port": port, "token": TOKEN, "bulk": "on" if bulk else "off"}
    (folder / "conf").write_text(CONFIGURATION.format(**values))
    command = [str(RSYSLOGD), "-n", "-f", str(folder / "conf"), "-i", str(folder / "pid")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        try:
            yield int(wait_for((folder / "port").read_text))
        finally:
            process.terminate()
            process.communicate(timeout=20)


def wait_for(read: Callable[[], object], seconds: float = 20) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError):
            if found := read():
                return str(found)
        time.sleep(0.05)
    raise AssertionError("it did not come in time")


@pytest.mark.parametrize("bulk", [True, False], ids=["bulk", "single documents"])
def test_every_line_that_rsyslog_hears_is_in_the_spool(tmp_path: Path, *, bulk: bool) -> None:
    folder = tmp_path / "rsyslog"
    folder.mkdir()
    book = Book({TOKEN: Source("s1", "auth", format="syslog")})
    sent = [f"<13>1 2026-11-11T22:14:{n:02}Z máy su - - - sign-in {n} failed" for n in range(30)]
    with serving(tmp_path, book) as service, rsyslog(folder, service.port, bulk=bulk) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"".join(line.encode() + b"\n" for line in sent))
        with contextlib.suppress(AssertionError):
            wait_for(lambda: len(service.spooled()) >= len(sent))
        assert sorted(line.decode() for line in service.spooled()) == sorted(sent)
        errors = folder / "errors"
        assert not errors.exists() or not json.loads(errors.read_text() or "{}")
