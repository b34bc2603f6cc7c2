"""The texts of the source that people read in another language: found by reading the source.

A text is what a call of ``SINKS`` is given: a literal, an f-string (its expressions become ``{0}``, ``{1}`` …
in order), a name that was assigned one, a call of a function of the same module that returns one, or a
choice between such. ``TABLES`` and ``GIVERS`` hold texts, too. What is none of these, and not known to hand
on the text of somebody else, is strange: the test then asks for a form that it can read.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import haidang

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Text", "texts_of_source"]

SINKS = {
    "note": 2,
    "broken": 2,
    "DamagedError": 1,
    "Refusal": 0,
    "RuleError": 0,
    "YamlError": 0,
    "ConditionSyntaxError": 0,
    "SigmaValueError": 0,
    "RuleFile": 2,
    "Note": 2,
    "_note": 1,
    "_break": 1,
    "_error": 1,
    "refused": 1,
    "notices.append": 0,
    "_Fault": 0,
    "_wrong": 0,
    "reading.refuse": 1,
    "whole.refuse": 1,
    "PatternError": 0,
    "RefusedKind": 2,
    "only_one": 1,
}
"""Name of what is called to the argument that is a text."""

ERRORS = frozenset({"ConfigurationError", "InputError", "OutputError", "VerificationError"})
"""Errors whose first argument and hint are texts, said by the command line, where ``SPEAKING`` raises them.

A text that was translated where it was made (``translate("…").format(…)``, ``_("…")``) is none of these.
"""

SPEAKING = (
    "cli/", "detect/", "events/", "extras", "findings/", "i18n", "ingest/", "inquiry/", "intel/", "scanning/",
    "sigma/", "workshop/",
)  # fmt: skip
"""Beginnings of the names of modules whose errors speak every language."""

FORMATS = frozenset({"RefusedKind"})
"""Those of them that are given a template for ``str.format``."""

TABLES = frozenset(
    {
        "events/inputs.py:_KINDS",
        "events/recognition.py:_SIGNATURES",
        "findings/details.py:SYSTEM_WORDS",
        "intel/patterns/comparing.py:_SAID",
        "intel/patterns/reading.py:_COMPARISON",
        "intel/patterns/reading.py:_END",
        "intel/patterns/reading.py:_INDEX",
        "intel/patterns/reading.py:_NEEDED",
        "intel/patterns/tokens.py:_PREFIXES",
        "scanning/_correlating.py:_REASONS",
        "sigma/yaml_source.py:_ADVICE",
    }
)
"""Module and name of tables of texts, or of parts of texts."""

GIVERS = frozenset({"describe"})
"""Functions that return texts to other modules."""

HANDED_ON = frozenset(
    {
        "_plain(str(error))",
        "damage.detail",
        "describe(head)",
        "error.hint",
        "f'{message} {meant}'.rstrip()",
        "error.message",
        "error.reason",
        "fault.reason",
        "file.fault",
        "log",
        "REFUSALS[code].reason.format(*values)",
        "problem.detail",
        "refusal.reason",
        "spooled.damage",
        "str(error)",
    }
)
"""Expressions that hand on a text: one that was found elsewhere, or one of a library, which stays English."""


_TRANSLATED = re.compile(r"(?:\w+\.)*(?:translate|_|N_|ngettext)\(")
"""How a text begins that is translated where it is made."""


class Text(NamedTuple):
    """A text of the source, or (``strange``) an expression of which the text cannot be found."""

    where: str
    template: str
    strange: bool = False


def texts_of_source(folder: Path | None = None) -> list[Text]:
    """Return every text, in the order of the source."""
    root = folder or Path(haidang.__file__).parent
    found: list[Text] = []
    for path in sorted(root.rglob("*.py")):
        if {"console", "crypto"}.intersection(path.relative_to(root).parts):
            continue  # Their texts are templates in other catalogues, marked with N_ or _.
        module = ast.parse(path.read_text("utf-8"))
        found += _Module(module, path.relative_to(root).as_posix()).texts()
    return found


class _Module:
    def __init__(self, module: ast.Module, name: str) -> None:
        self.module = module
        self.name = name
        self.asked: list[tuple[str, ast.AST]] = []
        self.functions = {node.name: node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}

    def texts(self) -> Iterator[Text]:
        for scope in (self.module, *self.functions.values()):
            for node in _own(scope):
                if isinstance(node, ast.Call):
                    yield from self.of_call(node, scope)
                elif isinstance(node, ast.Assign) and f"{self.name}:{ast.unparse(node.targets[0])}" in TABLES:
                    yield from self.of_table(node.value)
            if isinstance(scope, ast.FunctionDef) and scope.name in GIVERS:
                yield from self.found(self.returned(scope), scope)

    def of_call(self, call: ast.Call, scope: ast.AST) -> Iterator[Text]:
        if _callee(call) in ERRORS and self.name.startswith(SPEAKING):
            hints = [keyword.value for keyword in call.keywords if keyword.arg == "hint"]
            for given in (*call.args[:1], *hints):
                if not _TRANSLATED.match(ast.unparse(given)):
                    yield from self.found(self.templates(given, scope), given)
            return
        at = SINKS.get(_callee(call))
        if at is None or len(call.args) <= at:
            return
        given = call.args[at]
        if _callee(call) in FORMATS and isinstance(given, ast.Constant):
            yield Text(f"{self.name}:{call.lineno}", str(given.value))
        else:
            yield from self.found(self.templates(given, scope), given)

    def of_table(self, table: ast.AST) -> Iterator[Text]:
        values = table.values if isinstance(table, ast.Dict) else [table]
        for value in values:
            yield from self.found(
                (_template(node) for node in ast.walk(value) if _template(node) is not None), value
            )

    def found(self, templates: Iterable[str | None], value: ast.AST) -> Iterator[Text]:
        where = f"{self.name}:{getattr(value, 'lineno', 0)}"
        for template in templates:
            # A placeholder and a full stop say nothing of their own.
            if template is None or _says(template):
                yield Text(where, template or ast.unparse(value), strange=template is None)

    def templates(self, value: ast.AST, scope: ast.AST) -> Iterator[str | None]:
        """Yield the templates that ``value`` may be; None where that cannot be told."""
        text = _template(value)
        if text is not None:
            yield text
            yield from self.inside(value, scope)
        elif (
            ast.unparse(value) in HANDED_ON
            or _TRANSLATED.match(ast.unparse(value))
            or isinstance(value, ast.Constant)
        ):
            return
        elif isinstance(value, ast.IfExp):
            yield from self.templates(value.body, scope)
            yield from self.templates(value.orelse, scope)
        elif isinstance(value, ast.BoolOp):
            for part in value.values:
                yield from self.templates(part, scope)
        elif isinstance(value, ast.Name):
            yield from self.assigned(value.id, scope)
        elif isinstance(value, ast.Call) and _callee(value) in self.functions:
            yield from self.returned(self.functions[_callee(value)])
        else:
            yield None

    def inside(self, value: ast.AST, scope: ast.AST) -> Iterator[str]:
        """Yield the texts that an f-string holds by the names of variables."""
        for part in getattr(value, "values", ()):
            if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
                yield from (text for text in self.assigned(part.value.id, scope) if text is not None)

    def returned(self, function: ast.FunctionDef) -> Iterator[str | None]:
        for node in _own(function):
            if isinstance(node, ast.Return) and node.value is not None:
                yield from self.templates(node.value, function)

    def assigned(self, name: str, scope: ast.AST) -> Iterator[str | None]:
        if (name, scope) in self.asked:
            return  # A name that is assigned what was made of it: the text was found already.
        values = [value for place in (scope, self.module) for value in _given(place, name)]
        self.asked.append((name, scope))
        for value in values:
            yield from self.templates(value, scope)
        self.asked.pop()
        # A parameter hands on what the caller gave, which is found where the caller notes it; an error
        # that was caught speaks for itself.
        if not values and name not in _parameters(scope) | _caught(scope):
            yield None


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a scope without those of the functions in it."""
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.FunctionDef):
            yield node
            yield from _own(node)


def _given(scope: ast.AST, name: str) -> Iterator[ast.AST]:
    """Yield what is assigned to a name in a scope."""
    for node in _own(scope):
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            targets = [node.target]
        else:
            continue
        if node.value is not None and any(isinstance(one, ast.Name) and one.id == name for one in targets):
            yield node.value


def _parameters(scope: ast.AST) -> set[str]:
    if not isinstance(scope, ast.FunctionDef):
        return set()
    return {one.arg for one in (*scope.args.args, *scope.args.kwonlyargs)}


def _caught(scope: ast.AST) -> set[str]:
    return {node.name for node in _own(scope) if isinstance(node, ast.ExceptHandler) and node.name}


def _callee(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute):
        owner = ast.unparse(function.value).rpartition(".")[2]
        both = f"{owner}.{function.attr}"
        return both if both in SINKS else function.attr
    return ""


def _template(value: ast.AST) -> str | None:
    """Return the text of a literal, with a placeholder for each expression of an f-string."""
    if isinstance(value, ast.Constant):
        return value.value.replace("{", "{{").replace("}", "}}") if isinstance(value.value, str) else None
    if not isinstance(value, ast.JoinedStr):
        return None
    parts: list[str] = []
    holes = 0
    for part in value.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value).replace("{", "{{").replace("}", "}}"))
        else:
            parts.append(f"{{{holes}}}")
            holes += 1
    return "".join(parts)


def _says(template: str) -> bool:
    return any(letter.isalpha() for letter in template)
