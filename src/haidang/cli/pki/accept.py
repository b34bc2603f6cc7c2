"""``haidang pki accept``: takes what an authority sent back: certificates, revocation lists, or both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_home, add_passphrase, home_of, present
from haidang.cli.pki._options import authority_of, colons, said, say_certificate, unlocked
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from cryptography import x509

    from haidang.crypto.pki.identities import Bundle
    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.add_argument("file", metavar="FILE", help=_("what the authority sent (PEM)"))
    group = add_home(parser, translate)
    group.add_argument(
        "--as", dest="identity", metavar="NAME", default="", help=_("which identity it is for")
    )
    group.add_argument("--authority", metavar="DIR", help=_("it is for the issuing authority in this folder"))
    group.add_argument(
        "--root",
        metavar="FINGERPRINT",
        default="",
        help=_("believe the root with this fingerprint (SHA-256), as you have it from elsewhere"),
    )
    add_passphrase(group, translate)


def run(args: argparse.Namespace, context: Context) -> int:
    """Take it.

    Raises:
        InputError: The file cannot be read.
        AuthorityError: It is not for this key, or its root is another.
    """
    from haidang.crypto.pki.identities import accept_crls, accept_identity, read_bundle

    bundle = read_bundle(Path(args.file))
    if args.authority:
        path = _for_authority(bundle, args, context)
    elif not bundle.certificates:
        accept_crls(home_of(args, context), bundle.crls)
        said(N_("The revocation lists are taken."), context)
        return 0
    else:
        home = home_of(args, context)
        identity = home.identity(args.identity)
        path = accept_identity(home, identity, bundle, root=args.root, now=present(context))
        said(N_("The certificate of {name} is taken."), context, name=identity.name)
    if path:
        say_certificate(path[0], context)
        _say_root(path, args, context)
    return 0


def _for_authority(bundle: Bundle, args: argparse.Namespace, context: Context) -> list[x509.Certificate]:
    from haidang.crypto.pki.identities import parent_crls

    with authority_of(args) as authority:
        opened = unlocked(authority, args, context)
        known = bundle.certificates or [*authority.chain(), *authority.chain("second")]
        crls = parent_crls(bundle.crls, known)
        if bundle.certificates:
            opened.accept(bundle.certificates, crls, root=args.root, now=present(context))
            opened.publish_crl(now=present(context))
            said(N_("The authority {name} can issue now."), context, name=authority.name)
            return authority.chain()
        opened.accept_crls(crls, now=present(context))
        said(N_("The revocation lists are taken."), context)
    return []


def _say_root(path: list[x509.Certificate], args: argparse.Namespace, context: Context) -> None:
    from haidang.crypto.certificates import fingerprint
    from haidang.crypto.trust import load_trust

    root = fingerprint(path[-1])
    if args.root:
        said(N_("Its root has the fingerprint that you gave."), context)
        return
    said(N_("Its root has the fingerprint {root}"), context, root=colons(root))
    believed = () if args.authority else load_trust(home_of(args, context).trust).anchors
    if root not in map(fingerprint, believed):
        said(
            N_("If you have the same on paper, say --root FINGERPRINT; until then it is not believed."),
            context,
        )


COMMAND = Command(
    name="pki accept",
    summary=N_("Take what the authority sent: a certificate, revocation lists, or both."),
    usage="FILE [OPTION]…",
    configure=configure,
    run=run,
)
