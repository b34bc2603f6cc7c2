"""``haidang rules``: what is to be known of rules without scanning; one thin module for each command.

A module whose name does not begin with an underscore and that defines ``COMMAND``, called ``rules`` and its
own word, is a command of the group; there is no list to edit::

    $ haidang rules coverage --rules sigma_all_rules.zip
"""

from __future__ import annotations

from haidang.cli._command import command_group
from haidang.i18n import N_

__all__ = ["COMMAND"]

COMMAND = command_group("rules", N_("Look into rules without scanning."), __name__, __path__)
