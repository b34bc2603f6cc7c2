"""``haidang pki create-issuing``: begins an issuing authority, whose request the root signs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import present
from haidang.cli.pki._making import add_founding, founding_of
from haidang.cli.pki._options import said, write_new
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_founding(parser, translate)
    output = parser.add_argument_group(_("Outputs"))
    output.add_argument(
        "--output", metavar="FILE", help=_("where the request is written (default: AUTHORITY.csr)")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Make it.

    Raises:
        AuthorityError: The subject is none.
        OutputError: The folder is there already.
    """
    from haidang.crypto.pki.founding import create_authority

    founding, passphrase = founding_of("issuing", args, context)
    output = args.output or f"{args.authority.rstrip('/')}.csr"
    with create_authority(Path(args.authority), founding, passphrase, now=present(context)) as authority:
        write_new(output, authority.requests(), replace=True)
        said(
            N_("The issuing authority {name} is made in {folder}; it waits for its certificate."),
            context,
            name=authority.name,
            folder=args.authority,
        )
    said(
        N_("Next, on the root's machine: haidang pki sign ROOT {request} --profile issuing"),
        context,
        request=output,
    )
    said(
        N_("Then here, with what comes back: haidang pki accept FILE --authority {folder}"),
        context,
        folder=args.authority,
    )
    return 0


COMMAND = Command(
    name="pki create-issuing",
    summary=N_("Begin an issuing authority and write its request for the root."),
    usage="AUTHORITY --name NAME [OPTION]…",
    configure=configure,
    run=run,
)
