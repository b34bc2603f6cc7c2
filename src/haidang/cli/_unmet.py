"""What was asked about and is not there: hosts, users and fields, with what may have been meant.

Who finds nothing must know whether there is nothing, or whether a name was misspelt. Names come from logs and
are untrusted: they pass :func:`haidang.plaintext.neutralise`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import closest
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.cli._command import Context

__all__ = ["say_unmet"]

_EXAMPLES = 8
"""Names of what there is that are told."""


def say_unmet(
    context: Context, message: str, name: str, known: Iterable[str], *, examples: int = _EXAMPLES
) -> None:
    """Say ``message`` (with ``{name}`` in it), and what may have been meant among the ``known`` names.

    Where none is like it, some of them are told, at most ``examples``.
    """
    said = message.format(name=name)
    context.say(neutralise(f"{said} {_instead(name, sorted(set(known)), examples, context)}".rstrip()))


def _instead(name: str, names: list[str], examples: int, context: Context) -> str:
    translate = context.translate
    # A host is known with and without its domain, and so is a user; case does not count.
    spellings = {spelling.lower(): one for one in names for spelling in _spellings(one)}
    meant = closest(name.lower(), spellings)
    if meant:
        return translate("Did you mean {word}?").format(word=spellings[meant])
    shown = ", ".join(names[:examples]) + (", …" if len(names) > examples else "")
    if not names[:examples]:
        return ""
    return translate("There is: {names}.").format(names=shown)


def _spellings(name: str) -> tuple[str, ...]:
    return name, name.partition(".")[0], name.rpartition("\\")[2]
