"""``haidang pki log``: shows what an authority did, proves that nothing was altered, writes checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._proofs import hand_out, kept_elsewhere, proof_options, say_proof
from haidang.cli.pki._options import authority_of
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
    proof_options(parser, translate)


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
    return hand_out(note, args, context)


def _verify(authority: Authority, args: argparse.Namespace, context: Context) -> int:
    from haidang.crypto.pki.ledger import audit

    unproved = N_("Only a checkpoint kept elsewhere shows an older copy of the folder: --checkpoint FILE.")
    return say_proof(audit(authority.records, kept_elsewhere(args)), args, context, unproved)


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
