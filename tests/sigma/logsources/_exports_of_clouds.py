"""Logs of Amazon and Google as consoles, warehouses and queues hand them out."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from tests.sigma.logsources._export import TIME

if TYPE_CHECKING:
    from tests.sigma.logsources._export import Export

__all__ = ["AMAZON", "GOOGLE"]

TRAIL = "product: aws, service: cloudtrail"
STOPPED = "{eventSource: cloudtrail.amazonaws.com, eventName: StopLogging, userIdentity.type: IAMUser}"
ENTRY = {
    "timestamp": TIME,
    "logName": "projects/p/logs/cloudaudit.googleapis.com%2Factivity",
    "protoPayload": {"methodName": "storage.buckets.delete", "serviceName": "storage"},
}
PUBLISHED = base64.b64encode(json.dumps(ENTRY).encode()).decode()

AMAZON: list[Export] = [
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
]
GOOGLE: list[Export] = [
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
        {"time": 1778469255, "sourcetype": "google:gcp:pubsub:message", "event": {"data": ENTRY}},
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
