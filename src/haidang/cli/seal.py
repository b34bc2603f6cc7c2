"""``haidang seal --to NAME… PATH…``: signs files and folders, and encrypts them to people and units.

The work is done by :mod:`haidang.crypto.sealing`; here are its options, and how its answer is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import (
    add_authorities,
    add_key_options,
    home_of,
    present,
    settings_of,
    signatory_of,
    timestamper_of,
)
from haidang.errors import ConfigurationError
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse
    import datetime as dt
    from collections.abc import Sequence

    from haidang.crypto.sealing import Recipient, SealOptions
    from haidang.crypto.sealing.recipients import RecipientBook
    from haidang.i18n import Translator

__all__ = ["COMMAND", "SUFFIX"]

SUFFIX = ".age"

EPILOG = N_(
    """Examples:
  haidang seal --to "Trần Văn Bình" report.pdf
  haidang seal --to "Phòng Tổ chức" --to-self --label TLP:AMBER --expires 2026-12-31 staff/
  haidang seal --recipients keys.txt --output sealed/ *.pdf
  haidang seal --to-certificate binh.pem report.pdf     for who has only a certificate: S/MIME

The sealed file is an age file: haidang open and the age program open it.
Exit codes: 0 done, 2 wrong usage, a key or recipient that cannot be used, or what cannot be sealed."""
)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.set_defaults(command="seal")
    parser.epilog = _(EPILOG)
    inputs = parser.add_argument_group(_("Inputs"))
    inputs.add_argument(
        "paths", metavar="PATH", nargs="+", help=_("files and folders; each is sealed by itself")
    )
    to = parser.add_argument_group(_("Recipients"))
    to.add_argument(
        "--to",
        metavar="NAME",
        action="append",
        default=[],
        help=_("a person or unit of the address book or of --recipients (repeatable)"),
    )
    to.add_argument("--to-self", action="store_true", help=_("to yourself, too"))
    to.add_argument(
        "--recipients",
        metavar="FILE",
        action="append",
        default=[],
        help=_("a recipients file of the age program; without --to, to everybody in it"),
    )
    to.add_argument(
        "--to-certificate",
        metavar="FILE",
        action="append",
        default=[],
        help=_("as a sealed mail (S/MIME) to the holders of the certificates in FILE; files only"),
    )
    said = parser.add_argument_group(_("What the receiver is told"))
    said.add_argument("--subject", metavar="TEXT", default="", help=_("what it is about"))
    said.add_argument(
        "--label",
        metavar="LABEL",
        action="append",
        default=[],
        help=_("a marking, e.g. TLP:AMBER (repeatable)"),
    )
    said.add_argument("--for-your-eyes", action="store_true", help=_("for the named recipients' eyes only"))
    said.add_argument("--expires", metavar="TIME", help=_("not to be used after this moment"))
    add_key_options(parser, translate)
    add_authorities(parser.add_argument_group(_("Timestamps")), translate)
    outputs = parser.add_argument_group(_("Outputs"))
    outputs.add_argument(
        "--output",
        metavar="PATH",
        help=_("the sealed file, or a folder for them (default: beside each PATH)"),
    )
    outputs.add_argument("--json", action="store_true", help=_("write what was sealed as JSON"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Seal each path; return the exit code.

    Raises:
        HaidangError: Something cannot be sealed; what was sealed before it stays.
    """
    now = present(context)
    sources = [Path(name) for name in args.paths]
    if args.to_certificate:
        return _seal_mails(args, sources, context, now)
    recipients = _recipients(args, context, now)
    targets = _targets(sources, args.output, SUFFIX)
    options = _options(args, context)
    signatory = signatory_of(args, context)
    from haidang.cli._inquiry import wants_colour
    from haidang.crypto.sealing import seal
    from haidang.crypto.sealing.wording import envelope_lines, heading

    sealed = []
    for source, target in zip(sources, targets, strict=True):
        envelope = seal(source, target, signatory, recipients, now=now, options=options)
        sealed.append({"sealed": str(target), "envelope": envelope.to_json()})
        if not args.json:
            context.answer(heading("✔", str(target), colour=wants_colour(context, None)) + "\n")
            for line in envelope_lines(envelope, context.translate):
                context.answer(f"{line}\n")
    if args.json:
        context.answer_json({"schema": "haidang-sealed-1", "files": sealed}, indent=1)
    return 0


def _recipients(args: argparse.Namespace, context: Context, now: dt.datetime) -> list[Recipient]:
    """Return whom the options name.

    Raises:
        SealError: Somebody is not known, or nobody is named.
    """
    from haidang.crypto.sealing.recipients import RecipientsFile, find_recipients, of_files, of_identity

    files = [RecipientsFile(Path(name)) for name in args.recipients]
    found: list[Recipient] = []
    if args.to:
        books: list[RecipientBook] = [*files, *_address_books(args, context)]
        found += find_recipients(args.to, books, now=now)
    if files and not args.to:
        found += of_files(files, now=now)
    if args.to_self:
        found.append(of_identity(home_of(args, context).identity(args.identity)))
    return list({one.key: one for one in found}.values())


def _address_books(args: argparse.Namespace, context: Context) -> list[RecipientBook]:
    """Return the address book of the home, where it has one.

    This is the one place where sealing meets :mod:`haidang.crypto.addressbook`.
    """
    from haidang.crypto.addressbook import open_book

    book = open_book(home_of(args, context))
    return [] if book is None else [book]


def _options(args: argparse.Namespace, context: Context) -> SealOptions:
    from haidang.crypto.sealing import SealOptions

    expires = None
    if args.expires:
        import datetime as dt

        from haidang.cli._moments import moment_ns

        expires = _end_of_day(args.expires)
        if expires is None:
            seconds = moment_ns(args.expires, now=context.now(), end=True) // 1_000_000_000
            expires = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return SealOptions(
        expires=expires,
        labels=tuple(args.label),
        for_your_eyes=args.for_your_eyes,
        subject=args.subject,
        marking=settings_of(args, context).marking,
        timestamper=timestamper_of(args, context, needed=False),
    )


def _seal_mails(args: argparse.Namespace, sources: Sequence[Path], context: Context, now: dt.datetime) -> int:
    """Seal each file as S/MIME to certificates.

    Raises:
        HaidangError: Something cannot be sealed.
    """
    from haidang.crypto.certificates import read_certificates
    from haidang.crypto.sealing.smime import seal_mail

    translate = context.translate
    if args.to or args.to_self or args.recipients:
        raise ConfigurationError(
            translate("--to-certificate does not go with --to, --to-self and --recipients.")
        )
    if args.label or args.expires or args.for_your_eyes:
        raise ConfigurationError(
            translate("A sealed mail cannot carry --label, --expires and --for-your-eyes.")
        )
    certificates = [one for name in args.to_certificate for one in read_certificates(Path(name))[:1]]
    targets = _targets(sources, args.output, ".eml")
    signatory = signatory_of(args, context)
    for source, target in zip(sources, targets, strict=True):
        seal_mail(source, target, signatory, certificates, now=now, subject=args.subject)
        context.answer(f"✔ {target}\n")
    return 0


def _targets(sources: Sequence[Path], output: str | None, suffix: str) -> list[Path]:
    """Return where each sealed file goes.

    Raises:
        ConfigurationError: Several would go to one file, or the folder is not there.
    """
    if output is None:
        return [source.parent / f"{source.resolve().name}{suffix}" for source in sources]
    place = Path(output)
    if place.is_dir():
        targets = [place / f"{source.resolve().name}{suffix}" for source in sources]
        if len(set(targets)) != len(targets):
            raise ConfigurationError("two of the paths have the same name", hint="Seal them one by one.")
        return targets
    if len(sources) > 1 or output.endswith("/"):
        raise ConfigurationError(f"{output} is not a folder", hint="Make it first.")
    return [place]


def _end_of_day(text: str) -> dt.datetime | None:
    """Return the end of a day as people here count days, in UTC; None for what is no day alone."""
    import datetime as dt

    try:
        day = dt.date.fromisoformat(text.strip())
    except ValueError:
        return None
    return dt.datetime.combine(day, dt.time(23, 59, 59)).astimezone(dt.UTC)


COMMAND = Command(
    name="seal",
    summary=N_("Sign files and folders, and encrypt them to people and units."),
    usage="--to NAME… [OPTION]… PATH…",
    configure=configure,
    run=run,
)
