"""``haidang audit``: proves that the console's audit log was not altered, writes checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]

_LARGEST_NOTE = 1 << 20


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument(
        "what",
        metavar="verify|checkpoint",
        choices=["verify", "checkpoint"],
        help=_("verify the entries, or write a checkpoint for others to keep"),
    )
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
    from haidang.crypto.files import read_bounded

    _ = context.translate
    kept = [read_bounded(Path(path), _LARGEST_NOTE) for path in args.checkpoint]
    found = verify(kept)
    if args.json:
        answer = {
            "holds": found.holds,
            "entries": found.entries,
            "root": found.root.hex(),
            "reasons": [reason.to_json() for reason in found.reasons],
        }
        context.answer_json(answer)
        return 0 if found.holds else 1
    for reason in found.reasons:
        context.say(neutralise(reason.message.said(context.translate)))
    if not found.holds:
        context.say(neutralise(found.reasons[0].hint.said(context.translate)))
        return 1
    context.say(_("The log holds: {n} entries, none altered, none missing.").format(n=found.entries))
    if not kept:
        context.say(
            _("Only a checkpoint kept elsewhere shows that all of it was rewritten: --checkpoint FILE.")
        )
    return 0


def _checkpoint(args: argparse.Namespace, context: Context) -> int:
    from haidang.console.audit.checkpoints import sign_now
    from haidang.crypto.files import write_whole

    _ = context.translate
    checkpoint = sign_now()
    if checkpoint is None:
        context.say(_("The log has no entries yet: there is nothing to sign."))
        return 0
    if not args.output:
        context.stdout.write(checkpoint.note.encode())
        return 0
    write_whole(Path(args.output), checkpoint.note.encode(), replace=False)
    context.say(
        _("The checkpoint is in {file}. Keep it on another machine, or print it.").format(
            file=neutralise(args.output)
        )
    )
    return 0


COMMAND = Command(
    name="audit",
    summary=N_("Prove that the console's audit log was not altered."),
    usage="verify|checkpoint [OPTION]…",
    configure=configure,
    run=run,
)
