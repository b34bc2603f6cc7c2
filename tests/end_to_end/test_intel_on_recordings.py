"""Indicators taken from recorded attacks are found in exactly the events that hold them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import orjson

import haidang
from haidang.intel.model import Indicator
from haidang.intel.store import Source, compile_sources

if TYPE_CHECKING:
    from pathlib import Path

SYSMON = "Microsoft-Windows-Sysmon/Operational"
RULE = """title: Nothing
logsource: {product: windows, category: process_creation}
detection: {s: {Image: none}, condition: s}
"""


def smallest(corpora: Path, most: int) -> list[tuple[str, bytes]]:
    """Return the smallest recordings as (name, NDJSON)."""
    found = []
    for archive in sorted((corpora / "mordor").glob("*.zip"), key=lambda path: path.stat().st_size):
        with zipfile.ZipFile(archive) as source:
            names = [
                name
                for name in source.namelist()
                if name.endswith(".json") and "__MACOSX" not in name and "ec2_" not in name
            ]
            found += [(archive.stem, source.read(name)) for name in names]
    return found[:most]


def holds(event: dict[str, Any], addresses: set[str], digests: set[str]) -> bool:
    """Return whether a Sysmon event names one of them, where its kind of event can."""
    if event["EventID"] == 3:
        return bool({str(event.get("SourceIp")), str(event.get("DestinationIp"))} & addresses)
    if event["EventID"] == 22:
        return bool(
            {part.removeprefix("::ffff:") for part in str(event.get("QueryResults")).split(";")} & addresses
        )
    named = any(digest in str(event.get("Hashes", "")).lower() for digest in digests)
    return named or (event["EventID"] == 1 and any(one in str(event.get("CommandLine")) for one in addresses))


def test_every_event_with_a_known_address_or_hash_and_no_other_is_found(
    corpora: Path, tmp_path: Path
) -> None:
    (tmp_path / "rule.yml").write_text(RULE)
    looked = 0
    for name, data in smallest(corpora, 4):
        events: list[dict[str, Any]] = [orjson.loads(line) for line in data.splitlines() if line.strip()]
        sysmon = [one for one in events if one.get("Channel") == SYSMON]
        seen = {str(one["DestinationIp"]) for one in sysmon if one["EventID"] == 3}
        addresses = sorted(address for address in seen if address.count(".") == 3)[:3]
        digests = sorted(
            {
                part.partition("=")[2].lower()
                for one in sysmon
                if one["EventID"] in {1, 7}
                for part in str(one.get("Hashes", "")).split(",")
                if part.startswith("SHA256=")
            }
        )[:3]
        indicators = [
            *(Indicator("ip", address) for address in addresses),
            *(Indicator("hash", digest) for digest in digests),
        ]
        wanted = {
            at
            for at, one in enumerate(events, start=1)
            if one.get("Channel") == SYSMON and holds(one, set(addresses), set(digests))
        }
        path = tmp_path / f"{name}.json"
        path.write_bytes(data)
        intel = compile_sources([(Source("s", "list", ""), indicators)])
        rules = haidang.load_rules(tmp_path / "rule.yml", intel=intel, cache=False)
        lines = [
            finding.source.record
            for finding in haidang.scan(path, rules=rules)
            if orjson.loads(data.splitlines()[finding.source.record - 1]).get("Channel") == SYSMON
        ]
        assert set(lines) == wanted
        looked += len(wanted)
    assert looked, "no recording holds an address or a hash"


def test_addresses_in_logs_of_many_products_are_found_where_they_stand(corpora: Path, tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(RULE)
    addresses = ("116.178.2.170", "49.88.112.72", "153.3.95.65", "35.188.49.176", "104.219.136.31")
    logs = corpora / "logs"
    lines = sum(
        any(address.encode() in line for address in addresses)
        for path in logs.iterdir()
        for line in path.read_bytes().splitlines()
    )
    intel = compile_sources([(Source("s", "list", ""), [Indicator("ip", one) for one in addresses])])
    rules = haidang.load_rules(tmp_path / "rule.yml", intel=intel, cache=False)
    found = {(one.source.path, one.source.record) for one in haidang.scan(logs, rules=rules)}
    assert lines > 250
    # A few stand in fields that say nothing of who talked to whom.
    assert len(found) >= 0.95 * lines
