"""Logs of Azure and Microsoft 365 as portals, PowerShell and Log Analytics hand them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sigma.logsources._export import PORTAL, TIME

if TYPE_CHECKING:
    from tests.sigma.logsources._export import Export

__all__ = ["MICROSOFT"]

SIGN_INS = "product: azure, service: signinlogs"
AUDITS = "product: azure, service: auditlogs"
ACTIVITY = "product: azure, service: activitylogs"
EXEC = "{verb: create, objectRef.resource: pods, objectRef.subresource: exec}"

MICROSOFT: list[Export] = [
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
]
