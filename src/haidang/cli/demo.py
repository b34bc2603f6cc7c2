"""``haidang demo``: the console with a province that does not exist, and its story coming in live."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from haidang.cli._command import Command, Context
from haidang.errors import ConfigurationError
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.cli._command import CommandParser
    from haidang.i18n import Translator

__all__ = ["COMMAND"]

_PORT = 8220


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    options = parser.add_argument_group(translate("Network"))
    options.add_argument(
        "--port",
        metavar="PORT",
        type=int,
        default=_PORT,
        help=translate("port of the console (default: 8220)"),
    )
    options.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=float,
        default=120,
        help=translate("how long the story takes to come in (default: 120)"),
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Serve the demonstration on this machine alone, until Ctrl+C; what it kept is removed then.

    Raises:
        ConfigurationError: The port cannot be opened, or the sample logs are not there.
    """
    _ = context.translate
    from haidang.console.environment import Environment

    # Away from what a real service keeps, and from its database.
    folder = Environment(os.environ).folder().parent / f"demo-{secrets.token_hex(4)}"
    os.environ["HAIDANG_DATA"] = str(folder)
    os.environ.pop("DATABASE_URL", None)
    from haidang.console.setup import set_up

    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        set_up()
        _demonstrate(args, context, stack)
    context.say(_("The demonstration has ended; what it kept is removed."))
    return 0


def _demonstrate(args: argparse.Namespace, context: Context, stack: ExitStack) -> None:
    import signal
    from contextlib import suppress

    from haidang.console.demo import find_story, make_demo
    from haidang.console.service.configuration import Configuration
    from haidang.console.service.receiving import receive
    from haidang.console.service.replaying import Replay, comes_live, sample_logs
    from haidang.console.service.starting import listen, migrate
    from haidang.console.service.supervising import Supervised
    from haidang.console.sources.models import Source

    _ = context.translate
    logs = sample_logs()
    if logs is None:
        raise ConfigurationError(
            "the sample logs are not installed", hint="Run the demonstration from a checkout of the project."
        )
    opened = listen("127.0.0.1", args.port)
    stack.callback(opened.close)
    context.say(_("Preparing the demonstration …"))
    migrate()
    password = secrets.token_urlsafe(12)
    # What comes in live is not there before.
    story = [finding for finding in find_story(logs) if not comes_live(finding.source.path)]
    demo = make_demo(story, password)
    tokens = {}
    for source in Source.objects.select_related("unit"):
        tokens[source.unit.code] = source.new_token()
        source.save()
    address = f"http://127.0.0.1:{opened.getsockname()[1]}"
    replay = Replay(logs, address, tokens, seconds=args.seconds)

    def started() -> None:
        context.say(_("Open {address} in a browser.").format(address=f"{address}/"))
        context.say(
            _("Sign in as one of: {names}. The password is {password}").format(
                names=", ".join(demo.people), password=password
            )
        )
        replay.start()

    for part in ("detect", "archive"):
        stack.enter_context(Supervised([sys.executable, "-m", "haidang", "serve", "--part", part]))
    stack.callback(replay.stop)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stack.enter_context(suppress(KeyboardInterrupt))
    receive(opened, Configuration(), on_started=started)


COMMAND = Command(
    name="demo",
    summary=N_("Show the console with made data and a story that comes in live."),
    usage="[OPTION]…",
    configure=configure,
    run=run,
)
