"""``haidang audit``: proves that the console's audit log was not altered, writes checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._proofs import hand_out, kept_elsewhere, proof_options, say_proof
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument(
        "what",
        metavar="verify|checkpoint",
        choices=["verify", "checkpoint"],
        help=_("verify the entries, or write a checkpoint for others to keep"),
    )
    proof_options(parser, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Do what is asked; 1 where the log does not hold.

    Raises:
        ConfigurationError: The extra ``[console]`` is missing, or a setting is wrong.
        InputError: A checkpoint cannot be read.
    """
    from haidang.console.setup import database_errors, set_up

    set_up()
    with database_errors():
        return _verify(args, context) if args.what == "verify" else _checkpoint(args, context)


def _verify(args: argparse.Namespace, context: Context) -> int:
    from haidang.console.audit.verifying import verify

    unproved = N_("Only a checkpoint kept elsewhere shows that all of it was rewritten: --checkpoint FILE.")
    return say_proof(verify(kept_elsewhere(args)), args, context, unproved)


def _checkpoint(args: argparse.Namespace, context: Context) -> int:
    from haidang.console.audit.checkpoints import sign_now

    checkpoint = sign_now()
    if checkpoint is None:
        context.say(context.translate("The log has no entries yet: there is nothing to sign."))
        return 0
    return hand_out(checkpoint.note.encode(), args, context)


COMMAND = Command(
    name="audit",
    summary=N_("Prove that the console's audit log was not altered."),
    usage="verify|checkpoint [OPTION]…",
    configure=configure,
    run=run,
)
