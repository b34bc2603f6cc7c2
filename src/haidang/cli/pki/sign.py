"""``haidang pki sign``: issues what a request file asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_passphrase, present
from haidang.cli.pki._making import add_subject, subject_of
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
    parser.add_argument("request", metavar="REQUEST", help=_("the request file (PKCS#10)"))
    add_subject(parser, translate)
    group = parser.add_argument_group(_("The certificate"))
    group.add_argument(
        "--profile",
        metavar="PROFILE",
        help=_("what it is for: person, unit, mail, server, service, timestamp, ocsp; issuing for a root"),
    )
    add_days(group, translate)
    group.add_argument(
        "--output", metavar="FILE", help=_("where the answer is written (default: beside REQUEST, .pem)")
    )
    add_passphrase(group, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Issue it.

    Raises:
        InputError: The request cannot be read.
        AuthorityError: It must not be issued.
    """
    from haidang.crypto.files import read_bounded
    from haidang.crypto.pki.identities import bundle_of
    from haidang.crypto.pki.issuing import subject_name
    from haidang.crypto.pki.orders import order_of
    from haidang.crypto.pki.requests import LARGEST, read_requests

    requests = read_requests(read_bounded(Path(args.request), LARGEST), args.request)
    with authority_of(args) as authority:
        profile = args.profile or ("issuing" if authority.kind == "root" else "person")
        orders = [order_of(one, profile, days=args.days) for one in requests]
        parts = subject_of(args)
        if parts:
            # The authority's word about whom a certificate names stands above the asker's.
            orders = [one._replace(subject=subject_name(parts)) for one in orders]
        output = Path(args.output or Path(args.request).with_suffix(".pem"))
        opened = unlocked(authority, args, context)
        certificates = opened.issue(orders[0], now=present(context), extra=orders[1:])
        write_new(str(output), bundle_of(certificates, authority), replace=True)
    said(N_("The certificate is issued; {file} goes back to the asker."), context, file=output)
    for one in certificates:
        say_certificate(one, context)
    said(N_("Compare name and unit with the paper before you hand it out."), context)
    return 0


COMMAND = Command(
    name="pki sign",
    summary=N_("Issue the certificate that a request file asks for."),
    usage="AUTHORITY REQUEST [OPTION]…",
    configure=configure,
    run=run,
)
