"""A follower whose portions are taken at once, and a clock that is moved by hand."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haidang.ingest.tailing.follower import Follower
from haidang.ingest.tailing.tail import Tail
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["START", "Watch", "compress", "numbered", "truncate", "write"]


class Watch:
    """Follows; keeps what was taken and the marks, as the spool would."""

    def __init__(self, *patterns: str | Path, form: str = "", existing: bool = True, **limits: Any) -> None:
        self.tails = [Tail(str(pattern), "unit", form, existing=existing) for pattern in patterns]
        self.limits = replace(DEFAULT_LIMITS, **limits)
        self.now = 1000.0
        self.marks: dict[str, bytes] = {}
        self.portions: list[bytes] = []
        self.counted = 0
        self.follower = self._new()

    def _new(self) -> Follower:
        return Follower("unit", self.tails, dict(self.marks), self.limits, lambda: self.now)

    def restart(self) -> None:
        """Begin anew with what the spool kept."""
        self.follower.close()
        self.follower = self._new()

    def keep_marks(self) -> None:
        for name, mark in self.follower.marks.items():
            if mark:
                self.marks[name] = mark
            else:
                del self.marks[name]
        self.follower.marks.clear()

    def look(self) -> list[bytes]:
        """Take what there is; return the lines."""
        taken: list[bytes] = []
        self.keep_marks()
        while found := self.follower.look():
            for file, portion in found:
                self.marks |= self.follower.mark(portion.position)
                self.follower.taken(file, portion)
                self.counted += portion.count
                if portion.count:
                    self.portions.append(portion.data)
                    taken += portion.data.split(b"\n")
        self.keep_marks()
        return taken

    def step(self, seconds: float = 1.0) -> list[bytes]:
        """Let time pass, see what is there, and take it."""
        self.now += seconds
        self.follower.scan()
        return self.look()

    def settle(self) -> list[bytes]:
        """Let so much time pass that everything has come to rest."""
        lines = self.step()
        for _ in range(3):
            lines += self.step(self.limits.tail_settle_seconds + 1)
        return lines


def write(path: Path, *lines: str | bytes, end: bytes = b"\n") -> None:
    """Append lines."""
    with path.open("ab") as file:
        file.writelines((line.encode() if isinstance(line, str) else line) + end for line in lines)


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def compress(path: Path, target: Path | None = None) -> Path:
    """Do as gzip does: the compressed file has the times of the plain one, which goes."""
    target = target or path.with_name(path.name + ".gz")
    state = path.stat()
    target.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))
    path.unlink()
    return target


def numbered(first: int, last: int) -> list[bytes]:
    """Lines with a number, long enough that a few of them are more than a window."""
    return [b"line %04d %s" % (number, b"x" * 40) for number in range(first, last)]


START = numbered(0, 100)
