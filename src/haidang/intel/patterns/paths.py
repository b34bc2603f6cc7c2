"""Which object paths of STIX a log can answer, and which facets of its events (``intel/observed``) do.

Among them are some that the standard does not name and that others export: ``hostname`` and ``user-agent`` of
OpenCTI, registry values without an index of MISP.
"""

from __future__ import annotations

__all__ = ["PATHS"]

_IP = ("ip", "src_ip", "dst_ip")
_MAIL = ("email", "mail_from", "mail_to")
PATHS: dict[str, tuple[str, ...]] = {
    "ipv4-addr:value": _IP,
    "ipv6-addr:value": _IP,
    "domain-name:value": ("domain",),
    "domain-name:resolves_to_refs[*].value": ("ip", "dst_ip", "domain"),
    "hostname:value": ("domain",),
    "x-opencti-hostname:value": ("domain",),
    "url:value": ("url",),
    "email-addr:value": _MAIL,
    "email-message:from_ref.value": ("mail_from",),
    "email-message:sender_ref.value": ("mail_from",),
    "email-message:to_refs[*].value": ("mail_to",),
    "email-message:cc_refs[*].value": ("mail_to",),
    "email-message:bcc_refs[*].value": ("mail_to",),
    "email-message:additional_header_fields.Reply-To": ("mail_from",),
    "email-message:subject": ("subject",),
    "file:hashes": ("hash",),
    "x509-certificate:hashes": ("hash",),
    "file:name": ("file",),
    "file:parent_directory_ref.path": ("folder",),
    "directory:path": ("folder", "directory"),
    "process:command_line": ("command_line",),
    "process:arguments[*]": ("command_line",),
    "process:name": ("process",),
    "process:image_ref.name": ("process",),
    "process:binary_ref.name": ("process",),
    "process:image_ref.hashes": ("hash",),
    "process:binary_ref.hashes": ("hash",),
    "process:cwd": ("directory",),
    "process:pid": ("pid",),
    "process:parent_ref.name": ("parent_process",),
    "process:parent_ref.image_ref.name": ("parent_process",),
    "process:parent_ref.command_line": ("parent_command_line",),
    "process:creator_user_ref.account_login": ("user",),
    "process:creator_user_ref.user_id": ("user",),
    "process:extensions.windows-service-ext.service_name": ("service",),
    "windows-registry-key:key": ("registry",),
    "windows-registry-key:values[*].name": ("registry",),
    "windows-registry-key:values[*].data": ("registry_data",),
    "windows-registry-key:values.name": ("registry",),
    "windows-registry-key:values.data": ("registry_data",),
    "network-traffic:src_ref.value": ("src_ip",),
    "network-traffic:dst_ref.value": ("dst_ip", "domain"),
    "network-traffic:src_port": ("src_port",),
    "network-traffic:dst_port": ("dst_port",),
    "network-traffic:protocols[*]": ("protocol",),
    "network-traffic:extensions.http-request-ext.request_value": ("url",),
    "network-traffic:extensions.http-request-ext.request_method": ("http_method",),
    "network-traffic:extensions.http-request-ext.request_header.User-Agent": ("user_agent",),
    "network-traffic:extensions.http-request-ext.request_header.Host": ("domain",),
    "user-agent:value": ("user_agent",),
    "x-opencti-user-agent:value": ("user_agent",),
    "user-account:account_login": ("user",),
    "user-account:user_id": ("user",),
    "user-account:display_name": ("user",),
}
"""Object path to the facets (``intel/observed``) that a comparison looks at; any of them is enough."""
