"""Inputs for the measurements, made once from the corpora beside the repository.

Making them takes memory: the measuring process calls these by ``measure.elsewhere``.
"""

from __future__ import annotations

import random
import shutil
import zipfile
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "drop_rules",
    "evtx_folder",
    "made_indicators",
    "more_rules",
    "rule_ids",
    "windows_events",
    "windows_ndjson",
    "windows_parquet",
]

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


def windows_events(corpora: Path, work: Path, most: int | None = None) -> list[dict[str, Any]]:
    """Return the recorded Windows attacks; a name has values of one type, as a column does: else text."""
    import orjson

    with windows_ndjson(corpora, work, 1).open("rb") as source:
        events = [orjson.loads(line) for line in islice(source, most) if line.strip()]
    kinds: dict[str, set[type]] = {}
    for event in events:
        for name, value in event.items():
            kinds.setdefault(name, set()).add(type(value))
    mixed = [name for name, found in kinds.items() if len(found - {type(None)}) > 1]
    for event in events:
        event.update((name, str(event[name])) for name in mixed if event.get(name) is not None)
    return events


def windows_parquet(corpora: Path, work: Path, times: int) -> tuple[Path, Path]:
    """Return the recorded Windows attacks as NDJSON and as Parquet, event for event the same, ``times`` over.

    A column has one type: where recordings disagree, numbers are text in both files.
    """
    ndjson, parquet = work / f"columns-{times}.ndjson", work / f"columns-{times}.parquet"
    if not parquet.exists():
        import orjson
        import pyarrow as pa
        import pyarrow.parquet as pq

        events = windows_events(corpora, work)
        names = dict.fromkeys(name for event in events for name in event)
        table = pa.table({name: [event.get(name) for event in events] for name in names})
        data = b"".join(
            orjson.dumps({name: value for name, value in event.items() if value is not None}) + b"\n"
            for event in events
        )
        with ndjson.open("wb") as out, pq.ParquetWriter(parquet.with_suffix(".part"), table.schema) as writer:
            for _ in range(times):
                out.write(data)
                writer.write_table(table)
        parquet.with_suffix(".part").rename(parquet)
    return ndjson, parquet


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
    """Return a folder with the rules and ``times`` - 1 copies of them with other literals and ids.

    A rule of which no literal can be changed (it looks at numbers or networks alone) is not copied: its copy
    would find all that it finds.
    """
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
        copied = (_changed(document, copy) if copy else document for document in documents)
        changed = [document for document in copied if document is not None]
        # Many rules a file: the loader's work is that of the rules, not of opening files.
        for start in range(0, len(changed), _RULES_A_FILE):
            with (temporary / f"copy-{copy}-{start}.yml").open("w", encoding="utf-8") as out:
                some = changed[start : start + _RULES_A_FILE]
                yaml.dump_all(some, out, yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    temporary.rename(folder)
    return folder


def rule_ids(rules: Path) -> set[str]:
    """Return the ids of the rules of a release."""
    import yaml

    with zipfile.ZipFile(rules) as source:
        names = [name for name in source.namelist() if name.endswith(".yml")]
        return {str(yaml.load(source.read(name), yaml.CSafeLoader)["id"]) for name in names}


def drop_rules(folder: Path, ids: set[str]) -> None:
    """Take the rules with these ids out of the files of a folder."""
    import yaml

    for path in sorted(folder.glob("*.yml")) if ids else ():
        documents = list(yaml.load_all(path.read_text(encoding="utf-8"), yaml.CSafeLoader))
        kept = [document for document in documents if document["id"] not in ids]
        if len(kept) < len(documents):
            with path.open("w", encoding="utf-8") as out:
                yaml.dump_all(kept, out, yaml.CSafeDumper, allow_unicode=True, sort_keys=False)


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


def _changed(document: dict[str, Any], copy: int) -> dict[str, Any] | None:
    identifier = str(document["id"])
    detection = {
        name: value if name == "condition" else _other_literals(value, f"q{copy}", "")
        for name, value in document["detection"].items()
    }
    if detection == document["detection"]:
        return None
    return {
        **document,
        "id": f"{copy:08x}{identifier[8:]}",
        "title": f"{document['title']} {copy}",
        "detection": detection,
    }


def _other_literals(value: Any, mark: str, field: str) -> Any:
    """Return a detection with every text changed in its middle; what selects the log stays as it is.

    An expression is asked for the mark behind what it matched.
    """
    if isinstance(value, dict):
        return {name: _other_literals(item, mark, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_other_literals(item, mark, field) for item in value]
    kept = field.split("|", maxsplit=1)[0] in {"EventID", "Channel", "Provider_Name"} or any(
        word in field for word in ("|cidr", "|base64", "|expand", "|fieldref", "|exists")
    )
    if not isinstance(value, str) or len(value) < 2 or kept:
        return value
    if "|re" in field:
        return f"(?:{value}){mark}"
    middle = len(value) // 2
    # Not between a backslash and what it escapes.
    while middle and value[middle - 1] == "\\":
        middle -= 1
    return value[:middle] + mark + value[middle:]
