"""Whole scans of one file: which rules fire on it, and on which records."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import haidang
from haidang.findings.model import ScanSummary

if TYPE_CHECKING:
    from pathlib import Path

    from haidang import Finding

_RULE = """title: {title}
id: 00000000-0000-4000-8000-{number:012}
status: test
level: medium
logsource: {{{logsource}}}
detection:
  selection:
{selection}
  condition: selection
"""


def write_rules(folder: Path, **rules: tuple[str, str]) -> Path:
    """Write rules, each given by its name, its logsource and the YAML of its selection."""
    folder.mkdir(exist_ok=True)
    for number, (title, (logsource, selection)) in enumerate(rules.items()):
        indented = "\n".join(f"    {line}" for line in selection.splitlines())
        text = _RULE.format(title=title, number=number, logsource=logsource, selection=indented)
        (folder / f"{title}.yml").write_text(text)
    return folder


def take_rules(corpora: Path, folder: Path, *names: str) -> Path:
    """Copy rules of SigmaHQ, named by the ends of their paths, into a folder of the test."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(corpora / "sigma_all_rules.zip") as archive:
        for member in archive.namelist():
            if member.endswith(names):
                (folder / member.rpartition("/")[2]).write_bytes(archive.read(member))
    assert len(list(folder.iterdir())) == len(names)
    return folder


def scan_bytes(tmp_path: Path, data: bytes, rules: Path, name: str = "log") -> list[Finding]:
    """Return the findings in a file that holds ``data``."""
    file = tmp_path / name
    file.write_bytes(data)
    ruleset = haidang.load_rules(rules, cache=False)
    return list(haidang.scan(file, rules=ruleset, summary=ScanSummary()))


def fired(tmp_path: Path, data: bytes, rules: Path, name: str = "log") -> set[tuple[str, str]]:
    """Return the title of each rule that fires, with the record on which it does."""
    return {(one.rule.title, str(one.source.record)) for one in scan_bytes(tmp_path, data, rules, name)}
