"""``haidang pki``: authorities, certificates and keys; one thin module for each command.

A module whose name does not begin with an underscore and that defines ``COMMAND``, called ``pki`` and its own
word, is a command of the group; there is no list to edit::

    $ haidang pki create-root goc --name "Gốc chứng thực Tỉnh Mẫu" --organisation "Tỉnh Mẫu"
"""

from __future__ import annotations

from haidang.cli._command import command_group
from haidang.i18n import N_

__all__ = ["COMMAND"]

COMMAND = command_group("pki", N_("Keep authorities, keys and certificates."), __name__, __path__)
