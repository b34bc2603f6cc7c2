"""``haidang pki log``: shows what an authority did, proves that nothing was altered, writes checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli.pki._options import authority_of, said, write_new
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.pki.authority import Authority
    from haidang.i18n import Translator

__all__ = ["COMMAND"]

_ACTS = {
    "create": N_("authority made"),
    "root": N_("root signed itself"),
    "accept": N_("certificate accepted"),
    "issue": N_("certificate issued"),
    "renew": N_("certificate renewed"),
    "revoke": N_("certificate revoked"),
    "crl": N_("revocation list published"),
    "parent-crl": N_("revocation list taken"),
    "split": N_("key split into shares"),
    "restore": N_("key restored from shares"),
    "passphrase": N_("passphrase changed"),
    "addressbook": N_("address book published"),
}
_LARGEST_NOTE = 1 << 20


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument(
        "what",
        metavar="show|verify|checkpoint",
        choices=["show", "verify", "checkpoint"],
        help=_("show the entries, verify them, or write a checkpoint for others to keep"),
    )
    parser.add_argument("authority", metavar="AUTHORITY", help=_("folder of the authority"))
    group = parser.add_argument_group(_("Inputs"))
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        action="append",
        default=[],
        help=_("with verify: a checkpoint that was kept elsewhere (repeatable)"),
    )
    output = parser.add_argument_group(_("Outputs"))
    output.add_argument(
        "--output", metavar="FILE", help=_("where the checkpoint is written (default: standard output)")
    )
    output.add_argument("--json", action="store_true", help=_("write JSON"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Do what is asked; 1 where the log does not hold.

    Raises:
        AuthorityError: There is no authority, or its records cannot be read.
        InputError: A checkpoint cannot be read.
    """
    with authority_of(args) as authority:
        if args.what == "show":
            return _show(authority, args, context)
        if args.what == "verify":
            return _verify(authority, args, context)
        note = authority.records.last_checkpoint()
    if args.output:
        write_new(args.output, note)
        said(
            N_("The checkpoint is in {file}. Keep it on another machine, or print it."),
            context,
            file=args.output,
        )
    else:
        context.stdout.write(note)
    return 0


def _verify(authority: Authority, args: argparse.Namespace, context: Context) -> int:
    from haidang.crypto.files import read_bounded
    from haidang.crypto.pki.ledger import audit

    kept = [read_bounded(Path(path), _LARGEST_NOTE) for path in args.checkpoint]
    found = audit(authority.records, kept)
    if args.json:
        answer = {
            "holds": found.holds,
            "entries": found.entries,
            "root": found.root.hex(),
            "reasons": [reason.to_json() for reason in found.reasons],
        }
        context.answer_json(answer)
        return 0 if found.holds else 1
    for reason in found.reasons:
        context.say(neutralise(reason.message.said(context.translate)))
    if found.holds:
        said(N_("The log holds: {n} entries, none altered, none missing."), context, n=found.entries)
        if not kept:
            said(
                N_("Only a checkpoint kept elsewhere shows an older copy of the folder: --checkpoint FILE."),
                context,
            )
        return 0
    context.say(neutralise(found.reasons[0].hint.said(context.translate)))
    return 1


def _show(authority: Authority, args: argparse.Namespace, context: Context) -> int:
    from haidang.crypto.pki.ledger import decode_entry

    entries = authority.records.entries()
    if args.json:
        for _number, entry in entries:
            context.stdout.write(entry + b"\n")
        return 0
    for number, entry in entries:
        about = decode_entry(entry)
        act = context.translate(_ACTS.get(str(about.get("act")), str(about.get("act"))))
        whom = about.get("name") or about.get("subject") or about.get("number") or ""
        whom = whom.get("CN", "") if isinstance(whom, dict) else whom
        context.stdout.write(
            f"{number:>5}  {about.get('time', '')}  {act:<28}  {neutralise(str(whom))}\n".encode()
        )
    return 0


COMMAND = Command(
    name="pki log",
    summary=N_("Show and prove what an authority did."),
    usage="show|verify|checkpoint AUTHORITY [OPTION]…",
    configure=configure,
    run=run,
)
