"""``haidang timestamp FILE…``: an authority proves that files were there now (``NAME.tsr`` beside each)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_authorities, add_home, present, settings_of, trust_of
from haidang.errors import HaidangError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.timestamps.client import TimestampClient
    from haidang.i18n import Translator

__all__ = ["COMMAND"]

FAILED = 1


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument("paths", metavar="FILE", nargs="+", help=_("files to stamp"))
    add_home(parser, translate)
    add_authorities(parser, translate)
    parser.add_argument("--force", action="store_true", help=_("replace results that are there already"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Stamp; one file that fails does not stop the others. Return the exit code.

    Raises:
        HaidangError: No authority is named, or the settings are wrong.
    """
    from haidang.crypto.timestamps.client import TimestampClient

    settings = settings_of(args, context).timestamps
    trust = trust_of(args, context)
    client = TimestampClient(
        tuple(args.tsa) or settings.authorities,
        settings,
        clock=lambda: present(context),
        trust=trust if trust.anchors else None,
    )
    failed = sum(_stamp(Path(name), client, args, context) for name in args.paths)
    return FAILED if failed else 0


def _stamp(path: Path, client: TimestampClient, args: argparse.Namespace, context: Context) -> int:
    """Write the answer of an authority beside ``path``; return 1 where it failed."""
    from haidang.crypto.files import write_whole
    from haidang.crypto.signing.cades import digest_of_file
    from haidang.crypto.verifying.tokens import SUFFIX

    target = path.with_name(path.name + SUFFIX)
    try:
        answer = client.response(digest_of_file(path, "sha256"), "sha256")
        write_whole(target, answer, replace=args.force)
    except HaidangError as error:
        first, *rest = error.diagnostics(context.translate).split("\n")
        context.say(f"✘ {neutralise(str(path))}: {neutralise(first)}")
        for line in rest:
            context.say(f"  {neutralise(line)}")
        return FAILED
    said = context.translate("Stamped: {path}").format(path=neutralise(str(target)))
    context.answer(f"✔ {said}\n")
    return 0


COMMAND = Command(
    name="timestamp",
    summary=N_("Have an authority prove that files were there now."),
    usage="[OPTION]… FILE…",
    configure=configure,
    run=run,
)
