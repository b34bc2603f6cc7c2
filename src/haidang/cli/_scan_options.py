"""The options of ``haidang scan``, and what they come to.

``configure`` says what may be written on the command line; ``scan_options`` turns what was written into
the options of the engine, which knows nothing of the command line.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.cli._arguments import counting, one_of
from haidang.cli._moments import bounds
from haidang.cli._rule_options import cache_option, rule_options, selection_options
from haidang.errors import ConfigurationError
from haidang.findings.outputs import outputs
from haidang.i18n import N_
from haidang.sigma.ir import LEVELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.cli._command import CommandParser, Context
    from haidang.i18n import Translator
    from haidang.intel.store import Intel, Store
    from haidang.scanning import ScanOptions

__all__ = [
    "PASSWORD_VARIABLE",
    "archive_password",
    "available_cores",
    "configure",
    "input_options",
    "known_input_format",
    "output_options",
    "scan_options",
]

PASSWORD_VARIABLE = "HAIDANG_ARCHIVE_PASSWORD"  # noqa: S105 -- the name of a variable

EPILOG = N_(
    """Examples:
  haidang scan logs/
  haidang scan logs/ --rules sigma_all_rules.zip --output report.html
  zcat audit.log.gz | haidang scan - --format ndjson > findings.ndjson

Exit codes: 0 done, 1 findings at or above --fail-on, 2 wrong usage,
configuration or rules, 3 done but some input could not be read in whole."""
)


def configure(parser: CommandParser, translate: Translator) -> None:
    """Add the options of a scan to ``parser``."""
    parser.epilog = translate(EPILOG)
    input_options(parser.add_argument_group(translate("Inputs")), translate)
    _rules(parser.add_argument_group(translate("Rules")), translate)
    _filters(parser.add_argument_group(translate("Filters")), translate)
    output_options(parser.add_argument_group(translate("Outputs")), translate)
    _running(parser.add_argument_group(translate("Running")), translate)


def scan_options(args: argparse.Namespace, context: Context) -> ScanOptions:
    """Return the options of the engine.

    Raises:
        ConfigurationError: An option is wrong, or a password file cannot be read.
    """
    from haidang.scanning import ScanOptions

    if not args.paths:
        raise ConfigurationError(
            context.translate("There is nothing to scan: name a file, a folder or - (standard input)."),
            hint=context.translate("See {command} --help.").format(command="haidang scan"),
        )
    builtin = not args.rules if args.builtin is None else args.builtin
    if not builtin and not args.rules and not args.intel:
        raise ConfigurationError(
            context.translate("There are no rules to scan with: --no-builtin needs --rules.")
        )
    since, until = bounds(args, context)
    return ScanOptions(
        paths=tuple(args.paths),
        rules=tuple(args.rules),
        builtin=builtin,
        pipelines=tuple(args.pipeline),
        placeholders=tuple(args.placeholders),
        logsource_maps=tuple(args.logsource_map),
        intel=_intel(args, context),
        strict=args.strict_rules,
        input_format=known_input_format(args.input_format),
        password=archive_password(args, context),
        min_level=args.min_level,
        statuses=tuple(args.status),
        tags=tuple(args.tag),
        include=tuple(args.rule),
        exclude=tuple(args.exclude_rule),
        since=since,
        until=until,
        full_event=args.full_event,
        processes=args.processes or available_cores(),
        cache=args.cache,
    )


class _InOrder(argparse.Action):
    """Keeps ``--format`` and ``--output`` in the order in which they were given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 -- argparse's signature
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,  # noqa: ARG002 -- argparse's signature
    ) -> None:
        kind = self.option_strings[0].removeprefix("--")
        namespace.outputs = [*namespace.outputs, (kind, str(values))]


def input_options(group: argparse._ArgumentGroup, _: Translator) -> None:
    """Add the options that say what is read, and how."""
    group.add_argument(
        "paths", metavar="PATH", nargs="*", help=_("file, folder or archive with logs; - is standard input")
    )
    group.add_argument(
        "--input-format", metavar="FORMAT", help=_("read every file as FORMAT (see haidang formats)")
    )
    password = group.add_mutually_exclusive_group()
    password.add_argument("--password", action="store_true", help=_("ask for the password of archives"))
    password.add_argument(
        "--password-file",
        metavar="FILE",
        help=_("file with the password of archives (or set HAIDANG_ARCHIVE_PASSWORD)"),
    )


def _rules(group: argparse._ArgumentGroup, _: Translator) -> None:
    rule_options(group, _)
    group.add_argument(
        "--intel",
        metavar="SOURCE",
        action="append",
        default=[],
        help=_("indicators: the name of a kept source or a file (repeatable; default: all kept sources)"),
    )
    group.add_argument(
        "--no-intel", action="store_true", help=_("look for no indicators, not even those that are kept")
    )
    group.add_argument(
        "--strict-rules", action="store_true", help=_("end with exit code 2 where a rule is refused")
    )
    group.add_argument(
        "--list-refused", action="store_true", help=_("list every refused rule, not only the first few")
    )


def _filters(group: argparse._ArgumentGroup, _: Translator) -> None:
    group.add_argument(
        "--fail-on",
        metavar="LEVEL",
        type=one_of(LEVELS, _),
        help=_("end with exit code 1 where a finding has LEVEL or a higher one"),
    )
    selection_options(group, _)
    group.add_argument(
        "--since", metavar="TIME", help=_("only events from TIME on: RFC 3339, a date, or 7d, 12h, 30m ago")
    )
    group.add_argument("--until", metavar="TIME", help=_("only events up to TIME"))


def output_options(group: argparse._ArgumentGroup, _: Translator) -> None:
    """Add the options that say where findings go."""
    names = ", ".join(sorted(outputs()))
    group.set_defaults(outputs=[])
    group.add_argument(
        "--format",
        metavar="FORMAT",
        action=_InOrder,
        dest="outputs",
        help=_("format of the --output that follows, or of standard output: {names}").format(names=names),
    )
    group.add_argument(
        "--output",
        metavar="FILE",
        action=_InOrder,
        dest="outputs",
        help=_("write to FILE or syslog://HOST:PORT; its ending names the format where no --format does"),
    )
    group.add_argument(
        "--full-event", action="store_true", help=_("put every field of the event into the findings")
    )


def _running(group: argparse._ArgumentGroup, _: Translator) -> None:
    group.add_argument(
        "--processes",
        metavar="N",
        type=counting(_),
        help=_("number of processes (default: one for each core)"),
    )
    cache_option(group, _)
    group.add_argument("--quiet", action="store_true", help=_("no summary and no progress; only errors"))


def known_input_format(name: str | None) -> str | None:
    """Return the value of ``--input-format``.

    Raises:
        ConfigurationError: There is no such format.
    """
    from haidang.events.readers import readers

    if name is not None and name not in readers():
        raise ConfigurationError(
            f"--input-format: there is no input format {name!r}",
            hint=f"Choose one of: {', '.join(sorted(readers()))}",
        )
    return name


def archive_password(args: argparse.Namespace, context: Context) -> bytes | None:
    """Return the password of archives; it is never an argument, which every process could read."""
    if args.password:
        import getpass

        try:
            return getpass.getpass(context.translate("Password of the archives: "), context.stderr).encode()
        except EOFError:
            raise ConfigurationError("--password: no password was entered") from None
    if args.password_file:
        try:
            return Path(args.password_file).read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise ConfigurationError(f"--password-file {args.password_file}: {error.strerror}") from error
    variable = context.environ.get(PASSWORD_VARIABLE)
    return os.fsencode(variable) if variable else None


def _intel(args: argparse.Namespace, context: Context) -> Intel | None:
    """Return the indicators to look for: those that are named, else all that are kept; None for none."""
    if args.no_intel:
        if args.intel:
            raise ConfigurationError("--intel and --no-intel cannot both be meant")
        return None
    store = _kept(context)
    if not args.intel:
        return store.compiled() if store is not None and store.names() else None
    named = [name for name in args.intel if store is not None and name in store.names()]
    files = [name for name in args.intel if name not in named]
    if not files and store is not None:
        return store.compiled(named)
    from haidang.intel.loading import with_files

    return with_files(store, named, files, context.now() // 1_000_000_000)


def _kept(context: Context) -> Store | None:
    from haidang.intel.place import store_folder

    folder = store_folder(context.environ)
    if folder is None or not folder.is_dir():
        return None
    from haidang.intel.store import Store

    return Store(folder)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
