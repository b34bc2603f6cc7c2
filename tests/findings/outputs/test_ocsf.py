"""OCSF: events that the published schema takes, with what analysts pivot on."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source
from haidang.findings.outputs import outputs
from haidang.findings.outputs.ocsf import OUTPUT, SCHEMA_VERSION, OcsfWriter, detection_finding

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_772_352_000_000_000_000


@cache
def published_schema() -> Draft202012Validator:
    """Return the published schema of the class, as its own project's export carries it."""
    carrier = pytest.importorskip("ocsf_json_schema", reason="ocsf-json-schema is not installed")
    schema = carrier.OcsfJsonSchemaEmbedded(carrier.get_ocsf_schema(SCHEMA_VERSION))
    return Draft202012Validator(schema.get_class_schema("detection_finding", []))


@pytest.fixture
def published() -> Draft202012Validator:
    return published_schema()


def written(*findings: Finding) -> list[dict[str, Any]]:
    stream = io.BytesIO()
    writer = OcsfWriter(stream, lambda: NOW)
    for finding in findings:
        writer.write(finding)
    writer.close(ScanSummary(findings=len(findings)))
    return [json.loads(line) for line in stream.getvalue().splitlines()]


WHOLE = {
    "Image": "C:\\Windows\\System32\\cmd.exe",
    "CommandLine": "cmd.exe /c whoami",
    "ProcessId": "5252",
    "ProcessGuid": "{5c1e7a42-0fd8-6af5-005c-000000000b00}",
    "ParentImage": "C:\\Windows\\explorer.exe",
    "ParentProcessId": 4,
    "User": "HAIVAN\\lan",
    "Hashes": "MD5=EADC383791A0013B549249BE0618A7CB,SHA256=" + "A" * 64,
    "SourceIp": "10.0.0.5",
    "SourcePort": "50000",
    "DestinationIp": "2001:db8::1",
    "DestinationPort": 443,
    "DestinationHostname": "example.org",
    "TargetFilename": "C:\\Temp\\x.dll",
    "TargetObject": "HKLM\\Software\\X",
    "ScriptBlockText": "whoami",
    "url": "https://example.org/x",
}


def test_every_part_of_an_event_is_what_the_published_schema_wants(
    published: Draft202012Validator, make_finding: Callable[..., Finding]
) -> None:
    correlation = make_finding(
        origin="correlation", members=("a" * 32, "b" * 32), group={"User": "lan"}, count=2
    )
    strange = make_finding(
        event={}, matched=(), host="", time=None, rule_level="odd", rule_id="", rule_tags=()
    )
    for event in written(make_finding(), make_finding(event=WHOLE), correlation, strange):
        assert [error.message for error in published.iter_errors(event)] == []


def test_the_schema_would_notice_a_missing_attribute(
    published: Draft202012Validator, make_finding: Callable[..., Finding]
) -> None:
    (event,) = written(make_finding())
    del event["finding_info"]["uid"]
    assert list(published.iter_errors(event))


def test_sample_findings_are_valid(
    published: Draft202012Validator, make_finding: Callable[..., Finding]
) -> None:
    tags = ("attack.credential-access", "attack.t1003.001", "attack.t9999", "attack.stealth")
    (event,) = written(make_finding(rule_tags=tags))
    assert not list(published.iter_errors(event))
    attacks = event["finding_info"]["attacks"]
    assert {"tactic": {"uid": "TA0006", "name": "Credential Access"}} in attacks
    assert {"technique": {"uid": "T9999"}} in attacks
    lsass = {
        "technique": {"uid": "T1003", "name": "OS Credential Dumping"},
        "sub_technique": {"uid": "T1003.001", "name": "LSASS Memory"},
    }
    assert lsass in attacks


def test_level_becomes_severity_and_high_ones_are_alerts(make_finding: Callable[..., Finding]) -> None:
    levels = ("informational", "low", "medium", "high", "critical", "odd")
    events = written(*(make_finding(rule_level=level) for level in levels))
    assert [event["severity_id"] for event in events] == [1, 2, 3, 4, 5, 0]
    assert [event["is_alert"] for event in events] == [False, False, False, True, True, False]


def test_time_is_the_events_own_and_the_exports_where_it_has_none(
    make_finding: Callable[..., Finding],
) -> None:
    timed, untimed = written(make_finding(), make_finding(time=None))
    assert timed["time"] == 1_772_352_765_500
    assert timed["finding_info"]["first_seen_time"] == timed["time"]
    assert untimed["time"] == NOW // 1_000_000
    assert "first_seen_time" not in untimed["finding_info"]


def test_process_user_addresses_and_hashes_are_evidence_and_observables(
    make_finding: Callable[..., Finding],
) -> None:
    (event,) = written(make_finding(event=WHOLE))
    (evidence,) = event["evidences"]
    assert evidence["process"]["pid"] == 5252
    assert evidence["process"]["parent_process"]["name"] == "explorer.exe"
    assert evidence["user"] == {"name": "lan", "domain": "HAIVAN"}
    assert evidence["src_endpoint"] == {"ip": "10.0.0.5", "port": 50000}
    assert evidence["dst_endpoint"]["ip"] == "2001:db8::1"
    assert evidence["reg_key"] == {"path": "HKLM\\Software\\X"}
    seen = {(each["type_id"], each["value"]) for each in event["observables"]}
    assert {(1, "WS01"), (2, "10.0.0.5"), (4, "lan"), (8, "A" * 64), (9, "cmd.exe")} <= seen


def test_what_matched_is_there_in_any_case(make_finding: Callable[..., Finding]) -> None:
    (event,) = written(make_finding())
    data = event["evidences"][0]["data"]
    assert data["matched"][0]["test"] == "endswith '\\powershell.exe'"
    assert data["event"]["EventID"] == 1


def test_text_that_is_not_unicode_does_not_lose_the_event(make_finding: Callable[..., Finding]) -> None:
    (event,) = written(make_finding(event={"CommandLine": "x\udcff"}))
    assert event["evidences"][0]["data"]["event"] == {"CommandLine": "x\\udcff"}


def test_the_ending_of_a_file_chooses_it() -> None:
    assert outputs()["ocsf"] is OUTPUT
    assert ".ocsf.json" in OUTPUT.suffixes


VALUES = st.one_of(
    st.text(max_size=30), st.integers(), st.none(), st.booleans(), st.lists(st.text(max_size=5), max_size=2)
)


# The schema is large, and validating against it slow.
@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), VALUES), st.text(max_size=20))
def test_any_value_in_a_known_field_stays_valid(event: dict[str, Any], host: str) -> None:
    rule = FindingRule("", "t", "low", "test", ())
    finding = Finding("0" * 32, rule, None, host, Source("x", 1), event, (Match("a", event, ""),))
    text = json.loads(json.dumps(detection_finding(finding, lambda: NOW)))
    assert [error.message for error in published_schema().iter_errors(text)] == []
