"""``haidang pki crl``: publishes a new revocation list."""

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
    _ = translate
    add_authority(parser, translate)
    group = parser.add_argument_group(_("The list"))
    group.add_argument(
        "--days", metavar="N", type=int, help=_("how long it is valid (default: 7, of a root 180)")
    )
    group.add_argument("--output", metavar="FILE", help=_("where it is written (default: AUTHORITY.crl)"))
    add_passphrase(group, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Publish it.

    Raises:
        AuthorityError: The authority has no certificate yet, or its log was altered.
        ConfigurationError: The span is none.
    """
    from haidang.errors import ConfigurationError

    _ = context.translate
    if args.days is not None and not 1 <= args.days <= 3650:
        hint = _("See {command} --help.").format(command="haidang pki crl")
        raise ConfigurationError(_("A revocation list is valid for 1 to 3650 days."), hint=hint)
    with authority_of(args) as authority:
        crls = unlocked(authority, args, context).publish_crl(now=present(context), days=args.days)
        number = authority.records.last_crl("first")[0]
    output = args.output or f"{args.authority.rstrip('/')}.crl"
    for chain, der in crls.items():
        path = output if chain == "first" else f"{output.removesuffix('.crl')}-second.crl"
        write_new(path, der, replace=True)
        said(N_("Revocation list number {number} is in {file}."), context, number=number, file=path)
    return 0


COMMAND = Command(
    name="pki crl",
    summary=N_("Publish a new revocation list."),
    usage="AUTHORITY [OPTION]…",
    configure=configure,
    run=run,
)
