"""The command line in a process that kills itself before its N-th change to a file, a name or a database.

    python -m tests.cli.mortal N WHERE COMMAND …

``N`` 0 kills never. What is counted is what the interpreter says of itself (audit events, statements of
SQLite), so the moments are the same in each run: a test can step through all of them. On its way out the
process writes how many there were to standard error, as ``changes=N``.
"""

from __future__ import annotations

import os
import runpy
import signal
import sqlite3
import sys
from typing import Any

_CHANGES = {
    "os.mkdir",
    "os.rename",
    "os.link",
    "os.symlink",
    "os.remove",
    "os.rmdir",
    "os.chmod",
    "os.truncate",
}
_CONNECT = sqlite3.connect
_READS = ("SELECT", "PRAGMA", "EXPLAIN")


class _Counter:
    def __init__(self, fatal: int, where: str) -> None:
        self.fatal = fatal
        self.where = where
        self.changes = 0

    def count(self) -> None:
        self.changes += 1
        if self.changes == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(self, text: str) -> None:
        if not text.lstrip().upper().startswith(_READS):
            self.count()

    def audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _CHANGES or (event == "open" and self.writes(args[0], args[2])):
            self.count()

    def writes(self, path: object, flags: int) -> bool:
        ours = isinstance(path, str | os.PathLike) and str(path).startswith(self.where)
        return ours and bool(flags & (os.O_WRONLY | os.O_RDWR))

    def connect(self, *args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = _CONNECT(*args, **options)
        connection.set_trace_callback(self.statement)
        return connection


def main() -> None:
    """Run the command."""
    counter = _Counter(int(sys.argv[1]), sys.argv[2])
    sys.argv = ["haidang", *sys.argv[3:]]
    sys.addaudithook(counter.audit)
    sqlite3.connect = counter.connect  # type: ignore[assignment]
    try:
        runpy.run_module("haidang", run_name="__main__", alter_sys=True)
    finally:
        sys.stderr.write(f"\nchanges={counter.changes}\n")


if __name__ == "__main__":
    main()
