"""Inputs for the measurements, made once from the corpora beside the repository."""

from __future__ import annotations

import random
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["evtx_folder", "made_indicators", "more_rules", "windows_ndjson"]

_RULES_A_FILE = 100


def windows_ndjson(corpora: Path, work: Path, times: int) -> Path:
    """Return one NDJSON file of all recorded Windows attacks, ``times`` over."""
    path = work / f"windows-{times}.ndjson"
    if path.exists():
        return path
    with path.with_suffix(".part").open("wb") as out:
        for _ in range(times):
            for archive in sorted((corpora / "mordor").glob("*.zip")):
                _append(archive, out)
    path.with_suffix(".part").rename(path)
    return path


def _append(archive: Path, out: Any) -> None:
    with zipfile.ZipFile(archive) as source:
        for name in source.namelist():
            if name.endswith(".json") and "__MACOSX" not in name and "ec2_" not in name:
                data = source.read(name)
                out.write(data if data.endswith(b"\n") else data + b"\n")


def evtx_folder(corpora: Path, work: Path, times: int) -> Path:
    """Return a folder with the regression EVTX files, ``times`` over."""
    folder = work / f"evtx-{times}"
    if not folder.exists():
        temporary = folder.with_suffix(".part")
        temporary.mkdir(parents=True)
        for source in sorted((corpora / "regression").glob("*.evtx")):
            for at in range(times):
                shutil.copyfile(source, temporary / f"{source.stem}-{at}.evtx")
        temporary.rename(folder)
    return folder


def more_rules(rules: Path, work: Path, times: int) -> Path:
    """Return a folder with the rules and ``times`` - 1 copies of them with other literals and ids."""
    import yaml

    folder = work / f"rules-{times}"
    if folder.exists():
        return folder
    temporary = folder.with_suffix(".part")
    temporary.mkdir(parents=True)
    with zipfile.ZipFile(rules) as source:
        names = [name for name in source.namelist() if name.endswith(".yml")]
        documents = [yaml.load(source.read(name), yaml.CSafeLoader) for name in names]
    for copy in range(times):
        changed = [_changed(document, copy) if copy else document for document in documents]
        # Many rules a file: the loader's work is that of the rules, not of opening files.
        for start in range(0, len(changed), _RULES_A_FILE):
            with (temporary / f"copy-{copy}-{start}.yml").open("w", encoding="utf-8") as out:
                some = changed[start : start + _RULES_A_FILE]
                yaml.dump_all(some, out, yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    temporary.rename(folder)
    return folder


def made_indicators(work: Path, count: int) -> Path:
    """Return a plain list of ``count`` made indicators: addresses, names, URLs and hashes that no log has."""
    path = work / f"indicators-{count}.txt"
    if path.exists():
        return path
    chance = random.Random(1)  # noqa: S311 - the same list on every machine, not a secret
    bits = chance.getrandbits
    with path.with_suffix(".part").open("w", encoding="utf-8") as out:
        for at in range(count):
            kind = at % 20
            if kind < 8:
                out.write(f"{20 + at % 80}.{bits(8)}.{bits(8)}.{1 + bits(7)}\n")
            elif kind < 14:
                out.write(f"h{bits(40):x}.c{at % 9973}.example\n")
            elif kind < 17:
                out.write(f"http://u{bits(32):x}.example/{bits(32):x}?q={at}\n")
            else:
                out.write(f"{bits(256):064x}\n")
    path.with_suffix(".part").rename(path)
    return path


def _changed(document: dict[str, Any], copy: int) -> dict[str, Any]:
    identifier = str(document["id"])
    detection = {
        name: value if name == "condition" else _other_literals(value, f"q{copy}", "")
        for name, value in document["detection"].items()
    }
    return {
        **document,
        "id": f"{copy:08x}{identifier[8:]}",
        "title": f"{document['title']} {copy}",
        "detection": detection,
    }


def _other_literals(value: Any, mark: str, field: str) -> Any:
    """Return a detection with every text changed in its middle; what selects the log stays as it is."""
    if isinstance(value, dict):
        return {name: _other_literals(item, mark, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_other_literals(item, mark, field) for item in value]
    kept = field.split("|", maxsplit=1)[0] in {"EventID", "Channel", "Provider_Name"} or any(
        word in field for word in ("|re", "|cidr", "|base64", "|expand", "|fieldref", "|exists")
    )
    if not isinstance(value, str) or len(value) < 4 or kept:
        return value
    middle = len(value) // 2
    # Not between a backslash and what it escapes.
    while middle and value[middle - 1] == "\\":
        middle -= 1
    return value[:middle] + mark + value[middle:]
