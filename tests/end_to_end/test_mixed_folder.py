"""A folder as people have it: many formats, archives in archives, junk; one command accounts for it all."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

import haidang
from haidang.cli.main import main
from haidang.findings.model import ScanSummary
from tests.packing import tarred, zipped

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLES = Path(__file__).parent.parent / "events" / "readers" / "samples"
JUNK = {
    "empty.log": b"",
    "photo.png": b"\x89PNG\r\n\x1a\n" + bytes(200),
    "program.exe": b"MZ\x90\x00" + bytes(500),
    "noise.bin": bytes(range(256)) * 40,
    "broken.ndjson": b'{"a": 1}\n{"a":\n{"a": 2}\n',
}


def samples() -> dict[str, tuple[str, bytes]]:
    """Return every sample by a name of its own, with the name of its reader."""
    found = {}
    for path in sorted(SAMPLES.glob("*/*")):
        module = path.parent.name
        if path.is_file() and (module != "parquet" or find_spec("pyarrow")):
            reader = import_module(f"haidang.events.readers.{module}").READER.name
            found[f"{module}-{path.name}"] = (reader, path.read_bytes())
    return found


PACKINGS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("", bytes),
    (".gz", gzip.compress),
    (".bz2", bz2.compress),
    (".xz", lzma.compress),
    (".zst", zstandard.compress),
)


def lay_out(folder: Path) -> dict[str, str]:
    """Write the folder; return for each file, as the account names it, which reader it is for."""
    expected: dict[str, str] = {}
    together: dict[str, bytes] = {}
    for at, (name, (reader, data)) in enumerate(samples().items()):
        where = folder / f"unit-{at % 7}"
        where.mkdir(parents=True, exist_ok=True)
        suffix, pack = PACKINGS[at % len(PACKINGS)]
        (where / f"{name}{suffix}").write_bytes(pack(data))
        expected[str(where / f"{name}{suffix}")] = reader
        together[name] = data
        inside = f"inner.zip!tars/logs.tar.gz!{name}"
        expected[f"{folder / 'outer.zip'}!{inside}"] = reader
    inner = zipped({"tars/logs.tar.gz": gzip.compress(tarred(together)), **JUNK})
    (folder / "outer.zip").write_bytes(zipped({"inner.zip": inner}))
    for name, data in JUNK.items():
        (folder / name).write_bytes(data)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    os.mkfifo(folder / "pipe")
    return expected


def test_every_file_of_a_mixed_folder_is_read_as_what_it_is_or_named(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    expected = lay_out(folder)
    summary = ScanSummary()
    findings = list(haidang.scan(folder, summary=summary))
    assert findings
    files = {report.path: report for report in summary.files}
    assert len(files) == len(summary.files)
    assert len(set(expected.values())) > 20
    assert {path: files[path].format for path in expected if path in files} == expected
    by_name: dict[str, set[int]] = {}
    for path, reader in expected.items():
        name = path.rpartition("!")[2].rpartition("/")[2]
        for suffix, _ in PACKINGS:
            name = name.removesuffix(suffix)
        by_name.setdefault(f"{reader} {name}", set()).add(files[path].records)
    # Every sample has events, and the same number of them wherever it lies and however it is packed.
    assert {name for name, counts in by_name.items() if len(counts) != 1 or 0 in counts} == set()
    for name in JUNK:
        for path in (str(folder / name), f"{folder / 'outer.zip'}!inner.zip!{name}"):
            assert files[path].problems, path
    for name in ("loop", "pipe"):
        assert files[str(folder / name)].problems


def test_the_command_says_that_not_all_could_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    lay_out(folder)
    out = tmp_path / "findings.ndjson"
    assert main(["scan", str(folder), "--quiet", "--format", "ndjson", "--output", str(out)]) == 3
    summary = json.loads(out.read_text().splitlines()[-1])
    named = {file["path"] for file in summary["files"]["incomplete"]}
    assert {str(folder / name) for name in (*JUNK, "loop", "pipe")} <= named
