"""The entry point: finds the command, runs it, and turns its end into an exit code (``EXIT_CODES``).

Only the command that is asked for is imported, and ``--version`` imports nothing, so that a shell
prompt or a script can ask for it at no cost.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from haidang._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.cli._command import Command, Context
    from haidang.i18n import Translator

__all__ = ["EXIT_CODES", "commands", "main"]

EXIT_CODES = {
    0: "done",
    1: "findings (or issues of rules) at or above `--fail-on`, a failed rule test, no filter to propose; a "
    "signature that does not hold, or something about keys and proofs that must be done now",
    2: "wrong usage, configuration, rules, keys or passphrases, or an output that cannot be written",
    3: "done, but some input could not be read in whole, or it cannot be told whether a signature holds",
    70: "a defect of the program itself",
    130: "stopped by the user (Ctrl+C)",
    141: "whoever read standard output went away",
}

USAGE = 2
DEFECT = 70
INTERRUPTED = 130
BROKEN_PIPE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``haidang`` with ``argv`` (default: the process's arguments); return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        sys.stdout.write(f"haidang {__version__}\n")
        return 0
    import os
    import time

    from haidang.cli._command import Context
    from haidang.errors import HaidangError
    from haidang.i18n import choose_language, translator

    translate = translator(choose_language(None, os.environ))
    context = Context(translate, os.environ, sys.stdout.buffer, sys.stderr, time.time_ns)
    try:
        flag = _language_flag(arguments)
        if flag is not None:
            translate = translator(choose_language(flag, os.environ))
            context = Context(translate, os.environ, sys.stdout.buffer, sys.stderr, time.time_ns)
        code = _dispatch(arguments, context)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        code = BROKEN_PIPE
    except HaidangError as error:
        _complain(error, context)
        code = USAGE
    except Exception:  # noqa: BLE001 -- a defect must not end with Python's 1, which means "findings"
        _report_defect(context)
        code = DEFECT
    return code


def commands() -> dict[str, Command]:
    """Return every command by name, found by walking this package."""
    from pkgutil import iter_modules

    import haidang.cli

    found: dict[str, Command] = {}
    for module in iter_modules(haidang.cli.__path__):
        if not module.name.startswith("_") and module.name != "main":
            command = _load(module.name)
            found[command.name] = command
    return found


def _load(module: str) -> Command:
    from importlib import import_module

    command: Command = import_module(f"haidang.cli.{module}").COMMAND
    return command


def _dispatch(arguments: list[str], context: Context) -> int:
    from haidang.cli._command import parse, run_group

    while arguments and arguments[0].startswith("-"):
        option = arguments.pop(0)
        if option in {"-h", "--help"}:
            sys.stdout.write(_help(context.translate))
            return 0
        if option == "--version":
            sys.stdout.write(f"haidang {__version__}\n")
            return 0
        if option == "--lang":
            del arguments[:1]
        elif not option.startswith("--lang="):
            raise _usage(context.translate("There is no option {option}.").format(option=option), context)
    if not arguments:
        context.stderr.write(_help(context.translate))
        return USAGE
    name, *rest = arguments
    command = _find(name, context)
    if command.group is not None:
        return run_group(command, rest, context)
    try:
        parsed = parse(command, rest, context.translate)
    except SystemExit:
        # argparse ends a --help this way, after printing it.
        return 0
    return command.run(parsed, context)


def _find(name: str, context: Context) -> Command:
    """Return the command called ``name``, importing no other.

    Raises:
        ConfigurationError: There is none; the message says what may have been meant.
    """
    from pathlib import Path
    from pkgutil import iter_modules

    import haidang.cli
    from haidang.cli._command import did_you_mean

    modules = {m.name for m in iter_modules(haidang.cli.__path__) if not m.name.startswith("_")} - {"main"}
    if name.replace("-", "_") in modules:
        return _load(name.replace("-", "_"))
    translate = context.translate
    meant = did_you_mean(name, (module.replace("_", "-") for module in modules), translate)
    if not meant and Path(name).exists():
        meant = translate("Did you mean {word}?").format(word=f"haidang scan {name}")
    message = translate("There is no command {name}.").format(name=name)
    raise _usage(f"{message} {meant}".rstrip(), context)


def _usage(message: str, context: Context) -> Exception:
    from haidang.errors import ConfigurationError

    return ConfigurationError(
        message, hint=context.translate("See {command} --help.").format(command="haidang")
    )


def _help(translate: Translator) -> str:
    """Return the help that lists the commands."""
    options = [
        ("--version", translate("show the version")),
        ("--lang LANG", translate("language of what people read: vi or en (default: the locale's)")),
        ("-h, --help", translate("show this help")),
    ]
    summaries = [(name, translate(command.summary)) for name, command in sorted(commands().items())]
    lines = [
        translate("Usage: ") + "haidang COMMAND …",
        "",
        translate("Hải Đăng finds attacks in logs with Sigma rules."),
        "",
        translate("Commands:"),
        *(f"  {name:<14}{text}" for name, text in summaries),
        "",
        translate("Options:"),
        *(f"  {flag:<14}{text}" for flag, text in options),
        "",
        translate("{command} explains a command.").format(command="haidang COMMAND --help"),
    ]
    return "\n".join(lines) + "\n"


def _language_flag(arguments: Sequence[str]) -> str | None:
    """Return the value of ``--lang``, wherever it stands: help must know it before parsing."""
    for i, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument.startswith("--lang="):
            return argument.partition("=")[2]
        if argument == "--lang" and i + 1 < len(arguments):
            return arguments[i + 1]
    return None


def _complain(error: Exception, context: Context) -> None:
    """Say what went wrong; file names in it may hold anything."""
    from haidang.errors import HaidangError
    from haidang.findings.details import detail
    from haidang.plaintext import neutralise

    text = error.diagnostics(context.translate) if isinstance(error, HaidangError) else str(error)
    # Most errors are made in English where something goes wrong; people are told in their own language.
    first, *rest = (detail(line, context.translate) for line in text.split("\n"))
    context.say(f"haidang: {neutralise(first)}")
    for line in rest:
        context.say(f"  {neutralise(line)}")


def _report_defect(context: Context) -> None:
    import traceback

    traceback.print_exc(file=context.stderr)
    context.say(
        context.translate("haidang: this is a defect of the program; please report it with the lines above.")
    )


def _forget_stdout() -> None:
    """Point standard output at nothing, so that Python's own flush at exit does not complain again."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
