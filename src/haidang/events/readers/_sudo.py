"""What sudo writes of a command: ``lan : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id``.

Fields, as sudo names them: TTY, PWD, USER, GROUP, TSID, HOST, ENV, COMMAND, and besides ``SUDO_USER``, who
called it, and ``reason``, why it was refused. Input is untrusted; it takes linear time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haidang.events.model import Fields

__all__ = ["add_sudo"]

_NAMES = frozenset({"TTY", "PWD", "CHROOT", "USER", "GROUP", "TSID", "HOST", "ENV"})


def add_sudo(fields: Fields) -> None:
    """Add to the fields of a line of sudo what its message says of a command, if it does."""
    before, mark, command = fields["message"].partition("COMMAND=")
    caller, colon, rest = before.partition(" : ")
    if not mark or not colon:
        return
    fields["SUDO_USER"] = caller.strip()
    fields["COMMAND"] = command
    for part in rest.split(" ; "):
        name, equals, value = part.partition("=")
        if equals and name in _NAMES:
            fields[name] = value
        elif part.strip():
            fields.setdefault("reason", part.strip())
