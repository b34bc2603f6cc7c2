"""Write the reference pages that the code itself knows: commands, formats, outputs, limits.

``python docs/_generate.py`` writes them; with ``--check`` it writes nothing and exits with 1 when a page
is not what it would write (``tests/test_conventions.py`` calls that). Input: the package's own source.
"""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from haidang import limits
from haidang.cli._command import build_parser
from haidang.cli.main import EXIT_CODES, commands
from haidang.events.readers import readers
from haidang.findings.outputs import outputs
from haidang.i18n import translator

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

__all__ = ["main", "pages"]

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by docs/_generate.py; change the code, then run `make docs`. -->\n\n"

FORMATS = """# Formats

Each file is recognised by its content; `--input-format NAME` forces one. All of them are also read inside
gzip, bzip2, xz, zstd and zip, nested up to `archive_depth` ([limits](limits.md)).
Origin is the family of logs that decides field names and which rules apply.

"""
OUTPUTS = """
## Outputs

`--format NAME` or the ending of `--output FILE` chooses one; several may be given at once.

"""
LIMITS = """# Limits

Every bound that protects a run from hostile or broken input. What is cut, skipped or dropped because of one
is counted and reported. From Python, hand your own to `haidang.scan(..., limits=...)` with
`dataclasses.replace(DEFAULT_LIMITS, line_bytes=...)`.

"""
COMMAND_LINE = """# Command line

`haidang COMMAND --help` says the same on the terminal, in Vietnamese or English (`--lang`, else the locale).
`haidang --version` says the version.

"""
EXIT_CODES_HEAD = """## Exit codes

Where findings reach `--fail-on` and some input could not be read, the code is 1: the findings are certain.

"""


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` compare them; return the exit code."""
    stale = []
    for name, text in pages().items():
        path = REFERENCE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    if stale:
        print("stale:" if "--check" in arguments else "wrote:", *stale)
    return int("--check" in arguments and bool(stale))


def pages() -> dict[str, str]:
    """Return the text of each generated page by its name in ``docs/reference``."""
    return {
        "command-line.md": NOTE + COMMAND_LINE + _commands() + EXIT_CODES_HEAD + _table(_exit_codes()),
        "formats.md": NOTE + FORMATS + _table(_formats()) + OUTPUTS + _table(_outputs()),
        "limits.md": NOTE + LIMITS + _table(_limits()),
    }


def _commands() -> str:
    english = translator("en")
    text = ""
    for name, command in sorted(commands().items()):
        usage = f"    haidang {name} {command.usage}".rstrip()
        text += f"## haidang {name}\n\n{command.summary}\n\n{usage}\n\n"
        # argparse has no public list of its groups and options.
        for group in build_parser(command, english)._action_groups:  # noqa: SLF001
            actions = group._group_actions  # noqa: SLF001
            rows = [(f"`{_flags(action)}`", str(action.help)) for action in actions]
            if rows:
                text += f"### {group.title}\n\n" + _table([("option", "what it does"), *rows]) + "\n"
    return text


def _flags(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else f" {action.metavar}"
    return ", ".join(action.option_strings) + value if action.option_strings else f"{action.metavar}…"


def _exit_codes() -> Iterator[tuple[str, ...]]:
    yield "code", "meaning"
    for code, meaning in EXIT_CODES.items():
        yield str(code), meaning


def _formats() -> Iterator[tuple[str, ...]]:
    yield "name", "format", "origins"
    for name, reader in sorted(readers().items()):
        yield f"`{name}`", reader.title, ", ".join(f"`{origin.name}`" for origin in reader.origins)


def _outputs() -> Iterator[tuple[str, ...]]:
    yield "name", "output", "file endings"
    for name, output in sorted(outputs().items()):
        yield f"`{name}`", output.title, ", ".join(f"`{suffix}`" for suffix in output.suffixes)


def _limits() -> Iterator[tuple[str, ...]]:
    yield "limit", "default", "what it bounds"
    meaning = _field_docstrings()
    for field in fields(limits.Limits):
        yield f"`{field.name}`", _amount(field.name, field.default), meaning[field.name]


def _field_docstrings() -> dict[str, str]:
    """Return the docstring below each field; Python itself does not keep them."""
    (tree,) = ast.parse(inspect.getsource(limits.Limits)).body
    found: dict[str, str] = {}
    name = ""
    for node in getattr(tree, "body", ()):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                pass
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                found[name] = " ".join(text.replace("``", "`").split())
    return found


def _amount(name: str, value: object) -> str:
    """Return a default with its unit, which is the end of the field's name."""
    if name.endswith("_bytes") and isinstance(value, int):
        power = next(power for power in (3, 2, 1, 0) if value % 1024**power == 0)
        return f"{value // 1024**power} {('bytes', 'KiB', 'MiB', 'GiB')[power]}"
    if name.endswith("_seconds"):
        return f"{value} s"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
