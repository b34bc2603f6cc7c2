"""Who arrived where, after the logs of VPNs, devices, web servers, sensors and clouds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers import readers
from haidang.findings.arrivals import ARRIVALS, MARKS
from haidang.findings.trails import About, about
from haidang.sigma.logsource import load_maps

HA = "ha@hoaiv.example"


def told(origin: str, event: dict[str, Any], host: str = "") -> About:
    return about(origin, event, host=host, time=1_000)


CLOUD: list[tuple[str, dict[str, Any], tuple[str, ...] | None]] = [
    (
        "cloudtrail",
        {
            "eventName": "ConsoleLogin",
            "sourceIPAddress": "203.0.113.9",
            "responseElements": {"ConsoleLogin": "Success"},
            "userIdentity": {"type": "IAMUser", "userName": "ha"},
        },
        ("203.0.113.9", "111122223333", "sign-in", "ha"),
    ),
    (
        "cloudtrail",
        {
            "eventName": "ConsoleLogin",
            "sourceIPAddress": "203.0.113.9",
            "responseElements": {"ConsoleLogin": "Failure"},
        },
        None,
    ),
    (
        "cloudtrail",
        {
            "eventName": "AssumeRole",
            "sourceIPAddress": "203.0.113.9",
            "requestParameters": {"roleArn": "arn:aws:iam::1:role/quan-tri"},
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/ha"},
        },
        ("203.0.113.9", "arn:aws:iam::1:role/quan-tri", "role", "arn:aws:iam::1:user/ha"),
    ),
    (
        "cloudtrail",
        {
            "eventName": "AssumeRole",
            "sourceIPAddress": "ec2.amazonaws.com",
            "requestParameters": {"roleArn": "arn:aws:iam::1:role/may"},
            "userIdentity": {"type": "AWSService"},
        },
        None,
    ),
    (
        "cloudtrail",
        {
            "eventName": "AssumeRole",
            "errorCode": "AccessDenied",
            "sourceIPAddress": "203.0.113.9",
            "requestParameters": {"roleArn": "arn:aws:iam::1:role/quan-tri"},
        },
        None,
    ),
    (
        "entrasignin",
        {"userPrincipalName": HA, "ipAddress": "198.51.100.7", "status": {"errorCode": 0},
         "conditionalAccessStatus": "success"},
        ("198.51.100.7", "Entra ID hoaiv.example", "sign-in", HA),
    ),
    (
        "entrasignin",
        {"resultType": "0",
         "properties": {"userPrincipalName": HA, "ipAddress": "198.51.100.7", "conditionalAccessStatus": ""}},
        ("198.51.100.7", "Entra ID hoaiv.example", "sign-in", HA),
    ),
    ("entrasignin", {"userPrincipalName": HA, "ipAddress": "192.0.2.7", "resultType": "50126"}, None),
    (
        "m365",
        {"Operation": "UserLoggedIn", "UserId": HA, "ClientIP": "198.51.100.7"},
        ("198.51.100.7", "Microsoft 365 hoaiv.example", "sign-in", HA),
    ),
    (
        "okta",
        {"eventType": "user.session.start", "outcome": {"result": "SUCCESS"}, "actor": {"alternateId": HA},
         "client": {"ipAddress": "198.51.100.7"}},
        ("198.51.100.7", "Okta hoaiv.example", "sign-in", HA),
    ),
    (
        "workspace",
        {"events": [{"name": "login_success"}], "actor": {"email": HA}, "ipAddress": "198.51.100.7"},
        ("198.51.100.7", "Google Workspace hoaiv.example", "sign-in", HA),
    ),
    (
        "gcp",
        {"protoPayload": {"methodName": "google.login.LoginService.loginSuccess",
                          "requestMetadata": {"callerIp": "198.51.100.7"},
                          "authenticationInfo": {"principalEmail": HA}}},
        ("198.51.100.7", "Google Workspace hoaiv.example", "sign-in", HA),
    ),
    (
        "duo",
        {"result": "success", "factor": "duo_push", "access_device": {"ip": "198.51.100.7"},
         "application": {"name": "VPN"}, "user": {"name": "ha"}},
        ("198.51.100.7", "VPN", "sign-in", "ha"),
    ),
    (
        "gitlab",
        {"with": "two-factor", "author_name": "Ha", "ip_address": "198.51.100.7"},
        ("198.51.100.7", "GitLab", "sign-in", "Ha"),
    ),
    (
        "kubernetes",
        {"stage": "ResponseComplete", "responseStatus": {"code": 101}, "user": {"username": "ha"},
         "sourceIPs": ["198.51.100.7"],
         "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "vp", "name": "web-1"}},
        ("198.51.100.7", "vp/web-1", "command", "ha"),
    ),
    (
        "kubernetes",
        {"stage": "ResponseComplete", "responseStatus": {"code": 403}, "user": {"username": "ha"},
         "sourceIPs": ["198.51.100.7"],
         "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "vp", "name": "web-1"}},
        None,
    ),
]  # fmt: skip
CLOUD += [
    (
        "ecs",
        {"event": {"category": ["authentication"], "outcome": "success"}, "source": {"ip": "10.0.0.9"},
         "user": {"name": "ha"}},
        ("10.0.0.9", "111122223333", "network", "ha"),
    ),
    (
        "ocsf",
        {"class_uid": 3002, "activity_id": 1, "src_endpoint": {"ip": "10.0.0.9"}, "user": {"name": "ha"}},
        ("10.0.0.9", "111122223333", "network", "ha"),
    ),
    (
        "ocsf",
        {"class_uid": 3002, "activity_id": 1, "status_id": 2, "src_endpoint": {"ip": "10.0.0.9"}},
        None,
    ),
    (
        "onelogin",
        {"event_type_id": 5, "user_name": "ha", "ipaddr": "198.51.100.7"},
        ("198.51.100.7", "OneLogin", "sign-in", "ha"),
    ),
]  # fmt: skip
LOCAL: list[tuple[str, dict[str, Any], tuple[str, ...] | None]] = [
    (
        "openvpn",
        {"action": "connected", "user": "hoa.nt", "src_ip": "203.0.113.77", "src_port": "40022"},
        ("203.0.113.77", "111122223333", "vpn", "hoa.nt"),
    ),
    ("openvpn", {"action": "connected", "src_ip": "203.0.113.77"}, None),
    (
        "fortigate",
        {"subtype": "vpn", "action": "tunnel-up", "remip": "203.0.113.77", "user": "hoa.nt"},
        ("203.0.113.77", "111122223333", "vpn", "hoa.nt"),
    ),
    (
        "fortigate",
        {"subtype": "system", "action": "login", "status": "success", "srcip": "10.0.0.9", "user": "quantri"},
        ("10.0.0.9", "111122223333", "console", "quantri"),
    ),
    (
        "fortigate",
        {"subtype": "system", "action": "login", "status": "failed", "srcip": "10.0.0.9", "user": "quantri"},
        None,
    ),
    (
        "cisco",
        {
            "mnemonic": "722051",
            "message": "Group <VPN> User <hoa.nt> IP <203.0.113.77> IPv4 Address <10.9.0.4> "
            "IPv6 address <::> assigned to session",
        },
        ("203.0.113.77", "111122223333", "vpn", "hoa.nt"),
    ),
    (
        "syslog",
        {
            "program": "php-fpm",
            "message": "/index.php: Successful login for user 'admin' from: 10.0.0.1 (Local Database)",
        },
        ("10.0.0.1", "111122223333", "console", "admin"),
    ),
    (
        "webserver",
        {"cs-username": "hoa.nt", "c-ip": "203.0.113.24", "sc-status": 200},
        ("203.0.113.24", "111122223333", "web", "hoa.nt"),
    ),
    ("webserver", {"cs-username": "hoa.nt", "c-ip": "203.0.113.24", "sc-status": 401}, None),
    ("webserver", {"c-ip": "203.0.113.24", "sc-status": 200}, None),
    (
        "opencanary",
        {"logtype": 4002, "src_host": "10.0.0.9", "logdata": {"USERNAME": "quantri"}},
        ("10.0.0.9", "111122223333", "probe", "quantri"),
    ),
    (
        "suricata",
        {"event_type": "rdp", "src_ip": "10.0.0.9", "dest_ip": "10.0.0.8", "rdp": {"cookie": "hoa"}},
        ("10.0.0.9", "10.0.0.8", "desktop", "hoa"),
    ),
    (
        "auditd",
        {"type": "USER_LOGIN", "res": "success", "addr": "10.0.0.9", "ID": "hoa", "exe": "/usr/sbin/sshd"},
        ("10.0.0.9", "111122223333", "ssh", "hoa"),
    ),
    ("auditd", {"type": "USER_LOGIN", "res": "failed", "addr": "10.0.0.9", "ID": "hoa"}, None),
    (
        "windows",
        {
            "Channel": "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational",
            "EventID": 1149,
            "Param1": "hoa",
            "Param2": "HAIVAN",
            "Param3": "10.0.0.9",
        },
        ("10.0.0.9", "111122223333", "desktop", "HAIVAN\\hoa"),
    ),
    ("windows", {"Channel": "Application", "EventID": 1149, "Param3": "10.0.0.9"}, None),
    (
        "windows",
        {
            "Channel": "Microsoft-Windows-WinRM/Operational",
            "EventID": 6,
            "connection": "srv02.hoaiv.example/wsman?PSVersion=5.1",
        },
        ("111122223333", "srv02.hoaiv.example", "remote", ""),
    ),
    ("windows", {"Channel": "System", "EventID": 6, "connection": "srv02"}, None),
]


@pytest.mark.parametrize(("origin", "event", "move"), CLOUD + LOCAL)
def test_what_a_log_tells_of_an_arrival(
    origin: str, event: dict[str, Any], move: tuple[str, ...] | None
) -> None:
    found = told(origin, event, "111122223333").move
    assert (found[:4] if found else None) == move


JSON = {"opencanary", "suricata"}


@pytest.mark.parametrize(
    ("origin", "event"),
    [(name, event) for name, event, move in CLOUD if move]
    + [(name, event) for name, event, move in LOCAL if move and name in JSON],
)
def test_a_document_that_tells_of_an_arrival_has_one_of_the_marks(origin: str, event: dict[str, Any]) -> None:
    assert any(mark in json.dumps(event) for mark in MARKS), origin


@pytest.mark.parametrize(
    ("origin", "event", "address"),
    [
        ("openvpn", {"virtual_ip": "10.8.0.6", "src_ip": "203.0.113.77"}, ("10.8.0.6", "203.0.113.77")),
        (
            "fortigate",
            {"subtype": "vpn", "action": "tunnel-up", "remip": "203.0.113.77", "tunnelip": "10.9.0.4"},
            ("10.9.0.4", "203.0.113.77"),
        ),
        ("openvpn", {"action": "connected", "user": "a", "src_ip": "203.0.113.77"}, None),
    ],
)
def test_an_address_given_inside_is_whence_the_client_came(
    origin: str, event: dict[str, Any], address: tuple[str, str] | None
) -> None:
    assert told(origin, event).address == address


@pytest.mark.parametrize(
    ("origin", "event"),
    [
        (
            "ecs",
            {"event": {"category": ["process"], "type": ["start"]}, "user": {"name": "ha"},
             "process": {"pid": 7, "executable": "/bin/id", "command_line": "id", "parent": {
                 "pid": 6, "executable": "/bin/sh", "command_line": "sh"}}},
        ),
        (
            "ocsf",
            {"class_uid": 1007, "activity_id": 1, "type_uid": 100701, "actor": {"user": {"name": "ha"}},
             "process": {"pid": 7, "file": {"path": "/bin/id"}, "cmd_line": "id", "parent_process": {
                 "pid": 6, "file": {"path": "/bin/sh"}, "cmd_line": "sh"}}},
        ),
    ],
)  # fmt: skip
def test_a_process_in_a_schema_has_its_parent(origin: str, event: dict[str, Any]) -> None:
    found = told(origin, event, "web01")
    assert found.process == "#7"
    assert found.start == ("web01", 1_000, "", "7", "", "6", "/bin/id", "id", "ha", "/bin/sh", "sh")
    assert any(mark in json.dumps(event) for mark in MARKS)


def test_every_origin_is_one_that_a_reader_or_a_map_hands_over() -> None:
    known = {origin.name for reader in readers().values() for origin in reader.origins}
    assert set(ARRIVALS) <= known | {one.origin for one in load_maps()}


@given(
    st.sampled_from(sorted(ARRIVALS)),
    st.recursive(
        st.none() | st.text(max_size=20) | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
)
def test_whatever_fields_hold_is_survived(origin: str, value: Any) -> None:
    fields = {
        name for way in ARRIVALS[origin] for names in (*way.where, way.source) for name in names.split("|")
    }
    about(origin, dict.fromkeys(fields, value), host="h", time=None)
