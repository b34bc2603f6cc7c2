"""What the reference page on protection says: settings, profiles, algorithms and the reasons of verdicts.

Called by ``docs/_generate.py``; everything is read from the package's own source and data.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

import haidang
from haidang.crypto.inventory.algorithms import ALGORITHMS, algorithm_facts
from haidang.crypto.marking.labels import SECRETS, TLP
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["protection"]

_WITH_CODE = {"Reason", "ContainerError", "UnreadablePdfError"}

SOURCE = Path(haidang.__file__).parent

SETTINGS = """## Settings

`settings.toml` in the folder of `--home`. What is not there has its default.

"""
PROFILES = """
## Certificate profiles

What an authority may issue. A file of the same form (`src/haidang/crypto/pki/profiles.toml`) adds to them or
replaces some.

"""
LABELS = """
## Labels

"""
ALGORITHM_HEAD = """
## Algorithms

What `haidang inventory` knows of each. Strength is classical, in bits (NIST SP 800-57); the quantum category
is NIST's, and — where a large quantum computer breaks it.

"""
REASONS = """
## Reasons of verdicts

The field `code` of each reason in `haidang verify --json`. A code does not change its meaning.

"""


def protection(
    table: Callable[[Iterable[tuple[str, ...]]], str], docs: Callable[[type], dict[str, str]]
) -> str:
    """Return the page without its heading.

    Args:
        table: writes rows, the first of them the heading.
        docs: returns the docstrings of a class's fields by name.
    """
    return "".join(
        (
            SETTINGS,
            table(_settings(docs)),
            PROFILES,
            table(_profiles()),
            LABELS,
            _labels(),
            ALGORITHM_HEAD,
            table(_algorithms()),
            REASONS,
            table(_reasons()),
        )
    )


def _labels() -> str:
    tlp = ", ".join(f"`TLP:{name}`" for name in TLP)
    secrets = ", ".join(f"`{name}`" for name in SECRETS)
    return f"TLP 2.0: {tlp}. State secrets: {secrets}. A body adds its own in `[marking] labels`.\n"


def _settings(docs: Callable[[type], dict[str, str]]) -> Iterator[tuple[str, ...]]:
    yield "setting", "default", "what it means"
    for section in msgspec.structs.fields(Settings):
        kind = type(section.default)
        meaning = docs(kind)
        for field in msgspec.structs.fields(kind):
            default = field.default
            shown = ", ".join(default) or "none" if isinstance(default, tuple) else str(default)
            yield f"`[{section.name}] {field.name}`", shown, meaning.get(field.name, "")


def _profiles() -> Iterator[tuple[str, ...]]:
    yield "profile", "valid", "key usage", "extended key usage", "subject"
    for name, profile in load_profiles().items():
        kind = f"{name} (authority)" if profile.authority else name
        yield (
            kind,
            f"{profile.days} days",
            ", ".join(profile.key_usage),
            ", ".join(profile.extended) or "—",
            ", ".join(profile.names),
        )


def _algorithms() -> Iterator[tuple[str, ...]]:
    yield "algorithm", "kind", "strength", "quantum category", "standard"
    for name in (*ALGORITHMS, "rsa-1024", "rsa-2048", "rsa-3072", "rsa-4096"):
        facts = algorithm_facts(name)
        yield (
            f"`{facts.name}`",
            facts.primitive,
            str(facts.bits) if facts.bits else "broken",
            str(facts.quantum_level) if facts.quantum_level else "—",
            facts.standard,
        )


def _reasons() -> Iterator[tuple[str, ...]]:
    yield "code", "what it says"
    found: dict[str, str] = {}
    for path in sorted((SOURCE / "crypto").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(args=[ast.Constant(value=str(code)), *_]) if _name(node) in _WITH_CODE:
                    found[code] = found.get(code) or _template(node)
                case _:
                    pass
    for code in sorted(found):
        yield f"`{code}`", found[code]


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _template(call: ast.Call) -> str:
    """Return the first text that is marked for translation below a call; "" where it comes from elsewhere."""
    for argument in call.args[1:]:
        for node in ast.walk(argument):
            if isinstance(node, ast.Call) and _name(node) == "N_" and isinstance(node.args[0], ast.Constant):
                return str(node.args[0].value)
    return ""
