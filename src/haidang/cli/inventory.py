"""``haidang inventory PATH…``: which keys, certificates and algorithms are in use, and what must move when.

The work is done by :mod:`haidang.crypto.inventory`; here are its options, and how its answer is written.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from haidang._version import __version__
from haidang.cli._command import Command, CommandParser, Context
from haidang.errors import InputError
from haidang.i18n import N_

if TYPE_CHECKING:
    import argparse

    from haidang.crypto.inventory.model import Inventory
    from haidang.crypto.settings import Horizons
    from haidang.i18n import Translator

__all__ = ["COMMAND"]

FORMATS = ("table", "html", "cbom")

EPILOG = N_(
    """Examples:
  haidang inventory /etc/ssl /srv/documents
  haidang inventory . --format html --output inventory.html
  haidang inventory . --format cbom --output cbom.json

Exit code 1 says that something must be done now."""
)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options."""
    _ = translate
    parser.epilog = _(EPILOG)
    parser.add_argument("paths", metavar="PATH", nargs="+", help=_("files and folders to look at"))
    parser.add_argument("--home", metavar="FOLDER", help=_("where settings.toml is, with the horizons"))
    parser.add_argument(
        "--format",
        choices=FORMATS,
        metavar="FORMAT",
        default="table",
        help=_("table, html or cbom (CycloneDX 1.6) (default: table)"),
    )
    parser.add_argument("--output", metavar="FILE", help=_("write to FILE instead of standard output"))
    parser.add_argument(
        "--all", action="store_true", help=_("list everything that was found, not only what is to be done")
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Look, judge and write; return the exit code.

    Raises:
        HaidangError: A path, the settings or the output is wrong.
    """
    from haidang.crypto.home import find_home
    from haidang.crypto.inventory.judging import judge
    from haidang.crypto.inventory.looking import find_assets
    from haidang.crypto.settings import load_settings

    for path in args.paths:
        if not Path(path).exists():
            raise InputError(f"{path} is not there", hint="Check the name.")
    horizons = load_settings(find_home(args.home, context.environ).settings).horizons
    now = dt.datetime.fromtimestamp(context.now() / 1e9, dt.UTC)
    found = judge(find_assets([Path(path) for path in args.paths]), horizons, now=now)
    _write(found, horizons, now, args, context)
    if any(one.severity == "error" for one in found.concerns):
        return 1
    return 3 if found.unread else 0


def _write(
    found: Inventory, horizons: Horizons, now: dt.datetime, args: argparse.Namespace, context: Context
) -> None:
    from haidang.crypto.files import write_whole

    if args.format == "table" and args.output is None:
        from rich.console import Console

        from haidang.crypto.inventory.table import print_inventory

        console = Console(no_color="NO_COLOR" in context.environ)
        print_inventory(found, console, context.translate, every=args.all)
        return
    content = _content(found, horizons, now, args, context).encode()
    if args.output in {None, "-"}:
        context.stdout.write(content)
    else:
        write_whole(Path(args.output), content)


def _content(
    found: Inventory, horizons: Horizons, now: dt.datetime, args: argparse.Namespace, context: Context
) -> str:
    if args.format == "html":
        from haidang.crypto.inventory.page import to_page

        return to_page(found, horizons, context.translate, now=now)
    if args.format == "cbom":
        from haidang.crypto.inventory.cbom import to_cbom

        return to_cbom(found, now=now, version=__version__) + "\n"
    import io

    from rich.console import Console

    from haidang.crypto.inventory.table import print_inventory

    text = io.StringIO()
    print_inventory(found, Console(file=text, width=160), context.translate, every=args.all)
    return text.getvalue()


COMMAND = Command(
    name="inventory",
    summary=N_("List keys, certificates and algorithms in use, until when, and what must move."),
    usage="[OPTION]… PATH…",
    configure=configure,
    run=run,
)
