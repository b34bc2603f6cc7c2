"""``haidang pki ocsp``: answers over HTTP whether certificates were revoked."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_key_options, home_of, passphrase_of
from haidang.cli.pki._options import add_authority, authority_of, said
from haidang.errors import AuthorityError, HaidangError
from haidang.i18n import N_
from haidang.plaintext import neutralise

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.pki.authority import Authority
    from haidang.crypto.pki.responder import Responder
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
    from haidang.crypto.pki.responder import answer, internal_error

    with authority_of(args) as authority:
        if not authority.chain():
            raise AuthorityError(
                N_("This authority has no certificate yet."),
                hint=N_("Have its request signed by the root, then: haidang pki accept."),
            )
        responders = _responders(authority, args, context)
        records = authority.records

        def respond(request: bytes) -> bytes:
            now = dt.datetime.fromtimestamp(context.now() / 1e9, dt.UTC)
            try:
                return answer(request, responders, records.status, now=now)
            except HaidangError as error:
                context.say(neutralise(error.diagnostics(context.translate)))
                return internal_error()

        with OcspServer(args.host, args.port, respond) as server:
            said(N_("Answering at {url} (Ctrl+C stops)."), context, url=f"http://{args.host}:{server.port}/")
            server.serve_forever()
    return 0


def _responders(authority: Authority, args: argparse.Namespace, context: Context) -> list[Responder]:
    """Return who answers for each chain of the authority; say where nobody does.

    Raises:
        AuthorityError: The identity may not answer for the authority.
    """
    from haidang.crypto.pki.responder import make_responder
    from haidang.crypto.signers import load_second, load_signatory

    identity = home_of(args, context).identity(args.identity)
    question = context.translate("Passphrase of {name}: ").format(name=identity.name)
    passphrase = passphrase_of(args, context, question)
    first = load_signatory(identity, passphrase)
    responders = [make_responder(authority.chain()[0], first.certificate, first.key)]
    above = authority.chain("second")
    if above and identity.second_certificate.is_file():
        second = load_second(identity, passphrase)
        responders.append(make_responder(above[0], second.certificate, second.key, "second"))
    elif above:
        said(
            N_("Nothing is answered about certificates of ML-DSA keys: {name} was issued without --second."),
            context,
            name=identity.name,
        )
    return responders


COMMAND = Command(
    name="pki ocsp",
    summary=N_("Answer over HTTP whether certificates were revoked (OCSP)."),
    usage="AUTHORITY [OPTION]…",
    configure=configure,
    run=run,
)
