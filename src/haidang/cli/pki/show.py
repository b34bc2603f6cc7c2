"""``haidang pki show``: an authority, one of its certificates, or a file of certificates, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli.pki._options import said, say_certificate
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument(
        "what", metavar="AUTHORITY|FILE", help=_("folder of an authority, or a file of certificates")
    )
    parser.add_argument(
        "certificate", metavar="WHO", nargs="?", help=_("name or serial number of the certificate")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Show it.

    Raises:
        InputError: The file holds no certificate.
        AuthorityError: There is no authority, or no such certificate.
    """
    from haidang.crypto.certificates import read_certificates

    if not Path(args.what).is_dir():
        for one in read_certificates(Path(args.what)):
            say_certificate(one, context)
            context.say("")
        return 0
    from haidang.crypto.pki.authority import open_authority

    with open_authority(Path(args.what)) as authority:
        if args.certificate:
            from cryptography import x509

            kept = authority.find(args.certificate)
            say_certificate(x509.load_der_x509_certificate(kept.der), context)
            revocation = authority.records.revocation(kept.serial)
            if revocation is not None:
                said(
                    N_("Revoked on {date}: {reason}"),
                    context,
                    date=revocation.moment[:10],
                    reason=revocation.reason,
                )
            return 0
        for one in (*authority.chain(), *authority.chain("second")):
            say_certificate(one, context)
            context.say("")
        if not authority.chain():
            said(N_("It waits for its certificate."), context)
        number, _der = authority.records.last_crl("first")
        said(
            N_("{n} certificates, {revoked} revoked; newest revocation list: number {number}."),
            context,
            n=len(authority.records.certificates()),
            revoked=len(authority.records.revocations()),
            number=number,
        )
    return 0


COMMAND = Command(
    name="pki show",
    summary=N_("Show an authority, or what a certificate says."),
    usage="AUTHORITY [WHO] | FILE",
    configure=configure,
    run=run,
)
