"""What the commands of ``haidang pki`` share: which authority is meant, and how they say what was done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.cli._protect_options import passphrase_of
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from cryptography import x509

    from haidang.cli._command import CommandParser, Context
    from haidang.crypto.pki.authority import Authority, OpenAuthority
    from haidang.i18n import Translator

__all__ = [
    "add_authority",
    "add_days",
    "authority_of",
    "colons",
    "said",
    "say_certificate",
    "unlocked",
    "write_new",
]

PROFILES = {
    "root": N_("root authority"),
    "issuing": N_("issuing authority"),
    "person": N_("person who signs"),
    "unit": N_("unit that signs"),
    "mail": N_("sealed mail"),
    "server": N_("server"),
    "service": N_("service"),
    "timestamp": N_("time stamping authority"),
    "ocsp": N_("revocation answers"),
}


def add_authority(parser: CommandParser, translate: Translator) -> None:
    """Add the authority's folder, which comes first."""
    parser.add_argument("authority", metavar="AUTHORITY", help=translate("folder of the authority"))


def authority_of(args: argparse.Namespace) -> Authority:
    """Return the authority of the first argument, its keys locked.

    Raises:
        AuthorityError: There is none, or it is damaged.
    """
    from haidang.crypto.pki.authority import open_authority

    return open_authority(Path(args.authority))


def unlocked(authority: Authority, args: argparse.Namespace, context: Context) -> OpenAuthority:
    """Return the authority with open keys, asking for the passphrase.

    Raises:
        KeyAccessError: The passphrase is wrong or cannot be had.
    """
    _ = context.translate
    template = (
        _("PIN of the token of {name}: ")
        if (authority.folder / "token.json").is_file()
        else _("Passphrase of the authority {name}: ")
    )
    question = template.format(name=neutralise(authority.name))
    return authority.unlock(passphrase_of(args, context, question))


def add_days(group: argparse._ArgumentGroup, translate: Translator) -> None:
    """Add how long a certificate is valid."""
    group.add_argument(
        "--days", metavar="N", type=int, help=translate("how long it is valid, at most as the profile says")
    )


def say_certificate(certificate: x509.Certificate, context: Context) -> None:
    """Say whom a certificate names, until when, and its fingerprint."""
    from haidang.crypto.certificates import certificate_facts

    _ = context.translate
    facts = certificate_facts(certificate)
    rows = (
        (_("Name"), facts.name),
        (_("Unit"), facts.unit),
        (_("Body"), facts.organisation),
        (_("Valid until"), facts.not_after.date().isoformat()),
        (_("Serial number"), facts.serial),
        (_("Key"), facts.algorithm),
        (_("Fingerprint (SHA-256)"), colons(facts.sha256)),
    )
    wide = max(len(label) for label, _value in rows)
    for label, value in rows:
        if value:
            context.say(f"  {label:<{wide}}  {neutralise(value)}")


def colons(digest: str) -> str:
    """Return a fingerprint as openssl prints it, so that people can compare the two."""
    return ":".join(digest[i : i + 2].upper() for i in range(0, len(digest), 2))


def said(template: str, context: Context, **values: Any) -> None:
    """Say one sentence; the values may hold what others wrote."""
    context.say(context.translate(template).format(**{k: neutralise(str(v)) for k, v in values.items()}))


def write_new(path: str, content: bytes, *, replace: bool = False) -> None:
    """Write a file that others may read; it must not be there yet unless it may be replaced.

    Raises:
        OutputError: It is there, or cannot be written.
    """
    from haidang.crypto.files import write_whole

    write_whole(Path(path), content, replace=replace)
