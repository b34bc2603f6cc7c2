"""A receiver that is killed at any moment has on disk what it acknowledged, once."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from haidang.ingest.spool import Spool
from tests.ingest.serving import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS = int(os.environ.get("HAIDANG_TEST_KILLS", "15"))
"""A longer run asks for more."""
CLIENTS = 4
LINES = 20

PROGRAM = """
import pathlib, socket, sys
import uvicorn
from haidang.ingest.http.app import IngestApp
from tests.ingest.serving import Book, intake_in

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
app = IngestApp(intake_in(pathlib.Path(sys.argv[1]), Book()))
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
"""


@contextlib.contextmanager
def receiver(folder: Path) -> Iterator[int]:
    """Yield the port of a receiver that is killed when the block ends."""
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    repository = Path(__file__).resolve().parents[2]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(repository), *sys.path])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ, cwd=repository) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(20)
    assert process.returncode == -signal.SIGKILL


class Client(threading.Thread):
    """Sends numbered events over one connection until the receiver is gone."""

    def __init__(self, port: int, numbers: Iterator[int]) -> None:
        super().__init__()
        self.port = port
        self.numbers = numbers
        self.sent: list[int] = []
        self.acknowledged: list[int] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                batch = [next(self.numbers) for _ in range(random.randrange(1, LINES))]
                body = b"\n".join(b'{"n": %d}' % n for n in batch)
                self.sent += batch
                connection.request("POST", "/ingest", body, {"Authorization": f"Bearer {TOKEN}"})
                with connection.getresponse() as response:
                    assert response.read()
                    assert response.status == 200
                self.acknowledged += batch
        connection.close()


@pytest.mark.slow
def test_every_acknowledged_event_is_in_the_spool_exactly_once_after_kills(tmp_path: Path) -> None:
    sent: list[int] = []
    acknowledged: list[int] = []
    for kill in range(KILLS):
        with receiver(tmp_path) as port:
            clients = [
                Client(port, iter(range((kill * CLIENTS + one) << 24, 1 << 62))) for one in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            time.sleep(random.uniform(0.3, 0.8))
        for client in clients:
            client.join(30)
            assert not client.is_alive()
            sent += client.sent
            acknowledged += client.acknowledged
    assert len(acknowledged) > KILLS * LINES, "hardly anything was sent"
    batches = Spool(tmp_path / "spool.sqlite3").take(most_bytes=1 << 40)
    numbers = [one.number for one in batches]
    assert numbers == sorted(set(numbers))
    assert not any(one.damage for one in batches)
    there = Counter(json.loads(line)["n"] for one in batches for line in one.arrival.data.split(b"\n"))
    assert set(there.values()) == {1}
    assert not set(acknowledged) - there.keys()
    assert not there.keys() - set(sent)
