"""STIX: bundles that OASIS's validator takes, with the same ids every time."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import pytest

from haidang.findings.model import Finding, Match, ScanSummary
from haidang.findings.outputs.stix import StixWriter
from haidang.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = 1_772_352_000_000_000_000
WHOLE = {
    "Image": "C:\\Windows\\System32\\cmd.exe",
    "CommandLine": "cmd.exe /c whoami",
    "ProcessId": "5252",
    "ParentImage": "C:\\Windows\\explorer.exe",
    "User": "HAIVAN\\lan",
    "Hashes": "MD5=EADC383791A0013B549249BE0618A7CB,SHA256=" + "A" * 64,
    "SourceIp": "10.0.0.5",
    "SourcePort": "50000",
    "DestinationIp": "10.0.0.6",
    "DestinationPort": 443,
    "Protocol": "TCP",
    "TargetFilename": "/tmp/x",
    "TargetObject": "HKLM\\Software\\X",
    "url": "https://example.org/x",
}


def bundle(*findings: Finding, limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    stream = io.BytesIO()
    writer = StixWriter(stream, lambda: NOW, limits)
    for finding in findings:
        writer.write(finding)
    writer.close(ScanSummary(findings=len(findings)))
    found: dict[str, Any] = json.loads(stream.getvalue())
    return found


def of_type(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in found["objects"] if each["type"] == kind]


def test_the_validator_of_oasis_finds_no_error(make_finding: Callable[..., Finding]) -> None:
    validator = pytest.importorskip("stix2validator", reason="stix2-validator is not installed")
    found = bundle(
        make_finding(),
        make_finding(id="1" * 32, event=WHOLE),
        make_finding(id="2" * 32, event={}, matched=(), host="", time=None, rule_id="", rule_tags=()),
        make_finding(id="3" * 32, event={"SourceIp": "fe80::1%eth0", "exe": "bash"}, rule_description=""),
        make_finding(
            id="5" * 32, event={"url": "/index.php?x", "DestinationPort": 70000, "DestinationIp": "::1"}
        ),
        make_finding(id="4" * 32, origin="correlation", members=("1" * 32,), count=7),
    )
    result = validator.validate_instance(found, validator.ValidationOptions(version="2.1"))
    assert [str(error) for error in result.errors or ()] == []
    broken = {**found, "objects": [{**each, "spec_version": "2.x"} for each in found["objects"]]}
    assert not validator.validate_instance(broken, validator.ValidationOptions(version="2.1")).is_valid


FROM_A_FEED = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"


def test_a_hit_is_a_sighting_of_the_indicator_that_came_with_an_id(
    make_finding: Callable[..., Finding],
) -> None:
    matched = (
        Match("DestinationIp", "198.51.100.7", "indicator address '198.51.100.7'", FROM_A_FEED),
        Match("DestinationHostname", "evil.example", "indicator domain name 'evil.example'", "5"),
    )
    hit = make_finding(matched=matched, event=WHOLE, rule_tags=("tlp.amber+strict",))
    only = make_finding(id="1" * 32, matched=matched[:1], rule_title="Other", rule_tags=("tlp.red",))
    found = bundle(hit, only)
    sightings = of_type(found, "sighting")
    (rule,) = of_type(found, "indicator")
    assert [one["sighting_of_ref"] for one in sightings] == [FROM_A_FEED, rule["id"], FROM_A_FEED]
    assert len({one["id"] for one in sightings}) == 3
    assert "DestinationHostname" not in sightings[0]["description"]
    names = {one["id"]: one["name"] for one in of_type(found, "marking-definition")}
    assert [names[one["object_marking_refs"][0]] for one in (*sightings, rule)] == [
        "TLP:AMBER+STRICT",
        "TLP:AMBER+STRICT",
        "TLP:RED",
        "TLP:AMBER+STRICT",
    ]
    assert all("object_marking_refs" in one for one in of_type(found, "observed-data"))
    validator = pytest.importorskip("stix2validator", reason="stix2-validator is not installed")
    result = validator.validate_instance(found, validator.ValidationOptions(version="2.1"))
    assert [str(error) for error in result.errors or ()] == []


def test_every_reference_leads_to_an_object_of_the_bundle(make_finding: Callable[..., Finding]) -> None:
    found = bundle(make_finding(event=WHOLE))
    ids = {each["id"] for each in found["objects"]}
    for each in found["objects"]:
        for key, value in each.items():
            if key.endswith("_ref"):
                assert value in ids, (each["id"], key)
            if key.endswith("_refs"):
                assert set(value) <= ids


def test_the_same_findings_give_the_same_bytes(make_finding: Callable[..., Finding]) -> None:
    assert bundle(make_finding(event=WHOLE)) == bundle(make_finding(event=WHOLE))
    assert bundle(make_finding())["id"] != bundle(make_finding(id="9" * 32))["id"]


def test_observables_have_the_ids_that_the_specification_computes(
    make_finding: Callable[..., Finding],
) -> None:
    found = bundle(make_finding(event={"SourceIp": "198.51.100.3"}))
    (address,) = of_type(found, "ipv4-addr")
    # STIX 2.1, section 2.9: version 5 in this namespace over the canonical JSON of the value.
    namespace = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
    assert (
        address["id"]
        == f"ipv4-addr--{uuid5(namespace, json.dumps({'value': '198.51.100.3'}, separators=(',', ':')))}"
    )


def test_an_indicator_is_the_rule_itself(make_finding: Callable[..., Finding], tmp_path: Path) -> None:
    text = "title: Một quy tắc\nlogsource: {product: windows}\n"
    (tmp_path / "rule.yml").write_text(text, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "rules.zip", "w") as archive:
        archive.writestr("windows/rule.yml", text)
    for path in (str(tmp_path / "rule.yml"), f"{tmp_path / 'rules.zip'}!windows/rule.yml"):
        (indicator,) = of_type(bundle(make_finding(rule_path=path)), "indicator")
        assert indicator["pattern_type"] == "sigma"
        assert indicator["pattern"] == text


def test_a_rule_that_is_gone_is_named_in_the_pattern(make_finding: Callable[..., Finding]) -> None:
    (indicator,) = of_type(
        bundle(make_finding(rule_id="", rule_title="it's\\odd", rule_path="gone.zip!x")), "indicator"
    )
    assert indicator["pattern_type"] == "stix"
    assert indicator["pattern"] == "[x-haidang-finding:rule = 'it\\'s\\\\odd']"


def test_one_indicator_spans_all_findings_of_its_rule(make_finding: Callable[..., Finding]) -> None:
    found = bundle(
        make_finding(id="1" * 32, time="2026-03-02T00:00:00Z"),
        make_finding(id="2" * 32, time="2026-03-01T00:00:00Z"),
    )
    (indicator,) = of_type(found, "indicator")
    assert indicator["valid_from"] == "2026-03-01T00:00:00.000Z"
    assert indicator["modified"] == "2026-03-02T00:00:00.000Z"
    assert {each["sighting_of_ref"] for each in of_type(found, "sighting")} == {indicator["id"]}
    assert indicator["external_references"][1]["external_id"] == "T1059.001"


def test_an_object_is_written_once(make_finding: Callable[..., Finding]) -> None:
    found = bundle(*(make_finding(id=str(n) * 32, event={"SourceIp": "10.0.0.5"}) for n in range(4)))
    ids = [each["id"] for each in found["objects"]]
    assert len(ids) == len(set(ids))
    assert len(of_type(found, "sighting")) == 4


def test_memory_for_ids_is_bounded_by_stix_objects(make_finding: Callable[..., Finding]) -> None:
    stream = io.BytesIO()
    writer = StixWriter(stream, lambda: NOW, replace(DEFAULT_LIMITS, stix_objects=5))
    for n in range(40):
        writer.write(make_finding(id=f"{n:032d}"))
        assert len(writer._written) <= 5
    writer.close(ScanSummary())
    assert len(of_type(json.loads(stream.getvalue()), "sighting")) == 40


def test_hives_are_spelled_out(make_finding: Callable[..., Finding]) -> None:
    (key,) = of_type(bundle(make_finding(event=WHOLE)), "windows-registry-key")
    assert key["key"] == "HKEY_LOCAL_MACHINE\\Software\\X"
