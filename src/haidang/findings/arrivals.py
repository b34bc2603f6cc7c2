r"""Who arrived where, as the logs of VPNs, devices, web servers, sensors and clouds tell it.

A table, for each origin, of the events that say so: by what fields they are known, and which of them say
whence, whither and who. What failed is no arrival, but a honeypot that was touched is one: somebody
reached it.

Rules:

- A field has the names of the native log; ``a|b`` is the first that is present. ``{host}`` is the host that
  the log is of, ``{domain}`` the domain of the user's address: a cloud has no host, but somebody's part of
  it.
- The source must be an address or the name of a host; a service that acts on another's behalf is none.
- A log that says which address a client was given inside says of it that it is whence the client came.

Events are untrusted; texts are cut by whoever reads them, the expressions run in linear time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ARRIVALS", "MARKS", "Arrival", "Way", "arrival", "may_tell"]


class Way(NamedTuple):
    """One kind of event that tells of an arrival."""

    kind: str
    """vpn, console, sign-in, role, command, web, probe, desktop, share; "" where only an address is told."""
    where: Mapping[str, frozenset[str]]
    """Field to the values, in small letters, of which it has one; none means any at all."""
    source: str
    target: str
    """A template; of several with a bar between them, the first that can be filled counts."""
    user: str = ""
    unless: Mapping[str, frozenset[str]] = {}
    pattern: re.Pattern[str] | None = None
    """Looked for in ``message``; its groups are fields."""
    given: str = ""
    """The address that the client has from then on."""


class Arrival(NamedTuple):
    """What one event tells; "" for what it does not."""

    kind: str
    source: str
    target: str
    user: str
    given: str


_ANY: frozenset[str] = frozenset()


def _of(*values: str) -> frozenset[str]:
    return frozenset(values)


_HOLE = re.compile(r"\{([^{}]+)\}")
_SERVICE = re.compile(r"\.(?:amazonaws\.com|internal)\Z|\AAWS ", re.IGNORECASE)
_AWS_USER = "userIdentity.arn|userIdentity.userName|userIdentity.principalId|userIdentity.type"
_ENTRA_CODE = "properties.status.errorCode|status.errorCode|resultType|ResultType"
_GCP_METHOD = "protoPayload.methodName|data.protoPayload.methodName"
_WEB_USER = "cs-username|user_id|ClientUsername|remote_user"
_ASA_VPN = re.compile(
    r"User <(?P<name>[^>]{1,200})> IP <(?P<address>[^>]{1,60})>(?: IPv4 Address <(?P<given>[0-9.]{7,15})>)?"
)
_GUI = re.compile(
    r"(?i)successful (?:login|authentication) for (?:user )?'(?P<name>[^']{1,200})' "
    r"from:? (?P<address>[0-9A-Fa-f.:]{2,45})"
)

ARRIVALS: Mapping[str, tuple[Way, ...]] = {
    "openvpn": (
        Way("vpn", {"action": _of("connected"), "user": _ANY}, "src_ip", "{host}|OpenVPN", "user"),
        Way("", {"virtual_ip": _ANY}, "src_ip", "", "user", given="virtual_ip"),
    ),
    "fortigate": (
        Way(
            "vpn",
            {"subtype": _of("vpn"), "action": _of("tunnel-up", "ssl-new-con-up")},
            *("remip", "{host}", "user|xauthuser"),
            given="tunnelip|assignip",
        ),
        Way("console", {"action": _of("login"), "status": _of("success")}, "srcip", "{host}", "user"),
    ),
    "paloalto": (
        Way(
            "vpn",
            {"type": _of("globalprotect"), "eventid": _of("gateway-connected"), "status": _of("success")},
            *("public_ip", "{host}", "srcuser"),
            given="private_ip",
        ),
    ),
    "cisco": (
        Way(
            "console",
            {"mnemonic": _of("605005", "login_success", "weblogin_success")},
            *("src_ip", "{host}|{dst_ip}", "user"),
        ),
        Way("vpn", {"mnemonic": _of("722051")}, "address", "{host}|ASA", "name", {}, _ASA_VPN, "given"),
    ),
    "mikrotik": (Way("console", {"action": _of("logged_in")}, "src_ip", "{host}|RouterOS", "user"),),
    "syslog": (
        Way(
            "console",
            {"program": _of("php-fpm", "audit", "opnsense")},
            *("address", "{host}", "name", {}, _GUI),
        ),
    ),
    "webserver": (
        Way(
            "web",
            {_WEB_USER: _ANY},
            "c-ip|request.client_ip|request.remote_ip|ClientHost|remote_addr",
            *("{host}|web", _WEB_USER),
            {"sc-status|status|DownstreamStatus": _of("401", "403", "407")},
        ),
    ),
    "w3cweb": (
        Way("web", {"cs-username": _ANY}, "c-ip", "{host}", "cs-username", {"sc-status": _of("401", "403")}),
    ),
    "suricata": (
        Way("desktop", {"event_type": _of("rdp")}, "src_ip", "{dest_ip}", "rdp.cookie"),
        Way(
            "share",
            {"event_type": _of("smb"), "smb.share": _ANY},
            "src_ip",
            "{dest_ip}",
            "smb.ntlmssp.user",
            {"smb.share_type": _of("pipe")},
        ),
    ),
    "opencanary": (
        Way("probe", {"src_host": _ANY}, "src_host", "{host}|{dst_host}", "logdata.USERNAME|username"),
    ),
    "cloudtrail": (
        Way(
            "sign-in",
            {"eventName": _of("consolelogin"), "responseElements.ConsoleLogin": _of("success")},
            *("sourceIPAddress", "{host}|AWS", _AWS_USER),
        ),
        Way(
            "role",
            {"eventName": _of("assumerole", "assumerolewithsaml", "assumerolewithwebidentity")},
            *("sourceIPAddress", "{requestParameters.roleArn}", _AWS_USER),
            {"errorCode": _ANY, "userIdentity.type": _of("awsservice")},
        ),
    ),
    "entrasignin": (
        Way(
            "sign-in",
            {_ENTRA_CODE: _of("0")},
            "properties.ipAddress|ipAddress|callerIpAddress|IPAddress",
            "Entra ID {domain}|Entra ID",
            "properties.userPrincipalName|userPrincipalName|UserPrincipalName|servicePrincipalName",
        ),
    ),
    "m365": (
        Way(
            "sign-in",
            {"Operation": _of("userloggedin", "mailboxlogin")},
            *("ClientIP|ClientIPAddress|ActorIpAddress", "Microsoft 365 {domain}|Microsoft 365", "UserId"),
        ),
    ),
    "okta": (
        Way(
            "sign-in",
            {"eventType": _of("user.session.start"), "outcome.result": _of("success")},
            *("client.ipAddress", "Okta {domain}|Okta", "actor.alternateId"),
        ),
    ),
    "workspace": (
        Way(
            "sign-in",
            {"events.name": _of("login_success")},
            *("ipAddress", "Google Workspace {domain}|Google Workspace", "actor.email"),
        ),
    ),
    "gcp": (
        Way(
            "sign-in",
            {_GCP_METHOD: _of("google.login.loginservice.loginsuccess")},
            "protoPayload.requestMetadata.callerIp|data.protoPayload.requestMetadata.callerIp",
            "Google Workspace {domain}|Google Workspace",
            "protoPayload.authenticationInfo.principalEmail|data.protoPayload.authenticationInfo.principalEmail",
        ),
    ),
    "duo": (
        Way(
            "sign-in",
            {"result": _of("success", "allow"), "factor": _ANY},
            *("access_device.ip|ip", "{application.name}|{integration}|Duo", "user.name|username"),
        ),
    ),
    "gitlab": (
        Way(
            "sign-in",
            {"with|details.with": _of("standard", "two-factor", "ldap", "saml", "webauthn")},
            *("ip_address|details.ip_address", "GitLab", "author_name|details.author_name"),
        ),
    ),
    "ecs": (
        Way(
            "network",
            {"event.category": _of("authentication"), "event.outcome": _of("success"), "source.ip": _ANY},
            *("source.ip", "{host}", "user.name|user.email"),
            {"event.type": _of("end")},
        ),
    ),
    "ocsf": (
        Way(
            "network",
            {"class_uid": _of("3002"), "activity_id": _of("1"), "src_endpoint.ip": _ANY},
            *("src_endpoint.ip", "{host}|{dst_endpoint.hostname}", "user.name|user.email_addr"),
            {"status_id": _of("2")},
        ),
    ),
    "onelogin": (Way("sign-in", {"event_type_id": _of("5")}, "ipaddr", "OneLogin", "user_name"),),
    "kubernetes": (
        Way(
            "command",
            {"objectRef.subresource": _of("exec", "attach")},
            *("sourceIPs", "{objectRef.namespace}/{objectRef.name}", "user.username"),
            # Before the answer comes there is none, and one of 400 or more is a refusal.
            {"stage": _of("requestreceived"), "responseStatus.code": _of("400", "401", "403", "404", "500")},
        ),
    ),
}

MARKS = (
    "ConsoleLogin", "AssumeRole", "onditionalAccessStatus", "UserLoggedIn", "MailboxLogin", "login_success",
    "user.session.start", "LoginService.loginSuccess", '"factor"', '"with"', '"exec"', '"attach"',
    '"logtype"', '"rdp"', '"smb"', '"authentication"', '"src_endpoint"', '"event_type_id"', '"command_line"',
    '"cmd_line"',
)  # fmt: skip
"""Texts of which a JSON document has one, where it tells of an arrival, or of a process in one of the
schemas. Web servers' own JSON is left out: it would mean to decode each request."""


def may_tell(origin: str, get: Callable[..., str]) -> bool:
    """Return whether an event of that origin is likely to tell of an arrival, by one field of each way."""
    return any(_holds(get, *next(iter(way.where.items()))) for way in ARRIVALS.get(origin, ()))


def arrival(origin: str, get: Callable[..., str], host: str) -> Arrival | None:
    """Return what an event tells, None for nothing; ``get`` returns the text of the first field present."""
    for way in ARRIVALS.get(origin, ()):
        found = _by(way, get, host)
        if found is not None:
            return found
    return None


def _by(way: Way, get: Callable[..., str], host: str) -> Arrival | None:
    if not all(_holds(get, name, values) for name, values in way.where.items()):
        return None
    if any(_holds(get, name, values) for name, values in way.unless.items()):
        return None
    groups: dict[str, str] = {}
    if way.pattern is not None:
        match = way.pattern.search(get("message"))
        if match is None:
            return None
        groups = {name: value for name, value in match.groupdict().items() if value}

    def value(names: str) -> str:
        return groups.get(names) or (get(*names.split("|")) if names else "")

    user, source = value(way.user), value(way.source)
    if not source or _SERVICE.search(source):
        return None
    known = {"host": host, "domain": user.rpartition("@")[2] if "@" in user else ""}
    return Arrival(way.kind, source, _target(way.target, known, value), user, value(way.given))


def _target(templates: str, known: Mapping[str, str], value: Callable[[str], str]) -> str:
    """Return the first of the templates that can be filled in whole, "" where none can."""
    for template in templates.split("|"):
        filled = template
        for name in _HOLE.findall(template):
            part = known[name] if name in known else value(name)
            if not part:
                break
            filled = filled.replace(f"{{{name}}}", part)
        else:
            return filled
    return ""


def _holds(get: Callable[..., str], names: str, values: frozenset[str]) -> bool:
    found = get(*names.split("|"))
    return found.lower() in values if values else found not in {"", "-"}
