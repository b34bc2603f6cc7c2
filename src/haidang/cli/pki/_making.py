"""What the commands of ``haidang pki`` are told of what they make: names, keys, identities, authorities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from haidang.cli._protect_options import add_passphrase, passphrase_of
from haidang.cli.pki._options import add_authority
from haidang.errors import ConfigurationError
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import CommandParser, Context
    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.pki.founding import Founding
    from haidang.crypto.pki.identities import NewIdentity
    from haidang.crypto.pki.issuing import Places
    from haidang.crypto.pki.keyring import TokenChoice
    from haidang.i18n import Translator

__all__ = [
    "add_alternative_names",
    "add_founding",
    "add_key_kind",
    "add_subject",
    "founding_of",
    "new_passphrase_of",
    "subject_of",
    "wanted_identity",
]


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


def _token_of(args: argparse.Namespace, context: Context) -> TokenChoice | None:
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


def wanted_identity(args: argparse.Namespace, context: Context, *, sealing: bool) -> NewIdentity:
    """Return what the options say of a new identity; ``sealing`` is whether others are to seal to it.

    Raises:
        AuthorityError: The subject is none.
        ConfigurationError: An option is wrong.
    """
    from haidang.crypto.pki.identities import NewIdentity
    from haidang.crypto.pki.issuing import subject_name
    from haidang.crypto.pki.requests import alternative_names

    parts = subject_of(args)
    return NewIdentity(
        args.identity or _default_name(parts),
        subject_name(parts),
        args.algorithm,
        args.second,
        sealing and not args.token,
        alternative_names(args.host, args.mail),
        _token_of(args, context),
    )


def _default_name(parts: dict[str, str]) -> str:
    """Return what an identity is called where nobody says: its common name without signs between."""
    import re

    return re.sub(r"[^\w.@+-]+", "-", parts.get("CN", "")).strip("-.")[:64] or "identity"


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
        _token_of(args, context),
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
