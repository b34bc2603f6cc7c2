"""``haidang pki issue``: makes keys and certificate of an identity at once, on the authority's machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, add_passphrase, home_of, present
from haidang.cli.pki._making import (
    add_alternative_names,
    add_key_kind,
    add_subject,
    wanted_identity,
)
from haidang.cli.pki._options import add_authority, add_days, authority_of, said, say_certificate, unlocked
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.passphrases import Passphrase
    from haidang.i18n import Translator

__all__ = ["COMMAND"]

SEALED_TO = frozenset({"person", "unit"})
"""Whom others seal to: they get a sealing key, too."""


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_authority(parser, translate)
    add_alternative_names(add_subject(parser, translate), translate)
    group = parser.add_argument_group(_("The certificate"))
    group.add_argument(
        "--profile",
        metavar="PROFILE",
        default="person",
        help=_("what it is for: person (default), unit, mail, server, service, timestamp or ocsp"),
    )
    add_days(group, translate)
    add_key_kind(group, translate)
    keys = add_home(parser, translate)
    keys.add_argument(
        "--as", dest="identity", metavar="NAME", help=_("what the new identity is called in the folder")
    )
    add_passphrase(keys, translate)
    keys.add_argument(
        "--new-passphrase-file", metavar="FILE", help=_("read the passphrase of the new key from FILE")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Issue it.

    Raises:
        AuthorityError: It must not be issued.
        OutputError: There is such an identity already.
    """
    from haidang.crypto.pki.identities import issue_identity

    wanted = wanted_identity(args, context, sealing=args.profile in SEALED_TO)
    with authority_of(args) as authority:
        opened = unlocked(authority, args, context)
        identity, certificates = issue_identity(
            opened,
            home_of(args, context),
            wanted,
            _new_passphrase(args, context, wanted.name),
            profile=args.profile,
            days=args.days,
            now=present(context),
        )
    said(N_("The identity {name} is made in {folder}."), context, name=wanted.name, folder=identity.folder)
    for one in certificates:
        say_certificate(one, context)
    return 0


def _new_passphrase(args: argparse.Namespace, context: Context, name: str) -> Passphrase:
    from haidang.crypto.passphrases import from_file, from_prompt

    _ = context.translate
    if args.new_passphrase_file:
        return from_file(Path(args.new_passphrase_file))
    if args.token:
        return from_prompt(_("PIN of the token {token}: ").format(token=args.token))
    question = _("New passphrase for {name}: ").format(name=name)
    return from_prompt(question, _("The same once more: "))


COMMAND = Command(
    name="pki issue",
    summary=N_("Make keys and certificate of a person, unit, server or service at once."),
    usage="AUTHORITY --name NAME [OPTION]…",
    configure=configure,
    run=run,
)
