"""``haidang scan`` as a process: interrupted, on a terminal, read by somebody who goes away."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.cli._scanning import COMMAND_LINE, event, records

if TYPE_CHECKING:
    from pathlib import Path


def test_reader_that_goes_away_ends_the_scan_quietly(case: Path) -> None:
    lines = [event("evil.exe", 1)] * 20_000
    (case / "logs" / "host.json").write_text("\n".join(lines), encoding="utf-8")
    arguments = [*COMMAND_LINE, "scan", "logs", "--rules", "rules", "--no-cache", "--format", "ndjson"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"kind":"finding"')
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_keeps_what_was_found_and_is_exit_code_130(case: Path, told: signal.Signals) -> None:
    # Who started the tests in the background has told them to ignore the signal.
    heeded = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    arguments = [sys.executable, "-c", heeded + COMMAND_LINE[-1], "scan", "-", "--rules", "rules"]
    arguments += ["--no-cache", "--processes", "1", "--output", "out.ndjson", "--format", "ndjson"]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin = process.stdin

        def feed() -> None:
            try:
                while True:
                    stdin.write(f"{event('evil.exe', 1)}\n".encode() * 1000)
            except OSError:
                pass

        threading.Thread(target=feed, daemon=True).start()
        process.stdout.readline()
        process.send_signal(told)
        found, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    # What was read ahead with the first line is not in it: its beginning may be the rest of a line.
    assert json.loads(found.splitlines()[-1])["interrupted"] is True
    assert sorted(each.name for each in case.glob("*out*")) == ["out.ndjson.partial"]
    partial = records((case / "out.ndjson.partial").read_bytes())
    assert partial[-1]["interrupted"] is True
    # The signal may come while a finding that is counted is being written.
    assert len(partial) > 1
    assert partial[-1]["findings"] - (len(partial) - 1) in {0, 1}
    assert b"out.ndjson.partial" in said


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.usefixtures("case")
def test_progress_is_shown_on_a_terminal_alone(*, terminal: bool) -> None:
    arguments = [*COMMAND_LINE, "scan", "logs", "--rules", "rules", "--no-cache", "--processes", "1"]
    ours, theirs = pty.openpty()
    done = subprocess.run(
        arguments,
        stdout=subprocess.PIPE,
        stderr=theirs if terminal else subprocess.PIPE,
        env={**os.environ, "TERM": "xterm"},
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 65536) if terminal else done.stderr
    os.close(ours)
    assert b"Findings  2 by 2 rules" in done.stdout
    assert (b"Loading the rules" in shown) is terminal
    assert (shown != b"") is terminal
