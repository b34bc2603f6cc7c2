"""Names of Linux system calls: what auditd writes as ``SYSCALL=`` when it enriches its log.

Rules look at the name; a log that was not enriched has only the machine and the number. The table is
``linux_syscalls.txt``, which says where it is from.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["syscall_name"]


def syscall_name(machine: str, number: str) -> str:
    """Return the name of a system call, "" where the machine (``c000003e``) or the number is unknown."""
    return _tables().get(machine, {}).get(number, "")


@cache
def _tables() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("linux_syscalls.txt").read_text("utf-8")
    tables: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            table = tables[line[1 : line.index("]")]] = {}
        elif line and not line.startswith("#"):
            number, _, name = line.partition(" ")
            table[number] = name
    return tables
