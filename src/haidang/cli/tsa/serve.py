"""``haidang tsa serve``: answers requests for timestamps over HTTP until it is told to stop."""

from __future__ import annotations

import datetime as dt
import re
import signal
import threading
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli._protect_options import add_key_options, present, signatory_of
from haidang.errors import ConfigurationError
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.i18n import Translator

__all__ = ["COMMAND"]

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\s]+)):(\d{1,5})", re.ASCII)
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9]\d{0,38})){1,30}", re.ASCII)

EPILOG = N_(
    """Example:
  haidang tsa serve --as tsa --passphrase-file /etc/haidang/tsa.passphrase

Its key needs a certificate of the profile timestamp. It listens on this machine alone unless --listen
says otherwise; put a reverse proxy with TLS in front of it for other networks. SIGTERM or Ctrl+C stops it."""
)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.epilog = _(EPILOG)
    add_key_options(parser, translate)
    service = parser.add_argument_group(_("Service"))
    service.add_argument(
        "--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:3180",
        help=_("where to listen (default: 127.0.0.1:3180)"),
    )
    service.add_argument(
        "--policy", metavar="OID", help=_("policy that its timestamps state (default: 0.4.0.2023.1.1)")
    )
    service.add_argument(
        "--accuracy",
        metavar="SECONDS",
        type=float,
        default=1.0,
        help=_("how exact its clock is (default: 1)"),
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve until a signal; return 0.

    Raises:
        HaidangError: An option, the key or the address cannot be used.
    """
    from haidang.crypto.timestamps.authority import DEFAULT_POLICY, TimestampAuthority
    from haidang.crypto.timestamps.server import TimestampServer

    address = _address(args.listen, context)
    policy = args.policy or DEFAULT_POLICY
    if not _OID.fullmatch(policy):
        raise ConfigurationError(context.translate("{value} is no OID.").format(value=policy))
    if not 0.000001 <= args.accuracy <= 3600:
        raise ConfigurationError(context.translate("The accuracy is between 0.000001 and 3600 seconds."))
    authority = TimestampAuthority(
        signatory_of(args, context),
        clock=lambda: present(context),
        policy=policy,
        accuracy=dt.timedelta(seconds=args.accuracy),
    )
    with TimestampServer(authority, address, log=context.say) as server:
        _stop_on_signal(server)
        host, port = server.server_address[:2]
        said = context.translate("Listening on http://{host}:{port}. Ctrl+C stops it.")
        context.say(said.format(host=host, port=port))
        server.serve_forever(poll_interval=0.2)
    context.say(context.translate("Stopped."))
    return 0


def _address(text: str, context: Context) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[3]) > 65_535:
        raise ConfigurationError(
            context.translate("{value} is no address.").format(value=text),
            hint=context.translate("Write HOST:PORT, e.g. 127.0.0.1:3180."),
        )
    return match[1] or match[2], int(match[3])


def _stop_on_signal(server: object) -> None:
    """Have SIGTERM and SIGINT stop the server, from another thread, as it demands."""

    def stop(*_: object) -> None:
        threading.Thread(target=server.stop, daemon=True).start()  # type: ignore[attr-defined]

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)


COMMAND = Command(
    name="tsa serve",
    summary=N_("Answer requests for timestamps (RFC 3161) over HTTP."),
    usage="[OPTION]…",
    configure=configure,
    run=run,
)
