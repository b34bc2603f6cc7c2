"""``haidang serve``: receive logs, detect, and serve the console, on one machine with nothing beside it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from haidang.cli._command import Command, Context
from haidang.errors import ConfigurationError
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import CommandParser
    from haidang.console.service.configuration import Configuration
    from haidang.i18n import Translator

__all__ = ["COMMAND"]

_PARTS = ("all", "receive", "console", "detect", "archive")
_PORT = 8220


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    network = parser.add_argument_group(translate("Network"))
    network.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help=translate("address to listen at (default: 127.0.0.1, this machine alone)"),
    )
    network.add_argument(
        "--port",
        metavar="PORT",
        type=int,
        default=_PORT,
        help=translate("port of the console and of the receivers over HTTP (default: 8220)"),
    )
    service = parser.add_argument_group(translate("Service"))
    service.add_argument(
        "--data",
        metavar="FOLDER",
        help=translate("folder of everything that the service keeps (default: $HAIDANG_DATA)"),
    )
    service.add_argument(
        "--config",
        metavar="FILE",
        help=translate(
            "file with syslog ports, files to follow and rules (default: serve.toml in the folder)"
        ),
    )
    service.add_argument(
        "--rules",
        metavar="PATH",
        action="append",
        default=[],
        help=translate("Sigma rules beside those of the file (repeatable; default: the built-in ones)"),
    )
    service.add_argument(
        "--part",
        metavar="PART",
        choices=_PARTS,
        default="all",
        help=translate("run one part alone: receive, console, detect or archive (default: all)"),
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve until SIGTERM or Ctrl+C.

    Raises:
        ConfigurationError: A setting is wrong, or a port cannot be opened.
    """
    if args.data:
        os.environ["HAIDANG_DATA"] = str(Path(args.data).absolute())
    from haidang.console.setup import set_up

    set_up()
    if not 0 <= args.port <= 65535:
        raise ConfigurationError(f"--port {args.port}", hint="Ports go from 1 to 65535.")
    configuration = _configuration(args)
    if args.part == "detect":
        return _detect(configuration)
    if args.part == "archive":
        return _archive(configuration)
    return _serve(args, configuration, context)


def _configuration(args: argparse.Namespace) -> Configuration:
    from haidang.console.service import places
    from haidang.console.service.configuration import Configuration, read_configuration

    path = Path(args.config) if args.config else places.configuration()
    found = read_configuration(path) if args.config or path.exists() else Configuration()
    return replace(found, rules=(*found.rules, *map(Path, args.rules)))


def _detect(configuration: Configuration) -> int:
    from haidang.console.service.detecting import detect
    from haidang.console.service.starting import migrate

    migrate()
    detect(configuration)
    return 0


def _archive(configuration: Configuration) -> int:
    from haidang.console.service.archiving import keep_archive

    if configuration.archive is None:
        raise ConfigurationError(
            "There is no archive to keep.", hint="Leave enabled = false out of [archive]."
        )
    keep_archive(configuration.archive)
    return 0


def _serve(args: argparse.Namespace, configuration: Configuration, context: Context) -> int:
    from django.conf import settings

    from haidang.console.service.receiving import receive
    from haidang.console.service.starting import FIRST_NAME, listen, make_first_person, migrate
    from haidang.console.service.supervising import Supervised

    _ = context.translate
    opened = listen(args.host, args.port)
    migrate()
    first = make_first_person(settings.DATA)
    if first is not None:
        context.say(
            _("The first administrator is {name}; the password is in {path}.").format(
                name=FIRST_NAME, path=first
            )
        )

    def started() -> None:
        host = f"[{args.host}]" if ":" in args.host else args.host
        context.say(
            _("Open {address} in a browser.").format(address=f"http://{host}:{opened.getsockname()[1]}/")
        )

    with ExitStack() as stack:
        stack.callback(opened.close)
        if args.part == "all":
            stack.enter_context(Supervised(_part("detect", args)))
            if configuration.archive is not None:
                stack.enter_context(Supervised(_part("archive", args)))
        # SIGTERM ends the service as Ctrl+C does: both are how it is meant to end.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        stack.enter_context(suppress(KeyboardInterrupt))
        receive(
            opened,
            configuration,
            console=args.part != "receive",
            receivers=args.part != "console",
            on_started=started,
        )
    return 0


def _part(name: str, args: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "haidang", "serve", "--part", name]
    if args.config:
        command += ["--config", args.config]
    for rules in args.rules:
        command += ["--rules", rules]
    return command


COMMAND = Command(
    name="serve",
    summary=N_("Receive logs, detect attacks, and serve the console."),
    usage="[OPTION]…",
    configure=configure,
    run=run,
)
