"""The whole service: JSON lines over HTTP to alerts, with all SigmaHQ rules.

``python -m benchmarks.serve [--seconds N] [--rate EVENTS]`` starts ``haidang serve``, sends recorded Windows attacks
in requests of 1,000 events, and prints how many events a second went from HTTP to alerts (until the spool was
empty), and, at half that rate, how long it takes from an acknowledgement to the visible alert.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import statistics
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import data
from tests.end_to_end.serving import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"
_PIECE = 1000
_MARK = json.dumps(
    {
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "EventID": 1,
        "Image": "C:\\Windows\\System32\\wevtutil.exe",
        "OriginalFileName": "wevtutil.exe",
        "CommandLine": "wevtutil cl Security",
        "Hostname": "HOST",
    }
)
"""An event for which rules hold, on a host of its own each time."""


def main() -> int:
    """Measure; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="how long is sent")
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--no-archive", action="store_true", help="leave the archive out")
    args = parser.parse_args()
    with TemporaryDirectory() as folder:
        work = Path(folder)
        lines = data.windows_ndjson(CORPORA, work, 1).read_bytes().splitlines(keepends=True)
        pieces = [b"".join(lines[at : at + _PIECE]) for at in range(0, len(lines), _PIECE)]
        if args.no_archive:
            (work / "data").mkdir()
            (work / "data" / "serve.toml").write_text("[archive]\nenabled = false\n")
        with Service(work / "data", "--rules", str(CORPORA / "sigma_all_rules.zip")) as service:
            token = service.source("benchmark")
            _warm(service, token, pieces)
            rate = _sustained(service, token, pieces, args.seconds, args.senders)
            _latency(service, token, pieces, rate / 2, args.seconds)
    return 0


def backlog(service: Service) -> int:
    """Return how many batches wait in the spool."""
    spool = sqlite3.connect(f"file:{service.folder / 'spool.sqlite3'}?mode=ro", uri=True)
    try:
        (count,) = spool.execute("SELECT count(*) FROM batch").fetchone()
    finally:
        spool.close()
    return int(count)


def _warm(service: Service, token: str, pieces: list[bytes]) -> None:
    """Have rules loaded and compiled."""
    for piece in pieces[:20]:
        service.post("/ingest", piece, token)
    service.until(lambda: not backlog(service), 300)


def _sustained(service: Service, token: str, pieces: list[bytes], seconds: float, senders: int) -> float:
    begin = time.monotonic()
    sent = [0] * senders

    def send(number: int) -> None:
        for piece in itertools.cycle(pieces[number::senders]):
            if time.monotonic() - begin > seconds:
                return
            status, _ = service.post("/ingest", piece, token)
            if status == 200:
                sent[number] += piece.count(b"\n")
            else:
                time.sleep(0.2)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acknowledged = time.monotonic() - begin
    service.until(lambda: not backlog(service), 900)
    whole = time.monotonic() - begin
    total = sum(sent)
    print(
        f"serve      {total:,} events acknowledged in {acknowledged:.1f} s ({total / acknowledged:,.0f}/s),"
        f" nothing waits any more after {whole:.1f} s: {total / whole:,.0f} events/s (bar 20,000)"
    )
    return total / whole


def _latency(service: Service, token: str, pieces: list[bytes], rate: float, seconds: float) -> None:
    """Print how long an alert takes to be there, while others are sent at a rate."""
    ending = threading.Event()

    def send() -> None:
        due = time.monotonic()
        for piece in itertools.cycle(pieces):
            if ending.is_set():
                return
            service.post("/ingest", piece, token)
            due += piece.count(b"\n") / rate
            time.sleep(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=send)
    thread.start()
    found = list(_delays(service, token, seconds))
    ending.set()
    thread.join()
    ranked = sorted(found)
    print(
        f"serve      at {rate:,.0f} events/s, from acknowledgement to alert: median {statistics.median(found):.2f} s,"
        f" p99 {ranked[max(0, int(len(ranked) * 0.99) - 1)]:.2f} s, most {ranked[-1]:.2f} s of {len(found)} (bar p99 2 s)"
    )


def _delays(service: Service, token: str, seconds: float) -> Iterator[float]:
    database = sqlite3.connect(f"file:{service.folder / 'console.sqlite3'}?mode=ro", uri=True)
    begin = time.monotonic()
    for number in itertools.count():
        if time.monotonic() - begin > seconds:
            database.close()
            return
        host = f"mark{number}.example"
        service.post("/ingest", _MARK.replace("HOST", host).encode() + b"\n", token)
        sent = time.monotonic()
        while not database.execute("SELECT 1 FROM alerts_alert WHERE lower(entity) = ?", (host,)).fetchone():
            time.sleep(0.01)
            if time.monotonic() - sent > 60:
                raise SystemExit("an alert never came")
        yield time.monotonic() - sent


if __name__ == "__main__":
    sys.exit(main())
