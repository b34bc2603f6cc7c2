"""``haidang pki revoke``: takes a certificate back, and publishes the list that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_passphrase, present
from haidang.cli.pki._options import add_authority, authority_of, said, unlocked, write_new
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    from haidang.crypto.pki.acting import REASONS

    _ = translate
    add_authority(parser, translate)
    parser.add_argument("certificate", metavar="WHO", help=_("name or serial number of the certificate"))
    group = parser.add_argument_group(_("The revocation"))
    group.add_argument(
        "--reason",
        metavar="REASON",
        default="unspecified",
        help=_("why: {reasons}").format(reasons=", ".join(REASONS)),
    )
    group.add_argument(
        "--output", metavar="FILE", help=_("where the revocation list is written (default: AUTHORITY.crl)")
    )
    add_passphrase(group, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Revoke it.

    Raises:
        AuthorityError: There is no such certificate, or it was revoked before.
    """
    with authority_of(args) as authority:
        kept = authority.find(args.certificate)
        opened = unlocked(authority, args, context)
        crl = opened.revoke(kept.serial, args.reason, now=present(context))
    output = args.output or f"{args.authority.rstrip('/')}.crl"
    write_new(output, crl, replace=True)
    said(N_("The certificate of {name} ({serial}) is revoked."), context, name=kept.name, serial=kept.serial)
    said(N_("Publish {file} at once: others know of it through this list alone."), context, file=output)
    return 0


COMMAND = Command(
    name="pki revoke",
    summary=N_("Revoke a certificate, and publish the list."),
    usage="AUTHORITY WHO [--reason REASON] [OPTION]…",
    configure=configure,
    run=run,
)
