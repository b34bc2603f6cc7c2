"""``haidang addressbook search``: finds people and units by words; the same as ``show WORD…``."""

from __future__ import annotations

from haidang.cli._command import Command
from haidang.cli.addressbook.show import configure, run
from haidang.i18n import N_

__all__ = ["COMMAND"]

COMMAND = Command(
    name="addressbook search",
    summary=N_("Find people and units in the address book."),
    usage="WORD… [OPTION]…",
    configure=configure,
    run=run,
)
