"""``haidang pki request``: makes keys where they will be used, and a request file for the authority."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, add_passphrase, home_of, passphrase_of
from haidang.cli.pki._making import (
    add_alternative_names,
    add_key_kind,
    add_subject,
    new_passphrase_of,
    wanted_identity,
)
from haidang.cli.pki._options import said, write_new
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_alternative_names(add_subject(parser, translate), translate)
    keys = add_home(parser, translate)
    keys.add_argument(
        "--as",
        dest="identity",
        metavar="NAME",
        default="",
        help=_("what the identity is called in the folder"),
    )
    keys.add_argument(
        "--renew", action="store_true", help=_("ask for a new certificate for the key that is there")
    )
    keys.add_argument(
        "--no-sealing", dest="sealing", action="store_false", help=_("make no key to which others seal")
    )
    add_key_kind(keys, translate)
    add_passphrase(keys, translate)
    output = parser.add_argument_group(_("Outputs"))
    output.add_argument(
        "--output", metavar="FILE", help=_("where the request is written (default: NAME.csr here)")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Make the request.

    Raises:
        AuthorityError: The subject is none.
        OutputError: There is such an identity already.
    """
    from haidang.crypto.pki.identities import renewal_request, request_identity

    _ = context.translate
    home = home_of(args, context)
    if args.renew:
        identity = home.identity(args.identity)
        question = _("Passphrase of {name}: ").format(name=identity.name)
        content = renewal_request(identity, passphrase_of(args, context, question))
    else:
        wanted = wanted_identity(args, context, sealing=args.sealing)
        passphrase = new_passphrase_of(args, context, wanted.name)
        identity, content = request_identity(home, wanted, passphrase)
    output = args.output or f"{identity.name}.csr"
    write_new(output, content, replace=True)
    said(
        N_("The request is in {file}; send it to the authority. The keys stay in {folder}."),
        context,
        file=output,
        folder=identity.folder,
    )
    said(
        N_("Then, with what comes back: haidang pki accept FILE --as {name} --root FINGERPRINT"),
        context,
        name=identity.name,
    )
    return 0


COMMAND = Command(
    name="pki request",
    summary=N_("Make keys here, and a request for a certificate."),
    usage="--name NAME --organisation NAME [OPTION]…",
    configure=configure,
    run=run,
)
