"""Events over HTTP until they are on disk: how many a second, at what cost, how long a sender waits.

python -m benchmarks.ingest_http [FOLDER] [SECONDS]

A receiver in a process of its own (uvicorn on one core's worth of Python), senders in this one over connections
that stay open. Each request has 1,000 events of about 460 bytes unless said; it is answered when it is in the
spool. The spool is in FOLDER: its disk decides how long a request waits.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["main"]

_TOKEN = "token-of-the-test"  # noqa: S105 - of the book below
_PROGRAM = """
import pathlib, socket, sys
import uvicorn
from haidang.ingest.http.app import IngestApp
from tests.ingest.serving import Book, intake_in

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
app = IngestApp(intake_in(pathlib.Path(sys.argv[1]), Book()))
uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
"""
_BODIES = 50


class _Case(NamedTuple):
    name: str
    path: str
    bodies: list[bytes]
    events: int
    senders: int
    encoding: str = ""


def main(folder: Path, seconds: float) -> None:
    """Print a line for each protocol."""
    print(f"{seconds:g} s each, spool in {folder}")
    for case in _cases():
        with tempfile.TemporaryDirectory(prefix="ingest-", dir=folder) as place:
            _measure(case, Path(place), seconds)


def _cases() -> list[_Case]:
    lines = [_events(1000, seed) for seed in range(_BODIES)]
    bodies = [b"\n".join(one) for one in lines]
    bulk = [b"".join(b'{"create":{"_index":"logs"}}\n%b\n' % line for line in one) for one in lines]
    hec = [b"\n".join(b'{"event":%b,"time":1433188255}' % line for line in one) for one in lines]
    return [
        _Case("NDJSON, one sender", "/ingest", bodies, 1000, 1),
        _Case("NDJSON, four senders", "/ingest", bodies, 1000, 4),
        _Case("NDJSON, gzip", "/ingest", [gzip.compress(one, 6) for one in bodies], 1000, 1, "gzip"),
        _Case("Elasticsearch bulk", "/_bulk", bulk, 1000, 1),
        _Case("HEC", "/services/collector", hec, 1000, 1),
        _Case("one event a request, eight senders", "/ingest", lines[0], 1, 8),
    ]


def _events(count: int, seed: int) -> list[bytes]:
    chance = random.Random(seed)  # noqa: S311 - sample events want a seed
    return [
        json.dumps(
            {
                "EventID": 4688,
                "Channel": "Security",
                "Computer": f"host-{chance.randrange(500)}.example",
                "CommandLine": f"powershell.exe -NoProfile -File C:\\scripts\\{chance.getrandbits(64):x}.ps1 "
                f"-Argument {chance.getrandbits(64):x}",
                "NewProcessName": r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
                "ParentProcessName": r"C:\Windows\explorer.exe",
                "SubjectUserName": f"user{chance.randrange(3000)}",
                "TargetUserSid": f"S-1-5-21-{chance.getrandbits(60)}",
                "@timestamp": f"2026-11-11T00:{number // 60 % 60:02}:{number % 60:02}Z",
                "ProcessId": hex(chance.getrandbits(16)),
            }
        ).encode()
        for number in range(count)
    ]


def _measure(case: _Case, place: Path, seconds: float) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    command = [sys.executable, "-c", _PROGRAM, str(place)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None  # noqa: S101 - for the type checker
    port = int(process.stdout.readline())
    waits: list[float] = []
    until = time.perf_counter() + seconds
    senders = [
        threading.Thread(target=_send, args=(case, port, number, until, waits))
        for number in range(case.senders)
    ]
    begin = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    wall = time.perf_counter() - begin
    peak = _peak(process.pid)
    process.terminate()
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    events = len(waits) * case.events
    waits.sort()
    cpu = (used.ru_utime + used.ru_stime) / events * 1e6
    print(
        f"  {case.name:<36} {events / wall:9,.0f} events/s  {cpu:6.1f} µs cpu each  "
        f"wait {waits[len(waits) // 2] * 1e3:5.1f} ms, 99 %: {waits[len(waits) * 99 // 100] * 1e3:5.1f} ms  "
        f"peak {peak:4.0f} MiB"
    )


def _peak(pid: int) -> float:
    """Return the largest resident set of a process in MiB; what wait4 tells begins with that of this one."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _send(case: _Case, port: int, number: int, until: float, waits: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {_TOKEN}"}
    if case.encoding:
        headers["Content-Encoding"] = case.encoding
    while (begin := time.perf_counter()) < until:
        connection.request("POST", case.path, case.bodies[number % len(case.bodies)], headers)
        with connection.getresponse() as response:
            if response.status != 200 or not response.read():
                raise SystemExit(f"{case.name}: {response.status}")
        waits.append(time.perf_counter() - begin)
        number += 1
    connection.close()


if __name__ == "__main__":
    given = sys.argv[1:]
    where, length = [*given, *[tempfile.gettempdir(), "8"][len(given) :]]
    main(Path(where), float(length))
