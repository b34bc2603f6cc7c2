"""What SigmaHQ's rules ask of the maps, and what loading them costs."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from haidang.sigma.ir import LogSource
from haidang.sigma.loading import LoadedRules, load
from haidang.sigma.logsource import load_maps, serves

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.sigma.ir import LogsourceEntry


@pytest.fixture(scope="module")
def loaded(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedRules:
    """The corpus, from a cache that was made before."""
    rules, folder = corpora / "sigma_all_rules.zip", tmp_path_factory.mktemp("cache")
    load([rules], cache_dir=folder)
    return load([rules], cache_dir=folder)


def entries(logsource: LogSource) -> list[LogsourceEntry]:
    return [entry for one in load_maps() for entry in one.entries if serves(entry.logsource, logsource)]


def test_every_rule_is_loaded_or_refused_for_want_of_a_placeholder(loaded: LoadedRules) -> None:
    assert loaded.files == 3780
    assert loaded.skipped == 0
    assert len(loaded.infos) + len(loaded.refused) == 3780
    assert all("no values are given for the placeholder" in error.reason for error in loaded.refused)
    assert loaded.notes == ()


def test_every_windows_linux_and_zeek_rule_has_a_route(loaded: LoadedRules) -> None:
    wanted = [one for one in loaded.groups if one.product in {"windows", "linux", "zeek"}]
    assert len(wanted) > 80
    assert [one for one in wanted if not entries(one)] == []


NETWORK = {"cisco", "fortigate", "fortios", "huawei", "juniper", "paloalto"}
# The file events of GlobalProtect are those of whatever watches the files of the device; no format has them.
NO_FORMAT = {LogSource("paloalto", "file_event", "globalprotect")}


def test_every_rule_on_network_devices_has_a_route(loaded: LoadedRules) -> None:
    # Cisco Duo is a service in the cloud, no device.
    wanted = [one for one in loaded.groups if one.product in NETWORK and one.service != "duo"]
    assert {one.product for one in wanted} == NETWORK
    assert {one for one in wanted if not entries(one)} == NO_FORMAT


def test_every_rule_that_names_no_product_has_a_route(loaded: LoadedRules) -> None:
    wanted = [one for one in loaded.groups if not one.product]
    assert len(wanted) > 5
    assert [one for one in wanted if not entries(one)] == []


# What the events of a category hold, as the vendor documents them, by the names that rules use. A field
# that is not here would make rules match nothing without a word.
SYSMON = {"Image", "ProcessId", "User", "UtcTime", "RuleName", "Computer", "Provider_Name", "EventID"}
KNOWN: dict[tuple[str, str], set[str]] = {
    ("windows", "process_creation"): {
        *("CommandLine", "Company", "CurrentDirectory", "Description", "FileVersion", "Hashes"),
        *("IntegrityLevel", "LogonId", "OriginalFileName", "ParentCommandLine", "ParentImage"),
        *("ParentProcessId", "ParentUser", "Product", "TerminalSessionId"),
    },
    ("windows", "file_change"): {"TargetFilename", "CreationUtcTime", "PreviousCreationUtcTime"},
    ("windows", "network_connection"): {
        *("Protocol", "Initiated", "SourceIsIpv6", "SourceIp", "SourceHostname", "SourcePort"),
        *("DestinationIsIpv6", "DestinationIp", "DestinationHostname", "DestinationPort"),
    },
    ("windows", "sysmon_status"): {"State", "Version", "Configuration"},
    ("windows", "driver_load"): {"ImageLoaded", "Hashes", "Signed", "Signature", "SignatureStatus"},
    ("windows", "image_load"): {
        *("ImageLoaded", "FileVersion", "Description", "Product", "Company", "OriginalFileName"),
        *("Hashes", "Signed", "Signature", "SignatureStatus"),
    },
    ("windows", "create_remote_thread"): {
        *("SourceImage", "TargetImage", "StartAddress", "StartModule", "StartFunction", "SourceUser"),
    },
    ("windows", "raw_access_thread"): {"Device"},
    ("windows", "process_access"): {
        *("SourceImage", "TargetImage", "GrantedAccess", "CallTrace", "SourceUser", "TargetUser"),
    },
    ("windows", "file_event"): {"TargetFilename", "CreationUtcTime"},
    ("windows", "registry_event"): {"EventType", "TargetObject", "Details", "NewName"},
    ("windows", "registry_add"): {"EventType", "TargetObject"},
    ("windows", "registry_delete"): {"EventType", "TargetObject"},
    ("windows", "registry_set"): {"EventType", "TargetObject", "Details"},
    ("windows", "create_stream_hash"): {"TargetFilename", "CreationUtcTime", "Hash", "Contents"},
    ("windows", "pipe_created"): {"EventType", "PipeName"},
    ("windows", "wmi_event"): {"EventType", "Operation", "Destination", "Name", "Query", "Type", "Consumer"},
    ("windows", "dns_query"): {"QueryName", "QueryStatus", "QueryResults"},
    ("windows", "file_delete"): {"TargetFilename", "Hashes", "IsExecutable", "Archived"},
    ("windows", "process_tampering"): {"Type"},
    ("windows", "file_executable_detected"): {"TargetFilename", "Hashes"},
    ("windows", "sysmon_error"): {"ID", "Description"},
    ("windows", "file_access"): {"FileName"},
    ("windows", "file_rename"): {"SourceFilename", "TargetFilename"},
    ("windows", "ps_script"): {"ScriptBlockText", "Path", "MessageNumber", "MessageTotal"},
    ("windows", "ps_module"): {"Payload", "ContextInfo", "UserData"},
    ("windows", "ps_classic_start"): {"Data"},
    ("windows", "ps_classic_provider_start"): {"Data"},
    ("linux", "process_creation"): {"CommandLine", "Image", "User", "CurrentDirectory", "LogonId"},
    ("linux", "file_event"): {"TargetFilename", "Image"},
    ("linux", "network_connection"): {"Image", "DestinationIp", "DestinationPort", "Initiated"},
    ("linux", "auditd"): {
        *("type", "exe", "comm", "key", "name", "nametype", "SYSCALL", "unit", "euid"),
        *(f"a{number}" for number in range(10)),
    },
    ("zeek", "dce_rpc"): {"operation", "endpoint"},
    ("zeek", "dns"): {"query", "answers", "rejected", "Z", "qtype_name", "id.resp_p"},
    ("zeek", "http"): {
        *("uri", "user_agent", "method", "host", "id.resp_h", "status_code", "resp_mime_types"),
        *("client_header_names", "request_body_len", "c-uri", "c-useragent"),
    },
    ("zeek", "kerberos"): {"request_type", "cipher", "service"},
    ("zeek", "rdp"): {"id.orig_h"},
    ("zeek", "smb_files"): {"name", "path"},
    ("zeek", "x509"): {"certificate.serial"},
}
# Fields that rules name although no log of ours holds them: enrichments of other products.
NOT_IN_ANY_LOG = {
    ("windows", "process_creation"): {"GrandParentImage"},
    ("windows", "network_connection"): {"CommandLine", "ParentImage"},
    ("windows", "image_load"): {"CommandLine"},
    ("windows", "create_remote_thread"): {"SourceParentImage", "SourceCommandLine", "TargetParentProcessId"},
    ("windows", "process_access"): {"SourceCommandLine"},
    ("windows", "file_event"): {"CommandLine", "ParentImage", "ParentCommandLine", "IntegrityLevel"},
    ("windows", "file_access"): {"ParentImage"},
    ("linux", "process_creation"): {"ParentImage", "ParentCommandLine"},
    ("linux", "network_connection"): {"DestinationHostname"},
}


def test_the_fields_that_rules_name_are_known_for_every_category(loaded: LoadedRules) -> None:
    unknown: dict[tuple[str, str], set[str]] = {}
    seen = set()
    for logsource, group in loaded.groups.items():
        place = (logsource.product, logsource.category or logsource.service)
        if place in KNOWN:
            seen.add(place)
            known = KNOWN[place] | (SYSMON if logsource.product == "windows" else set())
            used = {name for rule in group for name in rule.fields}
            unknown[place] = used - known - NOT_IN_ANY_LOG.get(place, set())
    assert seen == set(KNOWN)
    assert {place: names for place, names in unknown.items() if names} == {}


def test_every_windows_category_is_in_the_list_above(loaded: LoadedRules) -> None:
    categories = {one.category for one in loaded.groups if one.product == "windows" and one.category}
    assert {category for category in categories if ("windows", category) not in KNOWN} == set()


def accepts(entry: LogsourceEntry, event: dict[str, Any]) -> bool:
    return all(str(event.get(name, "")).lower() in wanted for name, wanted in entry.when.items())


def system(record: Any) -> dict[str, Any]:
    event = json.loads(record["data"])["Event"]
    number = event["System"]["EventID"]
    data = event.get("EventData") or {}
    return {
        **(data if isinstance(data, dict) else {}),
        "Channel": event["System"]["Channel"],
        "EventID": number["#text"] if isinstance(number, dict) else number,
    }


def test_recorded_events_are_where_the_map_of_their_rule_looks(loaded: LoadedRules, corpora: Path) -> None:
    from evtx import PyEvtxParser

    logsources = {info.id: logsource for logsource, group in loaded.groups.items() for info in group.infos}
    cases = json.loads((corpora / "regression" / "expected.json").read_text(encoding="utf-8"))
    lost = []
    for case in cases:
        parser = PyEvtxParser(str(corpora / "regression" / case["file"]))
        events = [system(record) for record in parser.records_json()]
        where = entries(logsources[case["rule"]])
        if sum(any(accepts(entry, event) for entry in where) for event in events) < (
            case["match_count"] or 1
        ):
            lost.append(case["title"])
    assert len(cases) > 90
    assert lost == []


def user_seconds() -> float:
    return os.times().user + os.times().system


@pytest.mark.slow
def test_the_cache_spares_most_of_what_loading_costs(corpora: Path, tmp_path: Path) -> None:
    rules = corpora / "sigma_all_rules.zip"
    start = user_seconds()
    load([rules], cache_dir=tmp_path)
    cold = user_seconds() - start
    start = user_seconds()
    warm_rules = load([rules], cache_dir=tmp_path)
    warm = user_seconds() - start
    start = time.process_time()
    decoded = sum(len(list(group)) for group in warm_rules.groups.values())
    decoding = time.process_time() - start
    assert decoded == len(warm_rules.infos)
    # A ratio of one run: seconds depend on who else uses the machine. The bars are in benchmarks/.
    assert warm + decoding < cold / 2
