"""Logs as Graylog keeps them, and as macOS shows its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sigma.logsources._export import TIME

if TYPE_CHECKING:
    from tests.sigma.logsources._export import Export

__all__ = ["COLLECTED"]

FAILED_LOGON = "{EventID: 4625, TargetUserName: quantri, Computer: hv-dc01}"

COLLECTED: list[Export] = [
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
]
