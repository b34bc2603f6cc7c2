"""``haidang pki passphrase``: gives an authority's key a new passphrase."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_passphrase, passphrase_of, present
from haidang.cli.pki._options import add_authority, authority_of, said
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_authority(parser, translate)
    group = parser.add_argument_group(_("Passphrases"))
    add_passphrase(group, translate)
    group.add_argument("--new-passphrase-file", metavar="FILE", help=_("read the new passphrase from FILE"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Change it.

    Raises:
        KeyAccessError: The passphrase is wrong, or the key is in a token or open to shares alone.
    """
    from haidang.crypto.keys import key_id
    from haidang.crypto.passphrases import from_file, from_prompt
    from haidang.crypto.pki.keyring import open_wrapped, open_wrapping, wrap

    _ = context.translate
    with authority_of(args) as authority:
        name = neutralise(authority.name)
        question = _("Passphrase of the authority {name}: ").format(name=name)
        wrapping = open_wrapping(authority.folder, passphrase_of(args, context, question))
        keys = open_wrapped(authority.folder, wrapping)
        if args.new_passphrase_file:
            new = from_file(Path(args.new_passphrase_file))
        else:
            new = from_prompt(_("New passphrase for {name}: ").format(name=name), _("The same once more: "))
        wrap(authority.folder, wrapping, new, key_id=key_id(keys.first))
        authority.unlock(new).note("passphrase", present(context))
        said(N_("The authority {name} has the new passphrase."), context, name=authority.name)
    said(N_("Backups of its folder still open with the old one: replace them."), context)
    return 0


COMMAND = Command(
    name="pki passphrase",
    summary=N_("Give an authority's key a new passphrase."),
    usage="AUTHORITY [OPTION]…",
    configure=configure,
    run=run,
)
