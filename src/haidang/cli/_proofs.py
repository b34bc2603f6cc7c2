"""Proving that a log of what was done was not altered, and the checkpoints that others keep of it.

The console's audit log and the log of an authority are proved alike: against their own checkpoints, and
against those that were kept elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import CommandParser, Context
    from haidang.crypto.verdicts import Reason
    from haidang.i18n import Translator

__all__ = ["Proved", "hand_out", "kept_elsewhere", "proof_options", "say_proof"]

_LARGEST_NOTE = 1 << 20


class Proved(Protocol):
    """What was found of a log."""

    @property
    def entries(self) -> int:
        """How many there are."""

    @property
    def root(self) -> bytes:
        """The hash over all of them."""

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What is wrong or worth a word."""

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""


def proof_options(parser: CommandParser, _: Translator) -> None:
    """Add the checkpoints that were kept, and where a new one and what was found are written."""
    group = parser.add_argument_group(_("Inputs"))
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        action="append",
        default=[],
        help=_("with verify: a checkpoint that was kept elsewhere (repeatable)"),
    )
    output = parser.add_argument_group(_("Outputs"))
    output.add_argument(
        "--output", metavar="FILE", help=_("where the checkpoint is written (default: standard output)")
    )
    output.add_argument("--json", action="store_true", help=_("write JSON"))


def kept_elsewhere(args: argparse.Namespace) -> list[bytes]:
    """Return the checkpoints that were given.

    Raises:
        InputError: One cannot be read, or is too large.
    """
    from haidang.crypto.files import read_bounded

    return [read_bounded(Path(path), _LARGEST_NOTE) for path in args.checkpoint]


def say_proof(found: Proved, args: argparse.Namespace, context: Context, unproved: str) -> int:
    """Say what was found; 1 where the log does not hold.

    Args:
        found: What was found.
        args: The options of the command.
        context: Where it is said.
        unproved: What only a checkpoint that was kept elsewhere shows, to be translated; said where there
            is none.
    """
    _ = context.translate
    if args.json:
        context.answer_json(
            {
                "holds": found.holds,
                "entries": found.entries,
                "root": found.root.hex(),
                "reasons": [reason.to_json() for reason in found.reasons],
            }
        )
        return 0 if found.holds else 1
    for reason in found.reasons:
        context.say(neutralise(reason.message.said(_)))
    if not found.holds:
        context.say(neutralise(found.reasons[0].hint.said(_)))
        return 1
    context.say(_("The log holds: {n} entries, none altered, none missing.").format(n=found.entries))
    if not args.checkpoint:
        context.say(_(unproved))
    return 0


def hand_out(note: bytes, args: argparse.Namespace, context: Context) -> int:
    """Write a checkpoint to its file, which must not be there yet, or to standard output; return 0.

    Raises:
        OutputError: The file is there, or cannot be written.
    """
    from haidang.crypto.files import write_whole

    if not args.output:
        context.stdout.write(note)
        return 0
    write_whole(Path(args.output), note, replace=False)
    told = context.translate("The checkpoint is in {file}. Keep it on another machine, or print it.")
    context.say(told.format(file=neutralise(args.output)))
    return 0
