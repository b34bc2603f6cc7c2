"""A detector that is killed again and again while events come in: the script of test_detector_killed.py.

``write FOLDER BATCHES EVENTS`` appends batches to the spool; ``detect FOLDER KILLS`` makes detectors one
after another and kills each with SIGKILL at a random moment, then lets one work off what is left.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.ingest.detecting import Detector
from haidang.ingest.model import Arrival
from haidang.ingest.spool import Spool

if TYPE_CHECKING:
    from haidang.scanning import Ruleset

HOSTS = 40
RULES = """title: Tool
id: 00000000-0000-0000-0000-000000000001
name: tool
level: high
logsource: {product: windows, category: process_creation}
detection: {s: {Image|endswith: '\\tool.exe'}, condition: s}
---
title: Many tools
id: 00000000-0000-0000-0000-000000000003
level: critical
correlation:
  type: event_count
  rules: [tool]
  generate: true
  group-by: [User]
  timespan: 1h
  condition: {gte: 3}
"""


def event(number: int) -> bytes:
    """Return an event; the rule finds it."""
    seconds, milliseconds = divmod(number, 1000)
    return json.dumps(
        {
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "EventID": 1,
            "Hostname": f"pc{number % HOSTS}",
            "@timestamp": f"2026-03-01T10:00:{seconds:02}.{milliseconds:03}Z",
            "Image": "C:\\x\\tool.exe",
            "CommandLine": f"run {number}",
            "User": f"user{number % 5}",
        }
    ).encode()


def write(folder: Path, batches: int, events: int) -> None:
    """Append batches, one after another."""
    spool = Spool(folder / "spool.sqlite3")
    for batch in range(batches):
        numbers = range(batch * events, (batch + 1) * events)
        spool.append([Arrival("1", "", time.time_ns(), b"\n".join(map(event, numbers)), events)])
        time.sleep(0.005)
    (folder / "written").touch()


def detect(folder: Path, kills: int) -> None:
    """Make detectors and kill them; the last one works everything off."""
    from haidang.console.setup import set_up
    from haidang.scanning import load_rules

    set_up()
    rules = folder / "rules.yml"
    rules.write_text(RULES, "utf-8")
    ruleset = load_rules(rules, cache=False)
    ruleset.matcher  # noqa: B018 -- made here, once for all children
    dice = random.Random(folder.name)
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            _work(folder, ruleset, last=False)
        time.sleep(dice.uniform(0.02, 0.35))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "a detector ended by itself"
    _work(folder, ruleset, last=True)


def _work(folder: Path, ruleset: Ruleset, *, last: bool) -> None:
    from haidang.console.alerts.intake import AlertSink
    from haidang.scanning.live import LiveMatcher

    spool = Spool(folder / "spool.sqlite3")
    matcher = LiveMatcher(ruleset)
    sink = AlertSink(looks_back=matcher.looks_back)
    detector = Detector(spool, matcher, sink, most_bytes=4000)
    if not last:
        detector.run(threading.Event())
    while not (folder / "written").exists() or spool.backlog().batches:
        detector.step()
    # Nothing more comes: an hour passes for correlations.
    spool.append([Arrival("1", "", time.time_ns(), event(0).replace(b"T10:00", b"T13:00"), 1)])
    detector.step()
    time.sleep(1.1)  # Correlations are asked once a second.
    detector.step()


if __name__ == "__main__":
    mode, place, *numbers = sys.argv[1:]
    if mode == "write":
        write(Path(place), int(numbers[0]), int(numbers[1]))
    else:
        detect(Path(place), int(numbers[0]))
