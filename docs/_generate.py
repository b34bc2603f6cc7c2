"""Write the reference pages that the code itself knows: commands, formats, outputs, limits, built-in rules.

``python -m docs._generate`` (from the folder of the project) writes them; with ``--check`` it writes nothing
and exits with 1 when a page is not what it would write (``tests/test_conventions.py`` calls that). Input: the
package's own source.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import haidang
from docs._protection import protection
from haidang import limits
from haidang.cli._command import build_parser
from haidang.cli.main import EXIT_CODES, commands
from haidang.events.readers import readers
from haidang.findings.outputs import outputs
from haidang.findings.words import level_rank, techniques
from haidang.i18n import translator
from haidang.inquiry.notability import NOTABLE
from haidang.intel.feeds import feeds
from haidang.intel.feeds.misp import TYPES
from haidang.intel.observed import FIELDS, parse_fields
from haidang.intel.patterns import PATHS, REFUSALS
from haidang.sigma.yaml_source import documents
from haidang.workshop.checks import checks

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from haidang.cli._command import Command
    from haidang.sigma.ir import RuleInfo

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
INDICATORS = """# Indicators

What `haidang intel` reads, what of it is looked for, and in which fields of which logs. How to use it:
[use threat intelligence](../how-to/use-threat-intelligence.md).

"""
NOTABLE_HEAD = """# What a time line shows

`haidang timeline` shows these events, and the findings of the rules among them. The kinds are stable words
for machines. Each product is a data file in `src/haidang/inquiry/notable/`; a new product is a new file.

"""
LIMITS = """# Limits

Every bound that protects a run from hostile or broken input. What is cut, skipped or dropped because of one
is counted and reported. From Python, hand your own to `haidang.load_rules(limits=...)`, for example
`haidang.Limits(line_bytes=1 << 20)`.

"""
RULES = """# Built-in rules

What `haidang scan` looks for where `--rules` does not name other rules. They are of our own writing. Each
says, in English and Vietnamese, what it means and what to do first; the page shows that with the findings.

"""
PYTHON = """# Python

Rules are loaded once; a scan yields findings as they are found:

```python
import haidang

rules = haidang.load_rules()
event = {"Channel": "Security", "EventID": 1102, "Computer": "HV-DC01"}
for finding in rules.match(event):
    print(finding.rule.level, finding.rule.title, finding.matched)
```

Every error that is raised on purpose is a `haidang.HaidangError`; its `diagnostics()` says what happened and
what to do. What a finding holds: [findings](findings.md). All bounds: [limits](limits.md).

"""
CHECKS = """# Checks of rules

What `haidang rules check` looks for. `--ignore CODE` leaves one out. What `--fix` corrects changes
nothing of what a rule finds. See [work on rules](../how-to/work-on-rules.md).

"""
PROTECTION = """# Protection

Settings, certificate profiles, labels, algorithms and verdicts of `haidang pki`, `sign`, `verify`, `seal`,
`open`, `archive` and `inventory`. What they protect against is in the
[threat model](../explanation/threat-model.md).

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
        "builtin-rules.md": NOTE + RULES + _builtin_rules(),
        "command-line.md": NOTE + COMMAND_LINE + _commands() + EXIT_CODES_HEAD + _table(_exit_codes()),
        "checks.md": NOTE + CHECKS + _table(_checks()),
        "formats.md": NOTE + FORMATS + _table(_formats()) + OUTPUTS + _table(_outputs()),
        "indicators.md": NOTE + INDICATORS + _indicators(),
        "limits.md": NOTE + LIMITS + _table(_limits()),
        "notable.md": NOTE + NOTABLE_HEAD + _notable(),
        "protection.md": NOTE + PROTECTION + protection(_table, _field_docstrings),
        "python.md": NOTE + PYTHON + _python(),
    }


def _builtin_rules() -> str:
    """Return a section for each folder of the pack, the most severe rules first."""
    infos = haidang.load_rules(builtin=True, cache=False).infos
    folders = sorted({Path(info.path).parent for info in infos})
    text = f"{len(infos)} rules, {sum(info.correlation for info in infos)} of them over several events.\n"
    for folder in folders:
        rules = [info for info in infos if Path(info.path).parent == folder]
        rules.sort(key=lambda info: (level_rank(info.level), info.title))
        shown = [info for info in rules if info.generate]
        rows = [(info.level, _described(info), ", ".join(techniques(info.tags))) for info in shown]
        heading = folder.name.capitalize().replace("Macos", "macOS")
        text += f"\n## {heading}\n\n{_table([('level', 'rule', 'ATT&CK'), *rows])}"
        if len(rules) > len(shown):
            names = "; ".join(info.title for info in rules if not info.generate)
            text += f"\nOnly counted by correlations: {names}.\n"
    return text


def _described(info: RuleInfo) -> str:
    return f"**{info.title}**<br>{' '.join(info.description.split())}"


def _commands() -> str:
    english = translator("en")
    text = ""
    for command in _each_command():
        name = command.name
        usage = f"    haidang {name} {command.usage}".rstrip()
        text += f"## haidang {name}\n\n{command.summary}\n\n{usage}\n\n"
        # argparse has no public list of its groups and options.
        for group in build_parser(command, english)._action_groups:  # noqa: SLF001
            actions = group._group_actions  # noqa: SLF001
            rows = [(f"`{_flags(action)}`", str(action.help)) for action in actions]
            if rows:
                text += f"### {group.title}\n\n" + _table([("option", "what it does"), *rows]) + "\n"
    return text


def _each_command() -> Iterator[Command]:
    """Yield every command, those of a group behind it."""
    for _, command in sorted(commands().items()):
        yield command
        if command.group is not None:
            yield from (one for _, one in sorted(command.group().items()))


def _flags(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else f" {action.metavar}"
    return ", ".join(action.option_strings) + value if action.option_strings else f"{action.metavar}…"


def _indicators() -> str:
    formats = [("kind", "format"), *((f"`{name}`", feed.title) for name, feed in sorted(feeds().items()))]
    remote = [
        ("`taxii`", "TAXII 2.1 collection, by its address or that of its server"),
        ("`misp-feed`", "MISP feed: a `manifest.json` with its events beside it, a folder or an address"),
        ("`warninglist`", "MISP warninglist: what is on it is held back from all sources"),
    ]
    paths = [("object path", "facets"), *((f"`{path}`", _coded(facets)) for path, facets in PATHS.items())]
    refusals = [("not supported", "such as"), *((one.what, f"`{one.example}`") for one in REFUSALS.values())]
    types = [("type", "becomes"), *((f"`{kind}`", _parts(kinds)) for kind, kinds in TYPES.items())]
    return (
        "## Kinds of sources\n\n" + _table([*formats, *remote])
        + "\n## STIX object paths\n\nA pattern on another object path is refused with the reason.\n\n"
        + _table(paths)
        + "\n## STIX patterns that are refused\n\n"
        "Patterns are read as STIX 2.1's grammar says. One that asks for any of this is refused whole.\n\n"
        + _table(refusals)
        + "\n## MISP attribute types\n\n" + _table(types)
        + "\n## Fields\n\nWhich fields hold what; `any` is for logs without an entry of their own.\n"
        "A `folder` is where the path of a `file` leads.\n\n"
        + _table(_observed_fields())
    )  # fmt: skip


def _parts(kinds: str) -> str:
    return ", ".join(f"`{kind}`" for kind in kinds.split("|") if kind)


def _coded(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _observed_fields() -> Iterator[tuple[str, ...]]:
    yield "logs", "events", "facet", "fields"
    for path in sorted(FIELDS.glob("*.yml")):
        origin, sources = parse_fields(path.read_bytes(), str(path))
        for source in sources:
            when = "; ".join(
                f"{name} {', '.join(sorted(values))}" for name, values in source.when.items()
            ).replace("|", r"\|")
            for facet, fields_of in source.holds.items():
                yield origin, when or "all", f"`{facet}`", _coded(fields_of)


def _exit_codes() -> Iterator[tuple[str, ...]]:
    yield "code", "meaning"
    for code, meaning in EXIT_CODES.items():
        yield str(code), meaning


def _checks() -> Iterator[tuple[str, ...]]:
    yield "code", "severity", "what is wrong", "corrected by --fix"
    for code, check in sorted(checks().items()):
        yield f"`{code}`", check.severity, check.summary, "yes" if check.fixable else ""


def _formats() -> Iterator[tuple[str, ...]]:
    yield "name", "format", "origins"
    for name, reader in sorted(readers().items()):
        yield f"`{name}`", reader.title, ", ".join(f"`{origin.name}`" for origin in reader.origins)


def _notable() -> str:
    """Return a table for each product: kinds, and where their events are."""
    text = ""
    for path in sorted(NOTABLE.glob("*.yml")):
        (product,) = documents(path.read_bytes())
        rows = [("kind", "what happened", "events", "notes")]
        for entry in product["notable"]:
            asked = [*entry["when"].items(), *entry.get("where", {}).items()]
            told = [_condition(name, values) for name, values in asked]
            told += [f"{_shortest(entry['match']['field'])} by its words"] if "match" in entry else []
            where = "; ".join(told) or "every event"
            notes = ["only the first of its kind on a host"] if "once" in entry else []
            notes += [f"{what} a session" for what in ("opens", "closes") if what in entry.get("session", {})]
            rows.append((f"`{entry['kind']}`", entry["title"]["en"], where, ", ".join(notes)))
        text += f"## {path.stem.replace('_', ' ')}\n\n{_table(rows)}\n"
    return text.rstrip("\n") + "\n"


def _condition(name: str, values: object) -> str:
    said = {"*": "any", "<inside>": "of a private network", "": "none"}
    return f"{_shortest(name)} {said.get(str(values), _listed(values))}"


def _shortest(name: str) -> str:
    """Return one of the names of a field: exports of a product differ in what they put in front of it."""
    return min(name.split("|"), key=len)


def _listed(values: object) -> str:
    return ", ".join(map(str, values)) if isinstance(values, list) else str(values)


def _outputs() -> Iterator[tuple[str, ...]]:
    yield "name", "output", "file endings"
    for name, output in sorted(outputs().items()):
        yield f"`{name}`", output.title, ", ".join(f"`{suffix}`" for suffix in output.suffixes)


def _python() -> str:
    return (
        _function("haidang.load_rules", haidang.load_rules)
        + _function("haidang.scan", haidang.scan)
        + _function("Ruleset.match", haidang.Ruleset.match)
        + _record("Selection", haidang.Selection)
        + _record("ScanSummary", haidang.ScanSummary)
    )


def _function(name: str, function: Callable[..., object]) -> str:
    """Return the section of a function: its signature and its docstring."""
    signature = inspect.signature(function)
    shown = [each for each in signature.parameters.values() if each.name != "self"]
    head = f"{name}(\n{''.join(f'    {_parameter(each)},{chr(10)}' for each in shown)})"
    text = re.sub(r":\w+:`~?([\w.]+)`", r"`\1`", inspect.getdoc(function) or "").replace("``", "`")
    # The sections of Google's style become bold headings, their items a list.
    text = re.sub(r"\n\n(Args|Returns|Raises):\n", r"\n\n**\1**\n\n", text)
    text = re.sub(r"^ {4}(\w+): ", r"- `\1`: ", text, flags=re.MULTILINE)
    text = re.sub(r"^ {4}(?=\S)", "", text, flags=re.MULTILINE)
    return f"## {name}\n\n```text\n{head} -> {signature.return_annotation}\n```\n\n{text}\n\n"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
    text = f"{stars}{parameter.name}: {parameter.annotation}"
    if parameter.default is parameter.empty:
        return text
    default = "Limits()" if parameter.default == limits.DEFAULT_LIMITS else repr(parameter.default)
    return f"{text} = {default}"


def _record(name: str, record: type) -> str:
    """Return the section of a record: its docstring and its fields."""
    meaning = _field_docstrings(record)
    types = inspect.get_annotations(record)
    rows = [
        (f"`{field}`", f"`{types[field].replace(' | ', ' or ')}`", meaning.get(field, "")) for field in types
    ]
    table = _table([("field", "type", "meaning"), *rows])
    return f"## haidang.{name}\n\n{inspect.getdoc(record)}\n\n{table}\n"


def _limits() -> Iterator[tuple[str, ...]]:
    yield "limit", "default", "what it bounds"
    meaning = _field_docstrings(limits.Limits)
    for field in fields(limits.Limits):
        yield f"`{field.name}`", _amount(field.name, field.default), meaning[field.name]


def _field_docstrings(record: type) -> dict[str, str]:
    """Return the docstring below each field; Python itself does not keep them."""
    (tree,) = ast.parse(inspect.getsource(record)).body
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
