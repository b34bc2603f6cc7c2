"""Small logs of many products that others recorded: each file is accounted for, line by line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import haidang
from haidang.events.model import EventBatch
from haidang.events.readers import readers
from haidang.events.streams import find_inputs, open_input
from haidang.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from haidang.events.model import FileReport

# What network devices wrote: which reader takes the file, and how many events of which family there are.
NETWORK = {
    "bind9-logs": ("bind", {"bind": 13}),
    "bind9-refused": ("bind", {"bind": 23}),
    "charon-ipsec-logs": ("syslog", {"syslog": 154}),
    "iptables-scan-multi-port": ("syslog", {"netfilter": 49}),
    "mikrotik-bf": ("syslog", {"mikrotik": 8}),
    "openvpn": ("openvpn", {"openvpn": 24}),
    "opnsense-gui-auth": ("syslog", {"syslog": 6}),
    "pfsense-gui-auth": ("syslog", {"syslog": 9}),
    "pfsense-rfc5424-filterlog": ("syslog", {"filterlog": 4}),
    "pfsense-rfc5424-nginx": ("syslog", {"weberror": 1}),
    "wireguard-auth": ("syslog", {"syslog": 5}),
}
# Files that mix JSON with lines of text: how many lines of them no event was made of, at most.
INCOMPLETE = {"audiobookshelf-logs": 4, "authelia-logs": 15}


@pytest.fixture(scope="module")
def reports(corpora: Path) -> list[FileReport]:
    """What a scan says of each file."""
    summary = haidang.ScanSummary()
    rules = haidang.load_rules()
    for _ in haidang.scan(corpora / "logs", rules=rules, summary=summary):
        pass
    return summary.files


def case(report: FileReport) -> str:
    return report.path.rpartition("/")[2].partition("__")[0]


def test_every_file_is_recognised_and_gives_events(reports: list[FileReport]) -> None:
    assert len(reports) > 180
    assert [case(one) for one in reports if one.format not in readers() or not one.records] == []


def test_what_could_not_be_read_is_said_of_few_files(reports: list[FileReport]) -> None:
    said = {case(one): one for one in reports if not one.complete}
    assert said.keys() <= INCOMPLETE.keys()
    for name, report in said.items():
        assert 0 < report.skipped <= INCOMPLETE[name]
        assert sum(problem.count for problem in report.problems.values()) == report.skipped


def test_no_line_is_lost(reports: list[FileReport]) -> None:
    """Where each line says all by itself, there is an event for each, or it is counted as skipped."""
    short = []
    for one in reports:
        if getattr(readers()[one.format], "splittable", False):
            lines = [line for line in Path(one.path).read_bytes().splitlines() if line.strip()]
            told = sum(not line.startswith(b"#") for line in lines)
            if one.records + one.skipped < told:
                short.append((case(one), one.format, one.records, told))
    assert short == []


def lost(report: FileReport) -> None:
    pytest.fail(f"{report.path} was not opened")


@pytest.mark.parametrize("name", NETWORK)
def test_logs_of_network_devices_go_to_their_readers(corpora: Path, name: str) -> None:
    (path,) = (corpora / "logs").glob(f"{name}__*.log")
    ((report, batches),) = [
        opened
        for item in find_inputs([str(path)], limits=DEFAULT_LIMITS, on_problem=lost)
        for opened in open_input(item, limits=DEFAULT_LIMITS)
    ]
    origins = Counter(
        batch.origin for batch in batches if isinstance(batch, EventBatch) for _ in batch.records
    )
    assert (report.format, dict(origins)) == NETWORK[name]
