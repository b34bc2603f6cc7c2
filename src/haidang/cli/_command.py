"""What a command is, what it is given, and how its help looks.

Rules:

- A command gets its streams, environment and clock in a :class:`Context`, so that it can be tested.
- Wrong usage raises :class:`haidang.errors.ConfigurationError`; ``main`` turns it into exit code 2.
- Help speaks the reader's language: the texts of options are translated, and so are argparse's own
  headings and its commonest complaint.
"""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, NoReturn, TextIO

from haidang.errors import ConfigurationError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from haidang.i18n import Translator

__all__ = [
    "Command",
    "CommandParser",
    "Context",
    "build_parser",
    "closest",
    "command_group",
    "did_you_mean",
    "grouped_commands",
    "parse",
    "run_group",
]

_WIDEST_HELP = 100
_WIDEST_TEXT = 88

# argparse says these itself; named here so that the catalogue has them.
_ARGPARSE_WORDS = (
    (r"expected one argument()", N_("expected one argument")),
    (r"expected at least one argument()", N_("expected at least one argument")),
    (r"expected (\d+) arguments", N_("{word} values are needed")),
    (r"not allowed with argument (.*)", N_("not allowed with {word}")),
    (r"invalid (?:int|float|\w+) value: (.*)", N_("{word} is no value that it takes")),
    (r"ignored explicit argument (.*)", N_("takes no value, and {word} was given")),
    (r"the following arguments are required: (.*)", N_("These are missing: {word}.")),
    (r"one of the arguments (.*) is required", N_("One of these is needed: {word}.")),
    (r"unrecognized arguments: (.*)", N_("These are not understood: {word}.")),
)
"""What argparse says, as a regular expression, and how we say it."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a command may touch."""

    translate: Translator
    environ: Mapping[str, str]
    stdout: IO[bytes]
    stderr: TextIO
    now: Callable[[], int]
    """Returns the present in nanoseconds since 1970, UTC."""

    def say(self, message: str) -> None:
        """Write one message to standard error."""
        self.stderr.write(f"{message}\n")
        self.stderr.flush()

    def answer(self, text: str) -> None:
        """Write what was asked for to standard output; what no text can hold (names of files) is escaped."""
        self.stdout.write(text.encode("utf-8", "backslashreplace"))
        self.stdout.flush()

    def answer_json(self, document: object, *, indent: int = 2) -> None:
        """Write what was asked for to standard output, as JSON that people can read."""
        import msgspec

        from haidang.findings.outputs._json import encode

        self.stdout.write(msgspec.json.format(encode(document), indent=indent) + b"\n")
        self.stdout.flush()


@dataclass(frozen=True, slots=True)
class Command:
    """One command of ``haidang``."""

    name: str
    summary: str
    """What it does, in one line: a message id."""
    usage: str
    """Its arguments in short, e.g. ``[OPTION]… PATH…``."""
    configure: Callable[[CommandParser, Translator], None]
    """Adds the arguments to the parser."""
    run: Callable[[argparse.Namespace, Context], int]
    """Does it; returns the exit code."""
    group: Callable[[], dict[str, Command]] | None = None
    """For a command that only leads to others (``haidang rules``): returns them by their own words."""


class CommandParser(argparse.ArgumentParser):
    """An argument parser that raises instead of exiting, and speaks the reader's language."""

    def __init__(self, *, translate: Translator, **options: Any) -> None:
        """Speak with the words of ``translate``."""
        super().__init__(add_help=False, allow_abbrev=False, formatter_class=_formatter(translate), **options)
        self.translate = translate

    def error(self, message: str) -> NoReturn:
        """Raise ``message`` as a usage error."""
        match = re.fullmatch(r"argument ([^:]+): (.*)", message, re.DOTALL)
        message = f"{match[1]}: {self._said(match[2])}" if match else self._said(message)
        hint = self.translate("See {command} --help.").format(command=self.prog)
        raise ConfigurationError(message, hint=hint)

    def _said(self, message: str) -> str:
        chosen = re.fullmatch(r"invalid choice: (.*) \(choose from (.*)\)", message, re.DOTALL)
        if chosen is None:
            for pattern, template in _ARGPARSE_WORDS:
                match = re.fullmatch(pattern, message, re.DOTALL)
                if match:
                    return self.translate(template).format(word=match[1])
            return self.translate(message)
        known = chosen[2].replace("'", "")
        return self.translate("{word} is none of: {known}").format(word=chosen[1], known=known)


def build_parser(command: Command, translate: Translator) -> CommandParser:
    """Return the parser of ``command``."""
    parser = CommandParser(
        prog=f"haidang {command.name}",
        usage=f"haidang {command.name} {command.usage}".rstrip(),
        description=translate(command.summary),
        translate=translate,
    )
    command.configure(parser, translate)
    general = parser.add_argument_group(translate("General"))
    general.add_argument(
        "--lang",
        metavar="LANG",
        help=translate("language of what people read: vi or en (default: the locale's)"),
    )
    general.add_argument("-h", "--help", action="help", help=translate("show this help"))
    return parser


def parse(command: Command, arguments: Sequence[str], translate: Translator) -> argparse.Namespace:
    """Return the arguments of ``command``.

    Raises:
        ConfigurationError: They are wrong; a mistyped option is named with what may have been meant.
    """
    parser = build_parser(command, translate)
    parsed, unknown = parser.parse_known_intermixed_args(arguments)
    if unknown:
        option = unknown[0].partition("=")[0]
        known = [name for action in parser._actions for name in action.option_strings]  # noqa: SLF001 -- argparse has no public list of its options
        message = translate("There is no option {option}.").format(option=option)
        parser.error(" ".join(filter(None, (message, did_you_mean(option, known, translate)))))
    return parsed


def grouped_commands(package: str, path: Iterable[str]) -> dict[str, Command]:
    """Return the commands of a package by the word that calls each, found by walking it."""
    from haidang.registry import registered

    found: list[Command] = [module.COMMAND for module in registered(package, path)]
    return {command.name.rpartition(" ")[2]: command for command in found}


def command_group(name: str, summary: str, package: str, path: Iterable[str]) -> Command:
    """Return a command that only leads to those of a package (``__name__`` and ``__path__`` of it)."""
    return Command(
        name=name,
        summary=summary,
        usage="COMMAND …",
        configure=lambda parser, translate: None,  # noqa: ARG005 -- those of the group have the options
        run=lambda args, context: 2,  # noqa: ARG005 -- one of the group is run instead
        group=lambda: grouped_commands(package, path),
    )


def run_group(command: Command, arguments: Sequence[str], context: Context) -> int:
    """Run the command of a group that ``arguments`` name, or show the group's help.

    Raises:
        ConfigurationError: There is none of that name.
    """
    translate = context.translate
    commands = command.group() if command.group is not None else {}
    words = list(arguments)
    if words[:1] == ["--lang"]:
        words = words[2:]
    elif words and words[0].startswith("--lang="):
        words = words[1:]
    if not words or words[0] in {"-h", "--help"}:
        text = _group_help(command, commands, translate)
        if words:
            context.answer(text)
            return 0
        context.stderr.write(text)
        return 2
    name, *rest = words
    chosen = commands.get(name)
    if chosen is None:
        message = translate("There is no command {name}.").format(name=f"{command.name} {name}")
        meant = did_you_mean(name, commands, translate)
        hint = translate("See {command} --help.").format(command=f"haidang {command.name}")
        raise ConfigurationError(f"{message} {meant}".rstrip(), hint=hint)
    try:
        parsed = parse(chosen, rest, translate)
    except SystemExit:
        # argparse ends a --help this way, after printing it.
        return 0
    return chosen.run(parsed, context)


def _group_help(command: Command, commands: dict[str, Command], translate: Translator) -> str:
    wide = max(map(len, commands), default=0) + 2
    lines = [
        translate("Usage: ") + f"haidang {command.name} COMMAND …",
        "",
        translate(command.summary),
        "",
        translate("Commands:"),
        *(
            part
            for name, one in sorted(commands.items())
            for part in _folded(f"  {name:<{max(wide, 14)}}  {translate(one.summary)}", _WIDEST_TEXT)
        ),
        "",
        translate("{command} explains a command.").format(command=f"haidang {command.name} COMMAND --help"),
    ]
    return "\n".join(lines) + "\n"


def did_you_mean(word: str, known: Iterable[str], translate: Translator) -> str:
    """Return "Did you mean …?" where one of ``known`` is like ``word``, else ""."""
    close = closest(word, known)
    return translate("Did you mean {word}?").format(word=close) if close else ""


def closest(word: str, known: Iterable[str]) -> str:
    """Return that one of ``known`` that is like ``word``, "" where none is."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def _folded(line: str, width: int) -> list[str]:
    """Return a line of help in parts that fit; those below begin where its explanation does."""
    column = re.match(r"\s*(?:\S+(?: \S+)*\s{2,})?", line)
    below = " " * min(len(column[0]) if column else 0, width // 2)
    return textwrap.wrap(line, width, subsequent_indent=below, break_long_words=False) or [""]


def _formatter(translate: Translator) -> type[argparse.HelpFormatter]:
    class Formatter(argparse.RawDescriptionHelpFormatter):
        def __init__(self, prog: str) -> None:
            columns = min(shutil.get_terminal_size().columns, _WIDEST_HELP)
            super().__init__(prog, max_help_position=30, width=columns - 2)

        def _fill_text(self, text: str, width: int, indent: str) -> str:
            fit = min(width, _WIDEST_TEXT)
            return "\n".join(indent + part for line in text.splitlines() for part in _folded(line, fit))

        def add_usage(
            self,
            usage: str | None,
            actions: Iterable[argparse.Action],
            groups: Iterable[argparse._MutuallyExclusiveGroup],
            prefix: str | None = None,
        ) -> None:
            heading = translate("Usage: ") if prefix is None else prefix
            super().add_usage(usage, actions, groups, heading)

    return Formatter
