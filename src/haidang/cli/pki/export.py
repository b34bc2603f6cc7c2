"""``haidang pki export``: what others need to verify: roots, authorities, revocation lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, home_of
from haidang.cli.pki._options import add_authority, authority_of, colons, said, write_new
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_authority(parser, translate)
    add_home(parser, translate)
    output = parser.add_argument_group(_("Outputs"))
    output.add_argument(
        "--output",
        metavar="FILE",
        help=_("write one file (PEM) instead of into the folder of keys and trust"),
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Write it.

    Raises:
        AuthorityError: The authority has no certificate yet.
        OutputError: A file cannot be written.
    """
    from haidang.crypto.certificates import fingerprint
    from haidang.crypto.pki.identities import bundle_of, install_trust
    from haidang.errors import AuthorityError

    with authority_of(args) as authority:
        path = authority.chain()
        if not path:
            raise AuthorityError(
                N_("This authority has no certificate yet."),
                hint=N_("Have its request signed by the root, then: haidang pki accept."),
            )
        if args.output:
            write_new(args.output, bundle_of([], authority), replace=True)
            where = Path(args.output)
        else:
            home = home_of(args, context)
            install_trust(authority, home)
            where = home.trust
    said(N_("Roots, authorities and revocation lists are in {place}."), context, place=where)
    said(N_("The root has the fingerprint {root}"), context, root=colons(fingerprint(path[-1])))
    return 0


COMMAND = Command(
    name="pki export",
    summary=N_("Hand out what others need to verify."),
    usage="AUTHORITY [--home DIR | --output FILE]",
    configure=configure,
    run=run,
)
