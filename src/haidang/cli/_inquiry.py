"""What the commands that ask logs without rules share: options, where the answer goes, and how they end.

Rules:

- The answer goes to standard output, or with ``--output`` to a file that appears only when it is complete.
- What could not be read is said on standard error, whatever else is asked for, and makes the exit code 3.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from haidang.cli._moments import bounds
from haidang.cli._scan_options import archive_password, input_options, known_input_format
from haidang.cli._stopping import heeding_termination
from haidang.errors import ConfigurationError, OutputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from haidang.cli._command import CommandParser, Context
    from haidang.events.model import FileReport
    from haidang.i18n import Translator
    from haidang.inquiry import Question

__all__ = [
    "add_answer",
    "add_inputs",
    "add_scope",
    "answer_format",
    "answer_stream",
    "ask",
    "end",
    "show_progress",
    "shown_width",
    "until_first",
    "wants_colour",
]

_Item = TypeVar("_Item")

DONE = 0
INCOMPLETE = 3
_ENDINGS = {
    ".csv": ("csv",),
    ".ndjson": ("ndjson",),
    ".jsonl": ("ndjson",),
    ".json": ("json", "ndjson"),
    ".htm": (),
    ".html": (),
    ".xlsx": (),
    ".xml": (),
    ".parquet": (),
}
"""Ending of a file to the formats that it may mean, the likeliest first; another one means nothing."""
_EXAMPLES = 8
"""Files named on standard error of which something was not read."""


def add_inputs(parser: CommandParser, translate: Translator) -> None:
    """Add the options that say what is read."""
    input_options(parser.add_argument_group(translate("Inputs")), translate)


def add_scope(parser: CommandParser, _: Translator) -> argparse._ArgumentGroup:
    """Add the options that say which events matter; return their group for more of them."""
    group = parser.add_argument_group(_("Filters"))
    group.add_argument(
        "--host",
        metavar="HOST",
        action="append",
        default=[],
        help=_("only this host, with or without its domain (repeatable)"),
    )
    group.add_argument(
        "--since", metavar="TIME", help=_("only events from TIME on: RFC 3339, a date, or 7d, 12h, 30m ago")
    )
    group.add_argument("--until", metavar="TIME", help=_("only events up to TIME"))
    return group


def add_answer(
    parser: CommandParser, formats: Sequence[str], help_: str, translate: Translator
) -> argparse._ArgumentGroup:
    """Add where the answer goes, and in which of ``formats``: that of the file's ending, else the first."""
    group = parser.add_argument_group(translate("Outputs"))
    group.add_argument("--format", choices=formats, metavar="FORMAT", help=help_)
    group.add_argument("--output", metavar="FILE", help=translate("write to FILE instead of standard output"))
    return group


def ask(args: argparse.Namespace, context: Context) -> Question:
    """Return the question that the options come to.

    Raises:
        ConfigurationError: An option is wrong, or nothing is named.
        InputError: A path does not exist.
    """
    from haidang.inquiry import Question

    if not args.paths:
        raise ConfigurationError(
            context.translate("There is nothing to read: name a file, a folder or - (standard input)."),
            hint=context.translate("See {command} --help.").format(command=f"haidang {args.command}"),
        )
    since, until = bounds(args, context)
    question = Question(
        tuple(args.paths),
        hosts=tuple(args.host),
        since=since,
        until=until,
        input_format=known_input_format(args.input_format),
        password=archive_password(args, context),
        outputs=(args.output,) if args.output and args.output != "-" else (),
    )
    # Before an output is begun, which may be in the very folder.
    question.find()
    return question


def answer_format(args: argparse.Namespace, formats: Sequence[str]) -> str:
    """Return which of ``formats`` the answer is written in.

    Raises:
        ConfigurationError: The ending of the output names a format that the command does not write.
    """
    if args.format:
        return str(args.format)
    ending = Path(args.output or "").suffix.lower()
    meant = _ENDINGS.get(ending, formats[:1])
    fitting = [each for each in meant if each in formats]
    if not fitting:
        raise ConfigurationError(
            f"--output {args.output}: {args.command} does not write {ending}",
            hint=f"Say which with --format: {', '.join(formats)}.",
        )
    return fitting[0]


@contextlib.contextmanager
def answer_stream(path: str | None, context: Context) -> Iterator[IO[bytes]]:
    """Give the stream that the answer goes to; a file gets its name when all is written.

    Raises:
        OutputError: The file cannot be written.
    """
    if path is None or path == "-":
        try:
            yield context.stdout
            context.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"-: cannot write the output: {error.strerror or error}") from error
        return
    final = Path(os.path.realpath(path))
    temporary = final.with_name(f".{final.name}.{secrets.token_hex(4)}.tmp")
    try:
        if final.exists() and not final.is_file():
            # A device or a named pipe is written to directly; a folder is refused by the system.
            with final.open("wb") as stream:
                yield stream
            return
        with heeding_termination():
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            with os.fdopen(descriptor, "wb", buffering=1 << 20) as stream:
                yield stream
            temporary.replace(final)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot write the output: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def end(reports: list[FileReport], context: Context, *, told: bool = False) -> int:
    """Say what could not be read, unless the answer has ``told`` it; return the exit code."""
    from haidang.findings.account import files_line, problem_entries
    from haidang.findings.model import ScanSummary

    if all(report.complete for report in reports):
        return DONE
    if not told:
        summary = ScanSummary(files=reports)
        entries = problem_entries(summary, context.translate)
        context.say(files_line(summary, context.translate))
        for entry in entries[:_EXAMPLES]:
            context.say(f"  {entry.name}: {'; '.join(entry.reasons)}")
        if len(entries) > _EXAMPLES:
            context.say("  …")
    return INCOMPLETE


def show_progress(question: Question, context: Context) -> Callable[[], None]:
    """Show on a terminal how far the reading is; return what takes the line away."""
    stderr = context.stderr
    if not stderr.isatty() or context.environ.get("TERM") == "dumb":
        return lambda: None
    from haidang.cli._progress import Progress

    progress = Progress(
        stderr,
        context.translate,
        clock=time.monotonic,
        columns=lambda: shutil.get_terminal_size().columns,
        colour=not context.environ.get("NO_COLOR"),
        opening=context.translate("Reading …"),
    )
    question.on_progress = lambda size, events: progress.update(size, 0, events)
    return progress.clear


def until_first(items: Iterable[_Item], done: Callable[[], None]) -> Iterator[_Item]:
    """Yield ``items``, calling ``done`` before the first of them, or at the end where there is none."""
    waiting = True
    try:
        for item in items:
            if waiting:
                done()
                waiting = False
            yield item
    finally:
        if waiting:
            done()


def shown_width(context: Context, path: str | None) -> int | None:
    """Return the columns of the terminal that the answer goes to, None where it goes elsewhere."""
    if path not in {None, "-"} or not context.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def wants_colour(context: Context, path: str | None) -> bool:
    """Return whether the answer goes to a terminal that shows colours."""
    environ = context.environ
    return (
        shown_width(context, path) is not None
        and not environ.get("NO_COLOR")
        and environ.get("TERM") != "dumb"
    )
