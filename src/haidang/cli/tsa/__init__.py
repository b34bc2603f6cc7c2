"""``haidang tsa``: a time stamping authority of one's own; one thin module for each command.

A module whose name does not begin with an underscore and that defines ``COMMAND``, called ``tsa`` and its
own word, is a command of the group; there is no list to edit::

    $ haidang tsa serve --as tsa
"""

from __future__ import annotations

from haidang.cli._command import command_group
from haidang.i18n import N_

__all__ = ["COMMAND"]

COMMAND = command_group("tsa", N_("Run a time stamping authority."), __name__, __path__)
