"""The maps of cloud, identity and platform products: rules fire on native logs, and only where they should.

Each sample holds events in a product's own words (of our own writing), as its exports and interfaces wrap
them. ``OWN`` are rules of ours with the records that they must find; ``SIGMAHQ`` names rules of the corpus
and the records that they must find, among all the rules of those products.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import haidang

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLES = Path(__file__).parent / "samples"

# Sample, what it is taken for, its events, the log source of a rule, what it selects, and what it finds.
OWN: list[tuple[str, str, int, str, str, set[int]]] = [
    ("cloudtrail.json", "cloudtrail", 4, "product: aws, service: cloudtrail", "eventName: StopLogging", {1}),
    ("cloudtrail.json", "cloudtrail", 4, "product: aws, service: cloudtrail", "userIdentity.type: Root", {2}),
    (
        *("cloudtrail.json", "cloudtrail", 4, "product: aws, service: cloudtrail"),
        *('requestParameters|contains: \'"Status":"Suspended"\'', {3}),
    ),
    (
        "entra_sign_ins.json",
        "entrasignin",
        3,
        "product: azure, service: signinlogs",
        "ResultType: 53003",
        {1},
    ),
    ("entra_sign_ins.json", "entrasignin", 3, "product: azure, service: signinlogs", "Status: Success", {3}),
    (
        *("entra_sign_ins.json", "entrasignin", 3, "product: azure, service: signinlogs"),
        *("NetworkLocationDetails: '[]'", {1}),
    ),
    (
        *("entra_sign_ins_diagnostic.json", "entrasignin", 2, "product: azure, service: signinlogs"),
        *("properties.message: Device Code", {1}),
    ),
    (
        *("entra_audits.json", "entraaudit", 5, "product: azure, service: auditlogs"),
        *("ConsentContext.IsAdminConsent: 'false'", {2}),
    ),
    (
        *("entra_audits_diagnostic.json", "entraaudit", 2, "product: azure, service: auditlogs"),
        *("TargetResources|contains: '62e90394'", {1}),
    ),
    (
        *("entra_risks.json", "entrarisk", 3, "product: azure, service: pim"),
        *("riskEventType: noMfaOnRoleActivationAlertIncident", {2}),
    ),
    (
        *("azure_activity.json", "azureactivity", 2, "product: azure, service: activitylogs"),
        *("operationName|endswith: /DELETE", {1}),
    ),
    (
        *("azure_activity_rest.json", "azureactivity", 2, "product: azure, service: auditlogs"),
        *("OperationName: Assigns the caller to User Access Administrator role", {2}),
    ),
    ("microsoft365.json", "m365", 5, "product: m365, service: audit", "Parameters|contains: ForwardTo", {1}),
    (
        *("microsoft365.json", "m365", 5, "product: m365, service: threat_management"),
        *("{eventName: Impossible travel activity, status: success}", {2}),
    ),
    ("microsoft365_export.csv", "m365", 2, "product: m365, service: audit", "Parameters|contains: RSS", {2}),
    (
        *("google_cloud.json", "gcp", 6, "product: gcp, service: gcp.audit"),
        *("gcp.audit.method_name: storage.buckets.delete", {1}),
    ),
    (
        *("google_cloud.json", "gcp", 6, "product: gcp, service: gcp.audit"),
        *("data.protoPayload.logName: cloudaudit.googleapis.com%2Factivity", {1, 2, 3, 4, 6}),
    ),
    (
        *("google_cloud.json", "gcp", 6, "product: gcp, service: google_workspace.admin"),
        *("new_value: 'false'", {4}),
    ),
    (
        *("google_workspace.json", "workspace", 3, "product: gcp, service: google_workspace.admin"),
        *("setting_name|startswith: ContextAwareAccess", {1}),
    ),
    (
        *("google_workspace.json", "workspace", 3, "product: gcp, service: google_workspace.login"),
        *("protoPayload.metadata.event.eventName: gov_attack_warning", {2}),
    ),
    ("okta.json", "okta", 2, "product: okta, service: okta", "target.displayName: cong-cu", {1}),
    ("onelogin.json", "onelogin", 2, "product: onelogin, service: onelogin.events", "event_type_id: 3", {1}),
    ("duo.json", "duo", 2, "product: cisco, service: duo", "reason: bypass_user", {1}),
    ("github.json", "github", 3, "product: github, service: audit", "action: repo.destroy", {2}),
    ("gitlab.json", "gitlab", 2, "product: gitlab, service: audit", "to: Public", {1}),
    (
        "bitbucket.json",
        "bitbucket",
        2,
        "product: bitbucket, service: audit",
        "auditType.category: Data pipeline",
        {1},
    ),
    (
        *("kubernetes.json", "kubernetes", 3, "product: kubernetes, category: application, service: audit"),
        *("{hostPath: '*', capabilities: SYS_ADMIN}", {1}),
    ),
    (
        "kubernetes.json",
        "kubernetes",
        3,
        "product: kubernetes, service: audit",
        "responseStatus.code: 403",
        {2},
    ),
    ("qualys.csv", "qualys", 3, "product: qualys", "host.scan.vuln_name|contains: Firewall Product", {2}),
    (
        *("macos_endpoint_security.json", "eslogger", 3, "product: macos, category: process_creation"),
        *("{CommandLine: base64 -d x.txt, ParentImage|endswith: /zsh, User: root}", {1}),
    ),
    (
        *("macos_endpoint_security.json", "eslogger", 3, "product: macos, category: file_event"),
        *("TargetFilename: /Library/StartupItems/x.plist", {2}),
    ),
    (
        *("macos_osquery.json", "osquery", 2, "product: macos, category: process_creation"),
        *("Image|endswith: /screencapture", {1}),
    ),
    (
        *("macos_unified_log.json", "macosunifiedlog", 2, "product: macos, service: unified_log"),
        *("{Image|endswith: /authd, eventMessage|contains: system.privilege.admin}", {1}),
    ),
    (
        *("rpc_firewall.json", "windows", 2, "product: rpc_firewall, category: application"),
        *("{EventLog: RPCFW, EventID: 3, OpNum: 3}", {1}),
    ),
]

# Sample to the rules of SigmaHQ that must fire on it (their files), with the records.
SIGMAHQ: dict[str, dict[str, set[int]]] = {
    "cloudtrail.json": {
        "aws_cloudtrail_disable_logging.yml": {1},
        "aws_cloudtrail_console_login_success_without_mfa.yml": {2},
        "aws_root_account_usage.yml": {2},
        "aws_disable_bucket_versioning.yml": {3},
    },
    "entra_sign_ins.json": {
        "azure_ad_sign_ins_from_noncompliant_devices.yml": {1},
        "azure_conditional_access_failure.yml": {1},
        "azure_user_login_blocked_by_conditional_access.yml": {1},
        "azure_mfa_denies.yml": {2},
        "azure_mfa_interrupted.yml": {2},
    },
    "entra_sign_ins_diagnostic.json": {
        "azure_ad_only_single_factor_auth_required.yml": {1},
        "azure_ad_sign_ins_from_unknown_devices.yml": {1},
        "azure_app_device_code_authentication.yml": {1},
        "azure_account_lockout.yml": {2},
    },
    "entra_audits.json": {
        "azure_user_account_mfa_disable.yml": {1},
        "azure_app_end_user_consent.yml": {2},
        "azure_tap_added.yml": {3},
        "azure_auditlogs_laps_credential_dumping.yml": {4},
    },
    "entra_audits_diagnostic.json": {
        "azure_ad_user_added_to_admin_role.yml": {1},
        "azure_ad_users_added_to_device_admin_roles.yml": {1},
        "azure_device_or_configuration_modified_or_deleted.yml": {2},
    },
    "entra_risks.json": {
        "azure_identity_protection_anonymous_ip_address.yml": {1},
        "azure_pim_role_no_mfa_required.yml": {2},
        "azure_identity_protection_unfamilar_sign_in.yml": {3},
    },
    "azure_activity.json": {"azure_firewall_modified_or_deleted.yml": {1}},
    "azure_activity_rest.json": {
        "azure_aadhybridhealth_adfs_service_delete.yml": {1},
        "azure_subscription_permissions_elevation_via_activitylogs.yml": {2},
    },
    "microsoft365.json": {
        "microsoft365_susp_email_forwarding_activity.yml": {1},
        "microsoft365_susp_inbox_rule_creation_or_update_activity.yml": {1},
        "microsoft365_impossible_travel_activity.yml": {2},
        "microsoft365_new_federated_domain_added_audit.yml": {3},
        "microsoft365_new_federated_domain_added_exchange.yml": {3},
        "microsoft365_bypass_conditional_access.yml": {4},
    },
    "microsoft365_export.csv": {"microsoft365_susp_inbox_rule_creation_or_update_activity.yml": {2}},
    "google_cloud.json": {
        "gcp_bucket_modified_or_deleted.yml": {1},
        "gcp_access_policy_deleted.yml": {2},
        "gcp_gworkspace_mfa_disabled.yml": {4},
        "gcp_gworkspace_suspicious_login.yml": {5},
    },
    "google_workspace.json": {
        "gcp_gworkspace_application_access_levels_modified.yml": {1},
        "gcp_gworkspace_govattack.yml": {2},
    },
    "okta.json": {"okta_api_token_created.yml": {1}},
    "onelogin.json": {"onelogin_assumed_another_user.yml": {1}},
    "duo.json": {"cisco_duo_mfa_bypass_via_bypass_code.yml": {1}},
    "github.json": {
        "github_disable_high_risk_configuration.yml": {1},
        "github_delete_action_invoked.yml": {2},
    },
    "gitlab.json": {},
    "bitbucket.json": {"bitbucket_audit_full_data_export_triggered.yml": {1}},
    "kubernetes.json": {
        "kubernetes_audit_hostpath_mount.yml": {1},
        "kubernetes_audit_pod_in_system_namespace.yml": {1},
        "kubernetes_audit_privileged_pod_creation.yml": {1},
        "kubernetes_audit_secrets_enumeration.yml": {2},
        "kubernetes_audit_unauthorized_unauthenticated_actions.yml": {2},
    },
    "qualys.csv": {
        "qualys_host_without_firewall.yml": {2},
        "qualys_default_credentials_usage.yml": {3},
    },
    "macos_endpoint_security.json": {
        "proc_creation_macos_base64_decode.yml": {1},
        "file_event_macos_susp_startup_item_created.yml": {2},
    },
    "macos_osquery.json": {"proc_creation_macos_screencapture.yml": {1}},
    "rpc_firewall.json": {"rpc_firewall_dcsync_attack.yml": {1}},
}
PRODUCTS = {
    *("aws", "azure", "bitbucket", "cisco", "gcp", "github", "kubernetes", "m365", "macos", "okta"),
    *("onelogin", "qualys", "rpc_firewall"),
}


def rule(logsource: str, selection: str) -> str:
    selected = selection if selection.startswith("{") else f"{{{selection}}}"
    return f"""title: A rule of our own
logsource: {{{logsource}}}
detection:
  selection: {selected}
  condition: selection
"""


@pytest.mark.parametrize(("sample", "origin", "events", "logsource", "selection", "found"), OWN)
def test_a_rule_fires_on_the_native_log(
    sample: str, origin: str, events: int, logsource: str, selection: str, found: set[int], tmp_path: Path
) -> None:
    (tmp_path / "rule.yml").write_text(rule(logsource, selection), encoding="utf-8")
    rules = haidang.load_rules(tmp_path / "rule.yml", cache=False)
    assert not rules.refused
    summary = haidang.ScanSummary()
    findings = list(haidang.scan(SAMPLES / sample, rules=rules, summary=summary))
    assert [(report.records, dict(report.problems)) for report in summary.files] == [(events, {})]
    assert {finding.source.record for finding in findings} == found
    assert {finding.origin for finding in findings} == {origin}
    assert all((finding.time or "").startswith("2026-11-11T") for finding in findings)


@pytest.fixture(scope="module")
def sigmahq(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> haidang.Ruleset:
    """All rules of the corpus for these products."""
    folder = tmp_path_factory.mktemp("rules")
    with zipfile.ZipFile(corpora / "sigma_all_rules.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".yml"):
                text = archive.read(name)
                if yaml.safe_load(text)["logsource"].get("product") in PRODUCTS:
                    (folder / Path(name).name).write_bytes(text)
    return haidang.load_rules(folder, cache=False)


@pytest.mark.parametrize("sample", sorted(SIGMAHQ))
def test_the_rules_of_sigmahq_fire_where_they_should_and_nowhere_else(
    sample: str, sigmahq: haidang.Ruleset
) -> None:
    found: dict[str, set[int]] = {}
    for finding in haidang.scan(SAMPLES / sample, rules=sigmahq):
        found.setdefault(Path(finding.rule.path).name, set()).add(finding.source.record)
    assert found == SIGMAHQ[sample]


def test_recorded_cloudtrail_events_are_recognised_one_by_one(
    sigmahq: haidang.Ruleset, corpora: Path
) -> None:
    logs = [
        corpora / "logs" / "aws-cloudtrail__aws-cloudtrail.log",
        corpora / "logs" / "aws-nwo-login__aws-nwo-login.log",
        corpora / "mordor" / "ec2_proxy_s3_exfiltration.zip",
    ]
    summary = haidang.ScanSummary()
    findings = list(haidang.scan(*logs, rules=sigmahq, summary=summary))
    assert sum(report.records for report in summary.files) == 106
    assert all(report.complete for report in summary.files)
    assert {finding.origin for finding in findings} == {"cloudtrail"}
    assert {finding.rule.title for finding in findings} == {
        "AWS ConsoleLogin Failed Authentication",
        "AWS STS AssumeRole Misuse",
    }


def maps() -> Iterator[str]:
    from haidang.sigma.logsource import load_maps

    for one in load_maps():
        if one.recognise and one.product in {*PRODUCTS, "gitlab"}:
            yield one.origin


def test_every_map_of_json_events_has_a_sample_here() -> None:
    assert set(maps()) == {origin for _, origin, *_ in OWN} - {"windows"}
