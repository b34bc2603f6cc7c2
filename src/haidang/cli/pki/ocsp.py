"""``haidang pki ocsp``: answers over HTTP whether certificates were revoked."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_key_options, home_of, passphrase_of
from haidang.cli.pki._options import add_authority, authority_of, said
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    add_authority(parser, translate)
    add_key_options(parser, translate)
    group = parser.add_argument_group(_("The service"))
    group.add_argument(
        "--host", metavar="ADDRESS", default="127.0.0.1", help=_("where it listens (default: 127.0.0.1)")
    )
    group.add_argument("--port", metavar="N", type=int, default=8888, help=_("on which port (default: 8888)"))


def run(args: argparse.Namespace, context: Context) -> int:
    """Answer until stopped.

    Raises:
        AuthorityError: The identity may not answer for the authority.
        OutputError: The address cannot be used.
    """
    from haidang.crypto.pki.ocsp_server import OcspServer
    from haidang.crypto.pki.responder import answer, make_responder
    from haidang.crypto.signers import load_signatory

    _ = context.translate
    identity = home_of(args, context).identity(args.identity)
    question = _("Passphrase of {name}: ").format(name=identity.name)
    signatory = load_signatory(identity, passphrase_of(args, context, question))
    with authority_of(args) as authority:
        responder = make_responder(authority.chain()[0], signatory.certificate, signatory.key)
        records = authority.records

        def respond(request: bytes) -> bytes:
            now = dt.datetime.fromtimestamp(context.now() / 1e9, dt.UTC)
            return answer(request, responder, records.status, now=now)

        with OcspServer(args.host, args.port, respond) as server:
            said(N_("Answering at {url} (Ctrl+C stops)."), context, url=f"http://{args.host}:{server.port}/")
            server.serve_forever()
    return 0


COMMAND = Command(
    name="pki ocsp",
    summary=N_("Answer over HTTP whether certificates were revoked (OCSP)."),
    usage="AUTHORITY [OPTION]…",
    configure=configure,
    run=run,
)
