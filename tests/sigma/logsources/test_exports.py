"""Rules fire on cloud logs as portals, consoles and warehouses export them, with the time of each event."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from haidang.inquiry.questions import Question
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path

TRAIL = "product: aws, service: cloudtrail"
SIGN_INS = "product: azure, service: signinlogs"
AUDITS = "product: azure, service: auditlogs"
ACTIVITY = "product: azure, service: activitylogs"
EXEC = "{verb: create, objectRef.resource: pods, objectRef.subresource: exec}"
STOPPED = "{eventSource: cloudtrail.amazonaws.com, eventName: StopLogging, userIdentity.type: IAMUser}"
TIME = "2026-05-11T03:14:15Z"
PORTAL = "5/11/2026, 3:14:15.000 AM"

FAILED_LOGON = "{EventID: 4625, TargetUserName: quantri, Computer: hv-dc01}"
GOOGLE = {
    "timestamp": TIME,
    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
    "protoPayload": {"methodName": "storage.buckets.delete", "serviceName": "storage"},
}
PUBLISHED = base64.b64encode(json.dumps(GOOGLE).encode()).decode()
OKTA = {
    "published": TIME,
    "eventType": "policy.lifecycle.delete",
    "displayMessage": "Delete policy",
    "actor": {"alternateId": "lan@haivan.example"},
    "securityContext": {"isProxy": True},
    "debugContext": {"debugData": {"requestUri": "/api/v1/policies"}},
    "target": [{"displayName": "Default policy"}],
}
OKTA_RULE = (
    "{eventtype: policy.lifecycle.delete, target.displayName: Default policy, "
    "securityContext.isProxy: 'true', actor.alternateId: lan@haivan.example, "
    "debugContext.debugData.requestUri: /api/v1/policies}"
)

# What it is, its row or object, whether it is a table, the log source of a rule, and what that selects.
EXPORTS: list[tuple[str, dict[str, Any], bool, str, str]] = [
    (
        "cloudtrail_athena",
        {
            "eventversion": "1.09",
            "eventtime": TIME,
            "eventsource": "cloudtrail.amazonaws.com",
            "eventname": "StopLogging",
            "awsregion": "ap-southeast-1",
            "requestparameters": '{"name":"main"}',
        },
        True,
        TRAIL,
        "{eventName: StopLogging, requestParameters|contains: main}",
    ),
    (
        "cloudtrail_athena_structures",
        {
            "eventversion": "1.09",
            "eventtime": TIME,
            "eventsource": "cloudtrail.amazonaws.com",
            "eventname": "StopLogging",
            "awsregion": "ap-southeast-1",
            "useridentity": {"type": "IAMUser", "sessioncontext": {"sessionissuer": {"type": "Role"}}},
        },
        False,
        TRAIL,
        "{userIdentity.type: IAMUser, userIdentity.sessionContext.sessionIssuer.type: Role}",
    ),
    (
        "cloudtrail_history",
        {
            "Event ID": "e",
            "Event time": TIME,
            "User name": "lan",
            "Event source": "cloudtrail.amazonaws.com",
            "Event name": "StopLogging",
            "AWS region": "ap-southeast-1",
        },
        True,
        TRAIL,
        "eventName: StopLogging",
    ),
    (
        "cloudtrail_log_analytics",
        {
            "TimeGenerated": TIME,
            "EventSource": "cloudtrail.amazonaws.com",
            "EventName": "StopLogging",
            "AWSRegion": "ap-southeast-1",
            "UserIdentityType": "IAMUser",
        },
        False,
        TRAIL,
        STOPPED,
    ),
    (
        "cloudtrail_beats",
        {
            "@timestamp": TIME,
            "aws": {"cloudtrail": {"event_version": "1.09", "user_identity": {"type": "IAMUser"}}},
            "event": {"provider": "cloudtrail.amazonaws.com", "action": "StopLogging"},
        },
        False,
        TRAIL,
        STOPPED,
    ),
    (
        "sign_ins_portal",
        {
            "Date (UTC)": TIME,
            "Request ID": "r",
            "Username": "lan@haivan.example",
            "Application": "Azure Portal",
            "Sign-in error code": "53003",
            "Failure reason": "Blocked by Conditional Access.",
            "Client app": "IMAP4",
            "Compliant": "No",
            "Authentication requirement": "Single-factor authentication",
            "Token Protection - Sign In Session StatusCode": "0",
            "IP address": "198.51.100.7",
        },
        True,
        SIGN_INS,
        (
            "{ResultType: 53003, ClientApp: IMAP, DeviceDetail.isCompliant: 'false', "
            "AuthenticationRequirement: singleFactorAuthentication, Username: lan@haivan.example}"
        ),
    ),
    (
        "sign_ins_log_analytics_portal",
        {
            "TimeGenerated [UTC]": PORTAL,
            "CreatedDateTime [UTC]": PORTAL,
            "AppDisplayName": "Azure Portal",
            "ConditionalAccessStatus": "failure",
            "ResultType": "53003",
            "DeviceDetail": '{"deviceId":"d1"}',
        },
        True,
        SIGN_INS,
        "{ResultType: 53003, DeviceDetail.deviceId: d1}",
    ),
    (
        "sign_ins_powershell",
        {
            "CreatedDateTime": TIME,
            "AppDisplayName": "Azure Portal",
            "ConditionalAccessStatus": "failure",
            "Status": {"ErrorCode": 53003, "FailureReason": "Blocked."},
            "DeviceDetail": {"DeviceId": "d1"},
        },
        False,
        SIGN_INS,
        "{ResultType: 53003, DeviceDetail.deviceId: d1, ResultDescription: Blocked.}",
    ),
    (
        "audits_portal",
        {
            "Date (UTC)": TIME,
            "CorrelationId": "c",
            "Service": "Core Directory",
            "Category": "ApplicationManagement",
            "Activity": "Consent to application",
            "ActorType": "User",
            "ActorUserPrincipalName": "lan@haivan.example",
            "Target1DisplayName": "Reader of all mail",
            "Target1ModifiedProperty1Name": "ConsentContext.IsAdminConsent",
            "Target1ModifiedProperty1NewValue": '"False"',
        },
        True,
        AUDITS,
        (
            "{ActivityDisplayName: Consent to application, ConsentContext.IsAdminConsent: 'false', "
            "TargetResources|contains: Reader}"
        ),
    ),
    (
        "activity_portal",
        {
            "Correlation id": "c",
            "Operation name": "Delete Azure Firewall",
            "Status": "Succeeded",
            "Event category": "Administrative",
            "Time": TIME,
            "Subscription": "s1",
        },
        True,
        ACTIVITY,
        "properties.message: Delete Azure Firewall",
    ),
    (
        "office_activity",
        {
            "TimeGenerated": TIME,
            "OfficeWorkload": "Exchange",
            "Operation": "New-InboxRule",
            "UserId": "lan@haivan.example",
            "Parameters": '[{"Name":"ForwardTo","Value":"x@evil.example"}]',
        },
        False,
        "product: m365, service: exchange",
        "{Operation: New-InboxRule, Parameters|contains: ForwardTo}",
    ),
    (
        "audit_of_graph",
        {
            "id": "i",
            "service": "Exchange",
            "auditData": {"CreationTime": TIME, "Operation": "New-InboxRule", "Workload": "Exchange"},
        },
        False,
        "product: m365, service: exchange",
        "Operation: New-InboxRule",
    ),
    (
        "okta_console",
        {
            "timestamp": TIME,
            "event_type": "policy.lifecycle.delete",
            "display_message": "Delete policy",
            "actor.alternate_id": "lan@haivan.example",
            "target0.display_name": "Default policy",
        },
        True,
        "product: okta, service: okta",
        "{eventtype: policy.lifecycle.delete, target.displayName: Default policy}",
    ),
    (
        "okta_hook",
        {
            "eventType": "com.okta.event_hook",
            "source": "https://haivan.example/api/v1/eventHooks/h",
            "data": {"events": [OKTA]},
            "eventTime": "2026-05-11T03:14:16Z",
        },
        False,
        "product: okta, service: okta",
        OKTA_RULE,
    ),
    (
        "okta_cl",
        {
            "TimeGenerated": "2026-05-11T03:14:16Z",
            "published_t": TIME,
            "eventType_s": "policy.lifecycle.delete",
            "displayMessage_s": "Delete policy",
            "actor_alternateId_s": "lan@haivan.example",
            "securityContext_isProxy_b": True,
            "debugContext_debugData_s": '{"requestUri":"/api/v1/policies"}',
            "target_s": '[{"displayName":"Default policy"}]',
        },
        False,
        "product: okta, service: okta",
        OKTA_RULE,
    ),
    (
        "okta_cl_table",
        {
            "TimeGenerated [UTC]": PORTAL,
            "eventType_s": "policy.lifecycle.delete",
            "actor_alternateId_s": "lan@haivan.example",
            "securityContext_isProxy_b": "true",
            "debugContext_debugData_requestUri_s": "/api/v1/policies",
            "target_s": '[{"displayName":"Default policy"}]',
        },
        True,
        "product: okta, service: okta",
        OKTA_RULE,
    ),
    (
        "okta_v2_cl",
        {
            "TimeGenerated": TIME,
            "EventOriginalType": "policy.lifecycle.delete",
            "OriginalActorAlternateId": "lan@haivan.example",
            "OriginalOutcomeResult": "SUCCESS",
            "SecurityContextIsProxy": "true",
            "DebugData": {"requestUri": "/api/v1/policies"},
            "OriginalTarget": [{"displayName": "Default policy"}],
        },
        False,
        "product: okta, service: okta",
        OKTA_RULE,
    ),
    (
        "google_cloud_pushed",
        {"message": {"data": PUBLISHED, "messageId": "7", "publishTime": TIME}, "subscription": "s"},
        False,
        "product: gcp, service: gcp.audit",
        "gcp.audit.method_name: storage.buckets.delete",
    ),
    (
        "google_cloud_pulled",
        {"receivedMessages": [{"ackId": "a", "message": {"data": PUBLISHED, "messageId": "7"}}]},
        False,
        "product: gcp, service: gcp.audit",
        "gcp.audit.method_name: storage.buckets.delete",
    ),
    (
        "google_cloud_published",
        {"data": PUBLISHED, "attributes": {}, "messageId": "7"},
        False,
        "product: gcp, service: gcp.audit",
        "gcp.audit.method_name: storage.buckets.delete",
    ),
    (
        "google_cloud_to_splunk",
        {"time": 1778469255, "sourcetype": "google:gcp:pubsub:message", "event": {"data": GOOGLE}},
        False,
        "product: gcp, service: gcp.audit",
        "gcp.audit.method_name: storage.buckets.delete",
    ),
    (
        "google_cloud_line",
        {
            "textPayload": '203.0.113.9 - - [11/May/2026:03:14:15 +0000] "GET /a.php?id=1 HTTP/1.1" 200 1',
            "logName": "projects/p/logs/stdout",
            "timestamp": TIME,
        },
        False,
        "category: webserver",
        "cs-uri-query|contains: id=1",
    ),
    (
        "graylog",
        {
            "timestamp": TIME,
            "source": "hv-dc01",
            "message": "An account failed to log on.",
            "winlogbeat_winlog_channel": "Security",
            "winlogbeat_winlog_event_id": "4625",
            "winlogbeat_winlog_provider_name": "Microsoft-Windows-Security-Auditing",
            "winlogbeat_winlog_event_data_TargetUserName": "quantri",
        },
        False,
        "product: windows, service: security",
        FAILED_LOGON,
    ),
    (
        "graylog_table",
        {
            "timestamp": TIME,
            "source": "hv-dc01",
            "winlog_channel": "Security",
            "winlog_event_id": "4625",
            "winlog_event_data_TargetUserName": "quantri",
        },
        True,
        "product: windows, service: security",
        FAILED_LOGON,
    ),
    (
        "graylog_of_old_winlogbeat",
        {
            "timestamp": TIME,
            "source": "hv-dc01",
            "winlogbeat_log_name": "Security",
            "winlogbeat_event_id": 4625,
            "winlogbeat_event_data_TargetUserName": "quantri",
        },
        False,
        "product: windows, service: security",
        FAILED_LOGON,
    ),
    (
        "macos_unified_log",
        {
            "eventMessage": "Failed to authorize right",
            "processImagePath": "/usr/libexec/authd",
            "subsystem": "com.apple.authd",
            "timestamp": "2026-05-11 10:14:15.000000+0700",
            "machTimestamp": 1,
        },
        False,
        "product: macos, service: unified_log",
        "{Image|endswith: /authd, eventMessage|contains: authorize}",
    ),
    (
        "kubernetes_azure",
        {
            "TimeGenerated": TIME,
            "AuditId": "a",
            "Stage": "ResponseComplete",
            "Verb": "create",
            "ObjectRef": '{"resource":"pods","subresource":"exec","namespace":"kube-system"}',
        },
        False,
        "product: kubernetes, service: audit",
        EXEC,
    ),
    (
        "google_cloud_bigquery",
        {
            "timestamp": TIME,
            "protopayload_auditlog": {"methodName": "storage.buckets.delete", "serviceName": "storage"},
        },
        False,
        "product: gcp, service: gcp.audit",
        "gcp.audit.method_name: storage.buckets.delete",
    ),
]


def _written(document: dict[str, Any], *, table: bool) -> bytes:
    if not table:
        return json.dumps(document).encode() + b"\n"
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(document)
    writer.writerow(document.values())
    return b"\xef\xbb\xbf" + text.getvalue().encode()


@pytest.mark.parametrize(("name", "document", "table", "logsource", "selection"), EXPORTS)
def test_rules_fire_on_exports(
    name: str,
    document: dict[str, Any],
    table: bool,  # noqa: FBT001 - a parameter
    logsource: str,
    selection: str,
    tmp_path: Path,
) -> None:
    rules = write_rules(tmp_path / "rules", **{name: (logsource, selection)})
    file = f"{name}.{'csv' if table else 'json'}"
    assert {title for title, _ in fired(tmp_path, _written(document, table=table), rules, file)} == {name}
    question = Question((str(tmp_path / file),))
    assert [question.time(event) for event in question.events()] == [1778469255_000000000]


@pytest.mark.parametrize(
    "document",
    [
        {"method": "GET", "uri": "/a.php", "args": "id=1", "status": 200, "client_ip": "203.0.113.9"},
        {"method": "GET", "uri": "/a.php?id=1", "status": 200, "remote_addr": "203.0.113.9"},
        {"request_uri": "/a.php?id=1", "status": "200", "http_user_agent": "x", "remote_addr": "203.0.113.9"},
        {"remoteIP": "203.0.113.9", "method": "GET", "request": "/a.php", "query": "?id=1", "status": "200"},
    ],
)
def test_formats_that_people_put_together_are_access_logs(document: dict[str, Any], tmp_path: Path) -> None:
    selection = "{cs-uri-query|contains: '/a.php?id=1', c-ip: 203.0.113.9, sc-status: 200}"
    rules = write_rules(tmp_path / "rules", seen=("category: webserver", selection))
    assert fired(tmp_path, json.dumps(document).encode() + b"\n", rules) == {("seen", "1")}


def test_rules_on_firewalls_fire_on_what_sentinel_keeps_of_cef(tmp_path: Path) -> None:
    row = {
        "TimeGenerated": TIME,
        "DeviceVendor": "Fortinet",
        "DeviceProduct": "Fortigate",
        "DeviceEventClassID": "00013",
        "DeviceAction": "accepted",
        "SourceIP": "198.51.100.7",
        "DestinationPort": 3389,
    }
    rules = write_rules(
        tmp_path / "rules",
        seen=("category: firewall", "{dst_port: 3389, action: accept, src_ip: 198.51.100.7}"),
    )
    assert fired(tmp_path, json.dumps(row).encode() + b"\n", rules) == {("seen", "1")}
