"""The process that answers one question: ``python -m haidang.console.hunts.child``.

It reads a job from standard input and writes lines of JSON: how far it is, at the end the answer or why there
is none. It bounds itself, stands behind everything else that runs here, and ends when its standard input
does, so that it outlives nobody.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from typing import TYPE_CHECKING

import msgspec

from haidang.console.hunts.answering import answer
from haidang.console.hunts.questions import Job
from haidang.errors import HaidangError
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from haidang.limits import Limits

__all__ = ["bound", "main"]

_NICE = 10
_EVERY = 0.5
"""Seconds between two words on how far it is."""
_FAILED = "The archive cannot be searched: {kind}."


def main() -> int:
    """Answer; return the exit code."""
    line = sys.stdin.buffer.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(_NICE)
    bound(DEFAULT_LIMITS)
    told = 0.0

    def progress(done: int, whole: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            _tell({"progress": [done, whole]})

    try:
        job = msgspec.json.decode(line, type=Job)
        _tell({"answer": answer(job, progress)})
    except HaidangError as error:
        _tell({"refused": error.message})
    except MemoryError:
        _tell({"refused": _FAILED.format(kind="MemoryError")})
    except Exception as error:
        _tell({"refused": _FAILED.format(kind=type(error).__name__)})
        raise
    return 0


def bound(limits: Limits) -> None:
    """Bound the memory of this process."""
    resource.setrlimit(resource.RLIMIT_AS, (limits.hunt_process_bytes, limits.hunt_process_bytes))


def _end_with_parent() -> None:
    # Not through the buffer: at the end of the program its lock must be free.
    while os.read(0, 4096):
        pass
    os._exit(3)


def _tell(said: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
