"""Who started a program: the audit system gives the parent's number, and the log has said who that is.

Rules of this module:

- Every event says which program its process runs, and those of a start with which arguments. What a number
  meant last is remembered, of as many processes as ``limits.audit_records``; the oldest are forgotten.
- A start that failed says nothing of the arguments of the process that tried it.
- A parent of which the log says nothing (it was started before, or by a program that only forked) stays
  unknown.

Input is untrusted.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haidang.events.model import Fields
    from haidang.limits import Limits

__all__ = ["Parents"]

LONGEST_COMMAND = 4096
"""Characters of a command line that is remembered; with the number of processes it bounds the memory."""


class Parents:
    """What each process ran last."""

    def __init__(self, limits: Limits) -> None:
        """Begin with no process known."""
        self._most = limits.audit_records
        self._known: OrderedDict[tuple[str, str], tuple[str, str]] = OrderedDict()

    def join(self, event: Fields) -> None:
        """Add the parent's program to an event of which it is known, and remember the event's own."""
        process, program = event.get("pid"), event.get("exe")
        if process.__class__ is not str or program.__class__ is not str:
            return
        node = event.get("node", "")
        parent = self._known.get((node, event["ppid"])) if event.get("ppid").__class__ is str else None
        if parent is not None:
            event["ParentImage"], command = parent
            if command:
                event["ParentCommandLine"] = command
        command = event.get("CommandLine", "")
        key = (node, process)
        if event.get("success") == "no" or command.__class__ is not str or len(command) > LONGEST_COMMAND:
            command = ""
        before = self._known.get(key)
        if before is not None and before[0] == program and not command:
            return
        self._known[key] = (program, command)
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
