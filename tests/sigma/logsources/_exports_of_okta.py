"""The system log of Okta as its console, its hooks and Sentinel hand it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sigma.logsources._export import PORTAL, TIME

if TYPE_CHECKING:
    from tests.sigma.logsources._export import Export

__all__ = ["OKTA"]

EVENT = {
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

OKTA: list[Export] = [
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
            "data": {"events": [EVENT]},
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
]
