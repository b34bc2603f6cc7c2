"""A receiver as a user has it: uvicorn on a port of this machine, with an intake that writes to a folder."""

from __future__ import annotations

import contextlib
import json
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, NamedTuple

import uvicorn

from haidang.ingest.counting import Counters
from haidang.ingest.http.app import IngestApp
from haidang.ingest.intake import Intake
from haidang.ingest.model import Source
from haidang.ingest.quarantine import Quarantine
from haidang.ingest.spool import Spool
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["TOKEN", "Answer", "Book", "Service", "post", "serving"]

TOKEN = "token-of-the-test"


class Book:
    """Sources by their tokens, in memory."""

    def __init__(self, sources: Mapping[str, Source] | None = None) -> None:
        self.sources = dict(sources or {TOKEN: Source("s1", "web")})

    def by_token(self, token: str) -> Source | None:
        return self.sources.get(token)

    def by_certificate(self, fingerprint_sha256: str) -> Source | None:
        del fingerprint_sha256
        return None

    def by_name(self, name: str) -> Source | None:
        return next((one for one in self.sources.values() if one.name == name), None)


class Service(NamedTuple):
    """A running receiver, and its parts."""

    url: str
    intake: Intake
    folder: Path
    limits: Limits

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def spooled(self) -> list[bytes]:
        """Return the records in the spool."""
        spool = Spool(self.folder / "spool.sqlite3", self.limits)
        batches = spool.take(most_bytes=1 << 40)
        spool.close()
        assert all(one.arrival.count == len(one.arrival.data.split(b"\n")) for one in batches)
        return [line for one in batches for line in one.arrival.data.split(b"\n")]

    def quarantine(self) -> Quarantine:
        return Quarantine(self.folder / "quarantine.sqlite3", self.limits)


def intake_in(folder: Path, book: Book, limits: Limits = DEFAULT_LIMITS) -> Intake:
    """Return an intake that writes to a folder."""
    spool = folder / "spool.sqlite3"
    quarantine = Quarantine(folder / "quarantine.sqlite3", limits)
    return Intake(Spool(spool, limits), quarantine, Counters(spool, limits), book, limits)


@contextlib.contextmanager
def serving(folder: Path, book: Book | None = None, limits: Limits = DEFAULT_LIMITS) -> Iterator[Service]:
    """Yield a receiver that answers until the block ends."""
    intake = intake_in(folder, book or Book(), limits)
    config = uvicorn.Config(IngestApp(intake), host="127.0.0.1", port=0, log_level="warning", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Service(f"http://127.0.0.1:{port}", intake, folder, limits)
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> dict[str, object]:
        return dict(json.loads(self.body))


def post(
    url: str, data: bytes | None, *, token: str = f"Bearer {TOKEN}", method: str = "POST", **headers: str
) -> Answer:
    """Send a request; underscores in names of headers stand for hyphens."""
    request = urllib.request.Request(url, data, method=method)
    if token:
        request.add_header("Authorization", token)
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.headers.items()})
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read(), {k.lower(): v for k, v in error.headers.items()})
