"""``haidang pki create-root``: begins a root authority, which signs issuing authorities and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import present
from haidang.cli.pki._making import add_founding, founding_of
from haidang.cli.pki._options import said, say_certificate
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    keys = add_founding(parser, translate)
    keys.add_argument(
        "--days", metavar="N", type=int, help=translate("how long it is valid (default: 20 years)")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Make it.

    Raises:
        AuthorityError: The subject is none.
        OutputError: The folder is there already.
    """
    from haidang.crypto.pki.founding import create_authority

    founding, passphrase = founding_of("root", args, context, args.days)
    with create_authority(Path(args.authority), founding, passphrase, now=present(context)) as authority:
        said(
            N_("The root authority {name} is made in {folder}."),
            context,
            name=authority.name,
            folder=args.authority,
        )
        for chain in (authority.chain(), authority.chain("second")):
            if chain:
                say_certificate(chain[0], context)
    said(N_("Write the fingerprint down: whoever is to believe this root compares it."), context)
    if not args.token:
        said(
            N_("Next: split its key among people: haidang pki ceremony split {folder}"),
            context,
            folder=args.authority,
        )
    return 0


COMMAND = Command(
    name="pki create-root",
    summary=N_("Begin a root authority (on a machine without a network)."),
    usage="AUTHORITY --name NAME --organisation NAME [OPTION]…",
    configure=configure,
    run=run,
)
