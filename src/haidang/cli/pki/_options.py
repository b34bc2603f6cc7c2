"""What the commands of ``haidang pki`` share: which authority, whom a certificate names, how one is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from haidang.cli._protect_options import add_passphrase, passphrase_of
from haidang.errors import ConfigurationError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from cryptography import x509

    from haidang.cli._command import CommandParser, Context
    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.pki.authority import Authority, OpenAuthority
    from haidang.crypto.pki.founding import Founding
    from haidang.crypto.pki.issuing import Places
    from haidang.crypto.pki.keyring import TokenChoice
    from haidang.i18n import Translator

__all__ = [
    "add_alternative_names",
    "add_authority",
    "add_days",
    "add_founding",
    "add_key_kind",
    "add_subject",
    "authority_of",
    "colons",
    "founding_of",
    "new_passphrase_of",
    "said",
    "say_certificate",
    "subject_of",
    "token_of",
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


def add_subject(parser: CommandParser, translate: Translator) -> argparse._ArgumentGroup:
    """Add whom or what a certificate names."""
    _ = translate
    group = parser.add_argument_group(_("Whom it names"))
    for option, part, metavar, text in (
        ("--name", "CN", "NAME", _("name of the person, unit, server or authority")),
        ("--organisation", "O", "NAME", _("name of the public body")),
        ("--unit", "OU", "NAME", _("unit within the body")),
        ("--title", "title", "TITLE", _("title of the person")),
        ("--country", "C", "CODE", _("country, two letters (default: VN)")),
    ):
        group.add_argument(option, dest=f"subject_{part}", metavar=metavar, help=text)
    group.add_argument(
        "--subject",
        metavar="PART=VALUE",
        action="append",
        default=[],
        help=_("a further part: L, ST, serialNumber, emailAddress (repeatable)"),
    )
    return group


def add_alternative_names(group: argparse._ArgumentGroup, translate: Translator) -> None:
    """Add hosts and mail addresses that a certificate names."""
    _ = translate
    group.add_argument(
        "--host", metavar="NAME", action="append", default=[], help=_("host name or address (repeatable)")
    )
    group.add_argument(
        "--mail", metavar="ADDRESS", action="append", default=[], help=_("mail address (repeatable)")
    )


def add_days(group: argparse._ArgumentGroup, translate: Translator) -> None:
    """Add how long a certificate is valid."""
    group.add_argument(
        "--days", metavar="N", type=int, help=translate("how long it is valid, at most as the profile says")
    )


def subject_of(args: argparse.Namespace) -> dict[str, str]:
    """Return the parts of the subject that the options name; none where none does.

    Raises:
        ConfigurationError: A part is not PART=VALUE.
    """
    parts: dict[str, str] = {}
    for part in ("CN", "O", "OU", "title", "C"):
        value = getattr(args, f"subject_{part}")
        if value:
            parts[part] = value
    for one in args.subject:
        part, equals, value = one.partition("=")
        if not equals or not value:
            raise ConfigurationError(f"--subject {one}: PART=VALUE is needed", hint="E.g. --subject L=Hà Nội")
        parts[part] = value
    return {"C": "VN", **parts} if parts else {}


def add_key_kind(group: argparse._ArgumentGroup, translate: Translator) -> None:
    """Add of which kind a new key is, and where it is made."""
    from haidang.crypto.keys import ALGORITHMS

    _ = translate
    group.add_argument(
        "--algorithm",
        metavar="NAME",
        choices=[one for one in ALGORITHMS if one != "ml-dsa-65"],
        default="ecdsa-p256",
        help=_("ecdsa-p256 (default), ecdsa-p384, rsa-3072 or rsa-4096"),
    )
    group.add_argument(
        "--second",
        action="store_true",
        help=_("make an ML-DSA-65 key beside it, for second signatures"),
    )
    group.add_argument(
        "--token-library",
        metavar="FILE",
        help=_("make the key in a PKCS#11 token, which FILE speaks to; the passphrase is its PIN"),
    )
    group.add_argument("--token", metavar="LABEL", help=_("label of the token"))


def token_of(args: argparse.Namespace, context: Context) -> TokenChoice | None:
    """Return the token of ``--token-library`` and ``--token``.

    Raises:
        ConfigurationError: Only one of them is given.
    """
    from haidang.crypto.pki.keyring import TokenChoice

    if not args.token_library and not args.token:
        return None
    if not args.token_library or not args.token:
        raise ConfigurationError(
            context.translate("--token-library and --token go together."),
            hint=context.translate("See {command} --help.").format(command="haidang pki"),
        )
    return TokenChoice(Path(args.token_library), args.token)


def add_founding(parser: CommandParser, translate: Translator) -> argparse._ArgumentGroup:
    """Add what a new authority is made of; return the group of its key, for more options."""
    add_authority(parser, translate)
    add_subject(parser, translate)
    keys = parser.add_argument_group(translate("Its key"))
    add_key_kind(keys, translate)
    add_passphrase(keys, translate)
    _add_places(parser, translate)
    return keys


def founding_of(
    kind: Literal["root", "issuing"], args: argparse.Namespace, context: Context, days: int | None = None
) -> tuple[Founding, Passphrase]:
    """Return what the options say of a new authority, and the passphrase of its key.

    Raises:
        ConfigurationError: An option is wrong.
    """
    from haidang.crypto.pki.founding import Founding

    founding = Founding(
        kind,
        subject_of(args),
        args.algorithm,
        args.second,
        token_of(args, context),
        _places_of(args),
        days,
    )
    return founding, new_passphrase_of(args, context, founding.subject.get("CN", args.authority))


def _add_places(parser: CommandParser, translate: Translator) -> None:
    _ = translate
    group = parser.add_argument_group(_("Where it publishes (written into certificates)"))
    group.add_argument(
        "--crl-url", metavar="URL", action="append", default=[], help=_("its revocation list (repeatable)")
    )
    group.add_argument(
        "--ocsp-url",
        metavar="URL",
        action="append",
        default=[],
        help=_("its revocation answers (repeatable)"),
    )
    group.add_argument(
        "--issuer-url", metavar="URL", action="append", default=[], help=_("its own certificate (repeatable)")
    )


def _places_of(args: argparse.Namespace) -> Places:
    from urllib.parse import urlsplit

    from haidang.crypto.pki.issuing import Places

    for url in (*args.crl_url, *args.ocsp_url, *args.issuer_url):
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https", "ldap"} or not parts.netloc or not url.isascii():
            raise ConfigurationError(f"{url} is no address", hint="E.g. http://pki.example.vn/goc.crl")
    return Places(args.crl_url, args.ocsp_url, args.issuer_url)


def new_passphrase_of(args: argparse.Namespace, context: Context, name: str) -> Passphrase:
    """Return the passphrase of a new key: of a file, of a credential, or typed twice.

    For a token it is the PIN that the token has: it is asked for once.
    """
    _ = context.translate
    if args.token:
        return passphrase_of(args, context, _("PIN of the token {token}: ").format(token=args.token))
    question = _("New passphrase for {name}: ").format(name=neutralise(name))
    return passphrase_of(args, context, question, again=_("The same once more: "))


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
