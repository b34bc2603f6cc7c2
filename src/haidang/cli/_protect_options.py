"""What the commands of the cryptographic service share: whose folder, whose key, which passphrase, what time.

Rules:

- A passphrase is asked for once a run, whatever it opens; it comes from a file of the user or a credential of
  the service where one is named, and never from an argument or the environment.
- The present comes from the context, so that tests can set it.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.errors import ConfigurationError
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import CommandParser, Context
    from haidang.crypto.home import Home
    from haidang.crypto.passphrases import Passphrase
    from haidang.crypto.settings import Settings
    from haidang.crypto.signers import Signatory
    from haidang.crypto.trust import Trust
    from haidang.i18n import Translator

__all__ = [
    "add_authorities",
    "add_home",
    "add_key_options",
    "add_passphrase",
    "add_pdf_password",
    "home_of",
    "passphrase_of",
    "pdf_password_of",
    "present",
    "settings_of",
    "signatory_of",
    "timestamper_of",
    "trust_of",
]


def add_home(parser: CommandParser, translate: Translator) -> argparse._ArgumentGroup:
    """Add ``--home``; return the group, for more options about whom the command speaks for."""
    _ = translate
    group = parser.add_argument_group(_("Keys and trust"))
    group.add_argument(
        "--home",
        metavar="DIR",
        help=_("folder of keys and trust (default: $HAIDANG_HOME, or haidang/protect in your data)"),
    )
    return group


def add_passphrase(group: argparse._ArgumentGroup, translate: Translator) -> None:
    """Add where a passphrase comes from, if it is not asked for."""
    _ = translate
    group.add_argument(
        "--passphrase-file",
        metavar="FILE",
        help=_("read the passphrase from FILE, which nobody else may read"),
    )
    group.add_argument(
        "--credential",
        metavar="NAME",
        help=_("take the passphrase from the systemd credential NAME"),
    )


def add_key_options(parser: CommandParser, translate: Translator) -> argparse._ArgumentGroup:
    """Add ``--home``, ``--as``, ``--passphrase-file`` and ``--credential``; return their group."""
    _ = translate
    group = add_home(parser, translate)
    group.add_argument(
        "--as",
        dest="identity",
        metavar="NAME",
        default="",
        help=_("which identity of the folder to use (needed where there are several)"),
    )
    add_passphrase(group, translate)
    return group


def add_pdf_password(group: CommandParser | argparse._ArgumentGroup, translate: Translator) -> None:
    """Add where the password of encrypted PDF files comes from; without either, they are not opened."""
    _ = translate
    group.add_argument(
        "--pdf-password-file",
        metavar="FILE",
        help=_("read the password of encrypted PDF files from FILE, which nobody else may read"),
    )
    group.add_argument(
        "--ask-pdf-password", action="store_true", help=_("ask for the password of encrypted PDF files")
    )


def pdf_password_of(args: argparse.Namespace, context: Context) -> Passphrase | None:
    """Return the password of encrypted PDF files: of the file, or as it is typed; None without either.

    Args:
        args: has ``pdf_password_file`` and ``ask_pdf_password``.
        context: what the person reads.

    Raises:
        ConfigurationError: Both are asked for.
        KeyAccessError: It cannot be had.
    """
    from haidang.crypto.passphrases import from_file, from_prompt

    if args.pdf_password_file and args.ask_pdf_password:
        raise ConfigurationError(
            context.translate("--pdf-password-file and --ask-pdf-password exclude each other.")
        )
    if args.pdf_password_file:
        return from_file(Path(args.pdf_password_file))
    if args.ask_pdf_password:
        return from_prompt(
            context.translate("Password of the PDF files: "), otherwise=N_("Use --pdf-password-file FILE.")
        )
    return None


def add_authorities(parser: CommandParser | argparse._ArgumentGroup, translate: Translator) -> None:
    """Add ``--tsa``."""
    _ = translate
    parser.add_argument(
        "--tsa",
        metavar="URL",
        action="append",
        default=[],
        help=_("time stamping authority (repeatable; default: those of settings.toml)"),
    )


def timestamper_of(args: argparse.Namespace, context: Context, *, needed: bool) -> Any:
    """Return what asks the time stamping authorities of ``--tsa`` or the settings (a ``TimeStamper``).

    Args:
        args: has ``tsa`` and ``home``.
        context: where the clock is, and what the person reads.
        needed: whether it is an error that no authority is named; else None is returned.

    Raises:
        ConfigurationError: No authority is named, or an address is none.
    """
    from haidang.crypto.timestamps.client import timestamper_for

    settings = settings_of(args, context).timestamps
    urls = tuple(args.tsa) or settings.authorities
    if not urls:
        if needed:
            raise ConfigurationError(
                context.translate("No time stamping authority is named."),
                hint=context.translate("Use --tsa URL, or [timestamps] authorities in settings.toml."),
            )
        return None
    trust = trust_of(args, context)
    return timestamper_for(
        urls, settings, clock=lambda: present(context), trust=trust if trust.anchors else None
    )


def home_of(args: argparse.Namespace, context: Context) -> Home:
    """Return the folder that the command works with."""
    from haidang.crypto.home import find_home

    return find_home(args.home, context.environ)


def present(context: Context) -> dt.datetime:
    """Return the present, aware, in UTC."""
    return dt.datetime.fromtimestamp(context.now() / 1e9, dt.UTC)


def passphrase_of(
    args: argparse.Namespace, context: Context, question: str, *, again: str = ""
) -> Passphrase:
    """Return the passphrase: of the file, of the credential, or as it is typed.

    Args:
        args: has ``passphrase_file`` and ``credential``.
        context: where the credentials of the service are, and what the person reads.
        question: what to ask the person, already translated.
        again: what to ask for the second time, for a new passphrase.

    Raises:
        ConfigurationError: Both a file and a credential are named.
        KeyAccessError: It cannot be had.
    """
    from haidang.crypto.passphrases import from_credential, from_file, from_prompt

    if args.passphrase_file and args.credential:
        raise ConfigurationError(context.translate("--passphrase-file and --credential exclude each other."))
    if args.passphrase_file:
        return from_file(Path(args.passphrase_file))
    if args.credential:
        return from_credential(args.credential, context.environ)
    return from_prompt(question, again=again)


def signatory_of(args: argparse.Namespace, context: Context) -> Signatory:
    """Return the key and certificates of ``--as`` (or of the only identity), asking for the passphrase.

    Raises:
        KeyAccessError: There is no such identity, or its key cannot be used.
    """
    from haidang.crypto.signers import load_signatory

    identity = home_of(args, context).identity(args.identity)
    question = context.translate("Passphrase of {name}: ").format(name=identity.name)
    return load_signatory(identity, passphrase_of(args, context, question))


def trust_of(args: argparse.Namespace, context: Context) -> Trust:
    """Return what the folder believes.

    Raises:
        InputError: A file in it is not sound.
    """
    from haidang.crypto.trust import load_trust

    return load_trust(home_of(args, context).trust)


def settings_of(args: argparse.Namespace, context: Context) -> Settings:
    """Return the settings of the folder.

    Raises:
        ConfigurationError: They are not sound.
    """
    from haidang.crypto.settings import load_settings

    return load_settings(home_of(args, context).settings)
