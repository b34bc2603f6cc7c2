"""``haidang intel ACTION``: keeps sources of indicators, and packs them for networks without a connection.

The work is done by :mod:`haidang.intel`; here arguments become settings, and accounts become words.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from haidang.cli._command import Command, CommandParser, Context
from haidang.cli.intel import _finding, _packs, _sources
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.i18n import Translator

__all__ = ["COMMAND"]

_ACTIONS: dict[str, Callable[[argparse.Namespace, Context], int]] = {
    "add": _sources.add,
    "find": _finding.find,
    "import": _packs.import_pack,
    "keygen": _packs.keygen,
    "list": _sources.list_sources,
    "pack": _packs.make,
    "remove": _sources.remove,
    "update": _sources.update,
}
EPILOG = N_(
    """Examples:
  haidang intel add indicators.json --confidence 80 --tlp amber
  haidang intel add https://taxii.example/api/ --collection ID --token-file token
  haidang intel list
  haidang intel find 198.51.100.7 evil.example
  haidang intel update
  haidang intel remove indicators
  haidang intel keygen pack.key
  haidang intel pack weekly.zip --key pack.key --rules rules/
  haidang intel import weekly.zip --trust pack.key.pub"""
)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the actions and their options."""
    _ = translate
    parser.epilog = _(EPILOG)
    action = parser.add_argument_group(_("What to do"))
    action.add_argument(
        "action",
        metavar="ACTION",
        choices=sorted(_ACTIONS),
        help=_("add, list, update or remove sources; find a value; keygen, pack or import for packs"),
    )
    action.add_argument(
        "what",
        metavar="WHAT",
        nargs="*",
        help=_("what to add (files or URLs), names of sources, values to find, or a file"),
    )
    source = parser.add_argument_group(_("A source (add)"))
    source.add_argument(
        "--name", metavar="NAME", help=_("name of the source or pack (default: from its address)")
    )
    source.add_argument(
        "--kind", metavar="KIND", help=_("stix, misp, csv, json, list, taxii, misp-feed or warninglist")
    )
    source.add_argument(
        "--collection", metavar="ID", default="", help=_("TAXII collection: its id, alias or title")
    )
    source.add_argument(
        "--confidence",
        metavar="N",
        type=_number(0, 100, _),
        default=-1,
        help=_("confidence (0 to 100) of indicators that have none of their own"),
    )
    source.add_argument(
        "--tlp",
        metavar="TLP",
        default="",
        help=_("TLP of indicators that have none: clear, green, amber, amber+strict, red"),
    )
    source.add_argument(
        "--expires",
        metavar="DAYS",
        type=_number(1, 36500, _),
        default=0,
        help=_("days after which indicators without an end of their own end"),
    )
    source.add_argument("--user", metavar="USER", default="", help=_("user name for the server"))
    source.add_argument(
        "--password-file", metavar="FILE", default="", help=_("file with the password for the server")
    )
    source.add_argument(
        "--token-file", metavar="FILE", default="", help=_("file with a token for the server")
    )
    source.add_argument(
        "--token-header",
        metavar="HEADER",
        default="",
        help=_("header that holds the token as it is, e.g. Auth-Key (default: Authorization: Bearer)"),
    )
    pack = parser.add_argument_group(_("Packs"))
    pack.add_argument("--key", metavar="FILE", help=_("private key that signs a pack"))
    pack.add_argument("--trust", metavar="FILE", help=_("public key that a pack must be signed with"))
    pack.add_argument(
        "--rules",
        metavar="PATH",
        action="append",
        default=[],
        help=_("rules to put into the pack (repeatable)"),
    )
    pack.add_argument(
        "--source",
        metavar="NAME",
        action="append",
        default=[],
        help=_("only this source goes into the pack (repeatable; default: all)"),
    )
    pack.add_argument(
        "--allow-older", action="store_true", help=_("import a pack that is older than the one before")
    )


def _number(least: int, most: int, translate: Translator) -> Callable[[str], int]:
    def check(text: str) -> int:
        if text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most:
            return int(text)
        message = translate("{word} is no number from {least} to {most}")
        raise argparse.ArgumentTypeError(message.format(word=repr(text), least=least, most=most))

    return check


def run(args: argparse.Namespace, context: Context) -> int:
    """Do one action; return the exit code.

    Raises:
        HaidangError: What was asked for is wrong or cannot be done.
    """
    return _ACTIONS[args.action](args, context)


COMMAND = Command(
    name="intel",
    summary=N_("Keep indicators of attacks that scans look for."),
    usage="ACTION [OPTION]… [WHAT]…",
    configure=configure,
    run=run,
)
