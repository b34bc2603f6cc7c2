"""``haidang addressbook``: who is who, as an authority vouches for it; one thin module for each command.

A module whose name does not begin with an underscore and that defines ``COMMAND``, called ``addressbook`` and
its own word, is a command of the group; there is no list to edit::

    $ haidang addressbook import so.asice --root FINGERPRINT
"""

from __future__ import annotations

from haidang.cli._command import command_group
from haidang.i18n import N_

__all__ = ["COMMAND"]

COMMAND = command_group(
    "addressbook",
    N_("Publish, take and search the address book of units and people."),
    __name__,
    __path__,
)
