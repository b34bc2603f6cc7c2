"""A question answered in a process of its own: bounded from outside, and ended whenever somebody wants.

The process gets nothing of this one's environment but where Python and the rules' cache are: no passwords, no
keys, no address of the database.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec

from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from haidang.console.hunts.questions import Job

__all__ = ["messages"]

_ENVIRON = ("HOME", "LANG", "PATH", "PYTHONPATH", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")
_PAUSE = 0.5
_GRACE = 60.0
"""Seconds beside those that questions may take: to start, to load rules, to tell."""
_LONGEST = 64 << 20
"""Bytes of what it may tell."""


def messages(job: Job) -> Generator[dict[str, Any], None, None]:
    """Yield what the process tells: now and then nothing or ``progress``, at last ``answer`` or ``refused``.

    Whoever stops to listen ends the process.
    """
    limits = DEFAULT_LIMITS
    queries = 2 + 2 * len(job.question.values)
    ends = time.monotonic() + limits.hunt_rule_seconds + queries * limits.hunt_seconds + _GRACE
    command = [sys.executable, "-m", "haidang.console.hunts.child"]
    environ = {name: os.environ[name] for name in _ENVIRON if name in os.environ}
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(  # noqa: S603 -- our own command  # nosec B603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
    ) as process:
        try:
            yield from _listened(process, msgspec.json.encode(job) + b"\n", ends)
        finally:
            process.kill()


def _listened(process: subprocess.Popen[bytes], line: bytes, ends: float) -> Iterator[dict[str, Any]]:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        return
    stdin.write(line)
    stdin.flush()
    told = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while time.monotonic() < ends:
            if not selector.select(_PAUSE):
                yield {}
                continue
            piece = os.read(stdout.fileno(), 1 << 16)
            told += piece
            *lines, rest = bytes(told).split(b"\n") if b"\n" in piece or not piece else (bytes(told),)
            told = bytearray(rest)
            for one in lines:
                yield msgspec.json.decode(one)
            if not piece or len(told) > _LONGEST:
                return
            yield {}
