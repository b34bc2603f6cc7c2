"""``haidang pki renew``: issues a certificate again for the same key, with a new span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_passphrase, present
from haidang.cli.pki._options import (
    add_authority,
    add_days,
    authority_of,
    said,
    say_certificate,
    unlocked,
    write_new,
)
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_authority(parser, translate)
    parser.add_argument("certificate", metavar="WHO", help=_("name or serial number of the certificate"))
    group = parser.add_argument_group(_("The certificate"))
    add_days(group, translate)
    group.add_argument(
        "--output", metavar="FILE", help=_("where the answer is written (default: SERIAL.pem)")
    )
    add_passphrase(group, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Renew it.

    Raises:
        AuthorityError: There is no such certificate, or it was revoked.
    """
    from haidang.crypto.pki.identities import bundle_of

    with authority_of(args) as authority:
        kept = authority.find(args.certificate)
        opened = unlocked(authority, args, context)
        certificate = opened.renew(kept.serial, now=present(context), days=args.days)
        output = args.output or f"{certificate.serial_number:x}.pem"
        write_new(output, bundle_of([certificate], authority), replace=True)
    said(
        N_("The certificate is renewed; {file} goes to its holder: haidang pki accept {file}"),
        context,
        file=output,
    )
    say_certificate(certificate, context)
    return 0


COMMAND = Command(
    name="pki renew",
    summary=N_("Renew a certificate for the same key."),
    usage="AUTHORITY WHO [OPTION]…",
    configure=configure,
    run=run,
)
