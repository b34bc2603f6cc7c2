"""``haidang pki ceremony``: splits an authority's key among people, and puts it together again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_passphrase, passphrase_of, present
from haidang.cli.pki._options import authority_of, colons, said
from haidang.errors import ConfigurationError, KeyAccessError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.pki.authority import Authority
    from haidang.crypto.pki.sheets import Occasion
    from haidang.i18n import Translator

__all__ = ["COMMAND", "type_share"]

_ROW = 11  # words that are typed at once: a column of the sheet


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument(
        "what",
        metavar="split|check|restore",
        choices=["split", "check", "restore"],
        help=_("split the key into shares, check that shares open it, or restore it from shares"),
    )
    parser.add_argument("authority", metavar="AUTHORITY", help=_("folder of the authority"))
    group = parser.add_argument_group(_("Splitting"))
    group.add_argument("--shares", metavar="N", type=int, default=5, help=_("how many shares (default: 5)"))
    group.add_argument(
        "--threshold", metavar="N", type=int, default=3, help=_("how many restore the key (default: 3)")
    )
    group.add_argument(
        "--holder",
        metavar="NAME",
        action="append",
        default=[],
        help=_("who holds the next share; printed on the sheet (repeatable)"),
    )
    group.add_argument(
        "--output", metavar="DIR", help=_("where the sheets are written (default: AUTHORITY-shares)")
    )
    group = parser.add_argument_group(_("Checking and restoring"))
    group.add_argument(
        "--share-file",
        metavar="FILE",
        action="append",
        default=[],
        help=_("read a share from FILE, which nobody else may read (repeatable; else it is typed)"),
    )
    group.add_argument(
        "--forget",
        action="store_true",
        help=_("with check: from then on the shares alone open the key, the passphrase no more"),
    )
    group = parser.add_argument_group(_("Passphrases"))
    add_passphrase(group, translate)
    group.add_argument(
        "--share-passphrase-file", metavar="FILE", help=_("a passphrase that the shares need beside them")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Hold the ceremony.

    Raises:
        KeyAccessError: The passphrase is wrong, or the shares do not open the key.
        OutputError: A sheet cannot be written.
    """
    with authority_of(args) as authority:
        if args.what == "split":
            return _split(authority, args, context)
        return _together(authority, args, context)


def _split(authority: Authority, args: argparse.Namespace, context: Context) -> int:
    from haidang.crypto.files import PRIVATE, write_whole
    from haidang.crypto.pki.ceremony import split
    from haidang.crypto.pki.sheets import share_sheet

    _ = context.translate
    if len(args.holder) > args.shares:
        hint = _("See {command} --help.").format(command="haidang pki ceremony")
        raise ConfigurationError(_("There are more holders than shares."), hint=hint)
    folder = Path(args.output or f"{args.authority.rstrip('/')}-shares")
    question = _("Passphrase of the authority {name}: ").format(name=neutralise(authority.name))
    passphrase = passphrase_of(args, context, question)
    shares = split(
        authority.folder,
        passphrase,
        threshold=args.threshold,
        count=args.shares,
        share_passphrase=_share_passphrase(args),
    )
    occasion = _occasion(authority, args, context)
    sheets = [
        share_sheet(share, occasion._replace(holder=holder), context.translate)
        for share, holder in zip(shares, [*args.holder, *[""] * args.shares], strict=False)
    ]
    now = present(context)
    authority.unlock(passphrase).note("split", now, shares=args.shares, threshold=args.threshold)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number, sheet in enumerate(sheets, 1):
        write_whole(folder / f"share-{number}.pdf", sheet, mode=PRIVATE, replace=False)
    said(
        N_("{n} sheets are in {folder}. Print them, then delete the folder."),
        context,
        n=len(sheets),
        folder=folder,
    )
    said(
        N_("Then try the printed sheets: haidang pki ceremony check {authority}"),
        context,
        authority=args.authority,
    )
    return 0


def _together(authority: Authority, args: argparse.Namespace, context: Context) -> int:
    from haidang.crypto.pki.ceremony import check_shares, forget, restore

    _ = context.translate
    mnemonics = _shares(args, context)
    if args.what == "restore":
        # The shares are looked at before anybody thinks of a passphrase.
        check_shares(authority.folder, mnemonics, _share_passphrase(args))
        question = _("New passphrase for {name}: ").format(name=neutralise(authority.name))
        passphrase = passphrase_of(args, context, question, again=_("The same once more: "))
        restore(authority.folder, mnemonics, passphrase, _share_passphrase(args))
        authority.unlock(passphrase).note("restore", present(context))
        said(N_("The shares opened the key; it has the new passphrase now."), context)
        return 0
    check_shares(authority.folder, mnemonics, _share_passphrase(args))
    said(N_("The shares open the key of {name}."), context, name=authority.name)
    if args.forget:
        forget(authority.folder)
        said(N_("From now on the shares alone open it."), context)
    return 0


def _shares(args: argparse.Namespace, context: Context) -> list[str]:
    from haidang.crypto.passphrases import from_file
    from haidang.crypto.pki.ceremony import needed, read_share

    if args.share_file:
        texts = [from_file(Path(path)).reveal().decode("utf-8", "replace") for path in args.share_file]
        return [read_share(text, place) for place, text in enumerate(texts, 1)]
    from haidang.crypto.passphrases import from_prompt

    def ask(question: str) -> str:
        return from_prompt(question).reveal().decode("utf-8", "replace")

    mnemonics = [type_share(1, ask, context)]
    while len(mnemonics) < needed(mnemonics[0]):
        mnemonics.append(type_share(len(mnemonics) + 1, ask, context))
    return mnemonics


def type_share(place: int, ask: Callable[[str], str], context: Context) -> str:
    """Return a share as it is typed, column by column; a column with a wrong word is asked for again.

    Raises:
        KeyAccessError: The columns do not fit together, or nothing more is typed.
    """
    from haidang.crypto.pki.ceremony import WORDS, check_words, read_share

    words: list[str] = []
    while len(words) < WORDS:
        question = context.translate("Share {place}, words {first} to {last} (they are not shown): ")
        first, last = len(words) + 1, min(len(words) + _ROW, WORDS)
        typed = ask(question.format(place=place, first=first, last=last))
        try:
            words += check_words(typed, place, first=first, count=last - first + 1)
        except KeyAccessError as error:
            context.say(error.diagnostics(context.translate))
    return read_share(" ".join(words), place)


def _occasion(authority: Authority, args: argparse.Namespace, context: Context) -> Occasion:
    from haidang.crypto.certificates import certificate_facts
    from haidang.crypto.keys import key_id
    from haidang.crypto.pki.ledger import public_key_of
    from haidang.crypto.pki.sheets import Occasion

    chain = authority.chain()
    digest = key_id(public_key_of(authority.records))
    return Occasion(
        certificate_facts(chain[0]).organisation if chain else authority.name,
        authority.name,
        f"{colons(digest[:32])} {colons(digest[32:])}",
        present(context).date(),
        bool(args.share_passphrase_file),
    )


def _share_passphrase(args: argparse.Namespace) -> Passphrase | None:
    from haidang.crypto.passphrases import from_file

    return from_file(Path(args.share_passphrase_file)) if args.share_passphrase_file else None


COMMAND = Command(
    name="pki ceremony",
    summary=N_("Split an authority's key among people, or restore it."),
    usage="split|check|restore AUTHORITY [OPTION]…",
    configure=configure,
    run=run,
)
