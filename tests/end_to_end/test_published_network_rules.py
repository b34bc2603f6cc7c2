"""Published rules on firewalls, routers, name servers and proxies fire on what these log."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

import haidang

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from haidang import Ruleset

IOS = "Nov 11 21:59:02 hv-rt01 45: *Nov 11 21:59:01.900: %PARSER-5-CFGLOG_LOGGEDCMD: User:quantri  {}"
ASA = "Nov 11 21:59:02 hv-asa01 %ASA-5-111008: User 'quantri' executed the '{}' command."
COMMANDS = {
    "cisco_cli_clear_logs": "clear logging",
    "cisco_cli_collect_data": "show startup-config",
    "cisco_cli_crypto_actions": "crypto pki export haivan",
    "cisco_cli_disable_logging": "no aaa new-model",
    "cisco_cli_discovery": "show ip route",
    "cisco_cli_dos": "shutdown",
    "cisco_cli_dot1x_disabled": "no dot1x system-auth-control",
    "cisco_cli_file_deletion": "erase nvram",
    "cisco_cli_input_capture": "show history",
    "cisco_cli_local_accounts": "username ho-tro privilege 15",
    "cisco_cli_modify_config": "ip http server",
    "cisco_cli_moving_data": "copy tftp flash",
    "cisco_cli_net_sniff": "monitor capture point ip cef diem",
}
FORTIGATE = (
    'date=2026-11-11 time=21:58:59 devname="hv-fw01" devid="FGT00HAIVAN0001" logid="0100044547" type="event" '
    'subtype="system" user="quantri" action="{}" cfgpath="{}" cfgobj="moi"'
)
CHANGES = {
    "fortinet_fortigate_new_admin_account_created": ("Add", "system.admin"),
    "fortinet_fortigate_new_firewall_address_object": ("Add", "firewall.address"),
    "fortinet_fortigate_new_firewall_policy_added": ("Add", "firewall.policy"),
    "fortinet_fortigate_new_local_user_created": ("Add", "user.local"),
    "fortinet_fortigate_new_vpn_ssl_web_portal": ("Add", "vpn.ssl.web.portal"),
    "fortinet_fortigate_user_group_modified": ("Edit", "user.group"),
    "fortinet_fortigate_vpn_ssl_settings_modified": ("Edit", "vpn.ssl.settings"),
}
BIND = "11-Nov-2026 21:58:57.417 queries: info: client @0x7f65 10.20.0.31#5 ({0}): query: {0} IN {1} + (::1)"
DNSMASQ = "Nov 11 21:58:57 dnsmasq[812]: query[{1}] {0} from 10.20.0.31"
WINDOWS_DNS = (
    "11/11/2026 9:58:57 PM 0E70 PACKET  000001D2A83397A0 UDP Rcv 10.20.0.31 5b47   Q [0001   D   NOERROR] "
    "{1} {2}(0)"
)
UNBOUND = "[1794409137] unbound[812:0] info: 10.20.0.31 {0}. {1} IN"
COREDNS = '[INFO] 10.20.0.31:51234 - 29008 "{1} IN {0}. udp 41 false 512" NOERROR qr,rd,ra 68 0.037990251s'
EVE_DNS = (
    '{{"timestamp":"2026-11-11T21:58:58.020000+0700","flow_id":2,"event_type":"dns","src_ip":"10.20.0.31",'
    '"dest_ip":"10.20.0.53","dns":{{"type":"query","rrname":"{0}","rrtype":"{1}"}}}}'
)
QUERIES = {
    "net_dns_apt_equation_group_triangulation_c2_coms": ("addatamarket.net", "A"),
    "net_dns_axios_npm_compromise_indicator": ("sfrclak.com", "A"),
    "net_dns_external_service_interaction_domains": ("x.burpcollaborator.net", "A"),
    "net_dns_katz_stealer_domain": ("a.katz-panel.com", "AAAA"),
    "net_dns_low_reputation_etld": ("haivan.duckdns.org", "A"),
    "net_dns_mal_cobaltstrike": ("aaa.stage.1.haivan.example", "TXT"),
    "net_dns_pua_cryptocoin_mining_xmr": ("pool.minexmr.com", "A"),
    "net_dns_wannacry_killswitch_domain": ("ifferfsodp9ifjaposdfjhgosurijfaewrwergwea.com", "A"),
}
SQUID = (
    '10.20.0.31 - hoa [11/Nov/2026:21:58:57 +0700] "{0} {1} HTTP/1.1" {2} 4 "-" "{3}" TCP_MISS:HIER_DIRECT'
)
REQUESTS = {
    "proxy_download_susp_tlds_blacklist": ("GET", "http://haivan.top/a.exe", 200, "curl/8"),
    "proxy_download_susp_dyndns": ("GET", "http://haivan.hopto.org/a.zip", 200, "curl/8"),
    "proxy_hktl_empire_ua_uri_patterns": (
        "POST",
        "http://203.0.113.9/admin/get.php",
        200,
        "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    ),
    "proxy_malware_ursnif_download_url": ("GET", "http://haivan.example/x/y.php?l=z.cab", 200, "curl/8"),
    "proxy_susp_flash_download_loc": ("GET", "http://haivan.example/install_flash_player.exe", 200, "curl/8"),
    "proxy_telegram_api": ("CONNECT", "api.telegram.org:443", 200, "Mozilla/5.0"),
    "proxy_ua_bitsadmin_susp_ip": ("GET", "http://203.0.113.9/a", 200, "Microsoft BITS/7.8"),
    "proxy_ua_bitsadmin_susp_tld": ("GET", "http://haivan.example/a", 200, "Microsoft BITS/7.8"),
    "proxy_apt_equation_group_triangulation_c2_coms": ("GET", "https://addatamarket.net/", 200, "curl/8"),
    "proxy_exploit_cve_2023_43261_milesight_information_disclosure": (
        "GET",
        "http://203.0.113.9/lang/log/httpd.log",
        200,
        "curl/8",
    ),
    "proxy_exploit_cve_2023_22518_confluence_auth_bypass": (
        "POST",
        "http://haivan.example/json/setup-restore.action",
        302,
        "curl/8",
    ),
}
DNSMASQ_TEXT = 'Nov 11 21:58:57 dnsmasq[812]: reply haivan.example is "IEX (lenh)"'
PIX = (
    "%ASA-6-302013: Built outbound TCP connection 1 for outside:69.42.98.86/23 (69.42.98.86/23) to "
    "inside:10.20.0.31/50112 (198.51.100.1/50112)"
)
OTHERS = {
    "net_dns_susp_txt_exec_strings": DNSMASQ_TEXT,
    "net_firewall_apt_equationgroup_c2": PIX,
    "net_firewall_cleartext_protocols": PIX,
    "cisco_bgp_md5_auth_failed": "%IP-TCP-3-BADAUTH: No MD5 digest from 203.0.113.9:179 to 10.20.0.1:11021",
    "cisco_ldp_md5_auth_failed": "%ROUTING-LDP-4-SOCKET_TCP_PACKET_MD5_AUTHEN_FAIL: LDP to 203.0.113.9",
    "cisco_syslog_cve_2023_20198_ios_xe_web_ui": (
        "%SEC_LOGIN-5-WEBLOGIN_SUCCESS: Login Success [user: cisco_tac_admin] [Source: 203.0.113.9]"
    ),
    "fortios_sslvpnd_exploit_cve_2022_42475_exploitation_indicators": (
        'date=2026-11-11 time=21:58:59 devid="F" logid="1" type="event" msg="/data/lib/libgif.so"'
    ),
    "huawei_bgp_auth_failed": "%%01BGP/3/BGP_AUTH_FAILED(l)[2]:BGP session failed. (Peer=203.0.113.9:179)",
    "juniper_bgp_missing_md5": (
        "Nov 11 21:58:59 /kernel: tcp_auth_ok: Packet from 203.0.113.9:179 missing MD5 digest"
    ),
    "paloalto_globalprotect_exploit_cve_2024_3400_command_injection": (
        '{"level":"error","task":"4-22","message":"failed to unmarshal session(../../tmp/x) map"}'
    ),
    "netflow_cleartext_protocols": (
        '{"timestamp":"2026-11-11T21:59:01+0700","flow_id":5,"event_type":"flow","dest_port":23}'
    ),
}
LINES = [
    *[(name, IOS.format(command)) for name, command in COMMANDS.items()],
    *[(name, ASA.format(command)) for name, command in COMMANDS.items()],
    *[(name, FORTIGATE.format(*change)) for name, change in CHANGES.items()],
    *[
        (name, form.format(*query, "".join(f"({len(label)}){label}" for label in query[0].split("."))))
        for name, query in QUERIES.items()
        for form in (BIND, DNSMASQ, UNBOUND, COREDNS, EVE_DNS, WINDOWS_DNS)
    ],
    *[(name, SQUID.format(*request)) for name, request in REQUESTS.items()],
    *OTHERS.items(),
]


@pytest.fixture(scope="module")
def published(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    """The rules of the corpus that the lines above are for."""
    folder = tmp_path_factory.mktemp("published")
    wanted = {f"{name}.yml" for name, _ in LINES}
    with zipfile.ZipFile(corpora / "sigma_all_rules.zip") as archive:
        for member in archive.namelist():
            name = member.rpartition("/")[2]
            if name in wanted:
                (folder / name).write_bytes(archive.read(member))
    rules = haidang.load_rules(folder, cache=False)
    assert len(rules) == len(wanted)
    return rules


@pytest.mark.parametrize(("name", "line"), LINES, ids=lambda text: text[:60])
def test_a_published_rule_fires_on_a_native_line(
    published: Ruleset, tmp_path: Path, name: str, line: str
) -> None:
    log = tmp_path / "line.log"
    log.write_text(f"{line}\n", encoding="utf-8")
    assert name in fired(haidang.scan(log, rules=published))


@pytest.mark.parametrize(
    "line",
    [
        "Nov 11 21:59:02 hv-rt01 45: *Nov 11 21:59:01: %LINK-3-UPDOWN: Interface Gi0/1, down",
        FORTIGATE.format("Delete", "system.admin"),
        BIND.format("haivan.example", "A"),
        SQUID.format("GET", "http://haivan.org/", 200, "Mozilla/5.0"),
        '%ASA-4-106023: Deny tcp src outside:203.0.113.9/5 dst dmz:10.20.0.8/23 by access-group "a"',
        "Nov 11 21:58:57 hv-gw01 sshd[1]: Accepted publickey for hoa from 10.20.0.31 port 1 ssh2",
    ],
)
def test_published_rules_are_quiet_on_what_is_harmless(published: Ruleset, tmp_path: Path, line: str) -> None:
    log = tmp_path / "line.log"
    log.write_text(f"{line}\n", encoding="utf-8")
    assert fired(haidang.scan(log, rules=published)) == set()


def fired(findings: Iterable[haidang.Finding]) -> set[str]:
    """Return the names of the files whose rules fired."""
    return {finding.rule.path.rpartition("/")[2].removesuffix(".yml") for finding in findings}
