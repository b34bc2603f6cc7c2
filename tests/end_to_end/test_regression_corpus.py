"""The recorded samples of the rules' own authors, and recordings of attacks as they come."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING
from zipfile import ZipFile

import haidang
from haidang.findings.model import ScanSummary

if TYPE_CHECKING:
    from pathlib import Path

# Packed on a system that adds a file of its own beside each.
JUNK = (
    "psh_metasploit_stop_netprofm_eventlog_before_reboot.zip",
    "cmd_wevtutil_modify_security_eventlog_path.zip",
)


def test_each_rule_finds_the_sample_that_its_authors_recorded_for_it(corpora: Path) -> None:
    folder = corpora / "regression"
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    summary = ScanSummary()
    rules = haidang.load_rules(corpora / "sigma_all_rules.zip")
    found = Counter(
        (finding.rule.id, finding.source.path.rsplit("/", 1)[1])
        for finding in haidang.scan(*sorted(folder.glob("*.evtx")), rules=rules, summary=summary)
    )
    assert expected
    short = {
        (one["rule"], one["file"]): (found[one["rule"], one["file"]], one["match_count"])
        for one in expected
        if found[one["rule"], one["file"]] < (one["match_count"] or 1)
    }
    assert not short
    assert [file.path for file in summary.files if not file.complete] == []


def test_every_file_in_an_archive_is_read_or_named_with_its_problem(corpora: Path) -> None:
    summary = ScanSummary()
    archives = sorted((corpora / "mordor").glob("*.zip"), key=lambda path: path.stat().st_size)
    archives = [*archives[:6], *(corpora / "mordor" / name for name in JUNK)]
    for _ in haidang.scan(*archives, summary=summary):
        pass
    junk = 0
    reported = {file.path: file for file in summary.files}
    assert len(reported) == len(summary.files)
    for archive in archives:
        with ZipFile(archive) as members:
            names = [member.filename for member in members.infolist() if not member.is_dir()]
        for name in names:
            file = reported.pop(f"{archive}!{name}")
            assert file.problems or (file.format and file.records), file
            junk += "__MACOSX" in name
    assert junk == len(JUNK)
    assert all(file.problems for file in reported.values())
