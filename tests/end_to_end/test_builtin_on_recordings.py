"""The built-in rules on attacks that others recorded: they see them, and are quiet on what surrounds them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

import haidang
from haidang.findings.model import ScanSummary

if TYPE_CHECKING:
    from pathlib import Path

SEEN = {
    "SCRANTON-zeek_logs": "Archive Uploaded to a Bare Address Over HTTP",
    "cmd_dumping_ntds_dit_file_volume_shadow_copy": "Copy of the Directory Database Written",
    "cmd_wevtutil_modify_security_eventlog_path": "Command to Empty, Disable or Move an Event Log",
    "covenant_psremoting_grunt": "Remote PowerShell Session Starts Another Interpreter",
    "covenant_sc_query_dcerpc_smb_svcctl": "Program From the Desktop or Download Folder Starts a Shell",
    "empire_over_pth_patch_lsass": "Memory of the Logon Process Opened for Reading",
    "empire_psinject_PEinjection": "Script Host Starts a Thread in Another Process",
    "empire_psremoting_stager": "PowerShell Script Switches Off Its Own Inspection",
    "empire_wmi_dcerpc_wmi_IWbemServices_ExecMethod": "Command Started Through WMI",
    "purplesharp_ad_playbook_I": "One Account Collects Weak Tickets for Many Services",
    "rdp_interactive_taskmanager_lsass_dump": "Dump File of the Logon Process on Disk",
    "wmic_remote_xsl_jscript": "WMIC Runs a Command on Another Host or a Remote Style Sheet",
}


@pytest.mark.slow
def test_sees_recorded_attacks_and_little_else(corpora: Path) -> None:
    summary = ScanSummary()
    found = Counter(
        (name, finding.rule.title)
        for finding in haidang.scan(corpora / "mordor", summary=summary)
        for name in [finding.source.path.rsplit("/mordor/", 1)[1].split(".zip")[0]]
    )
    assert [name for name, title in SEEN.items() if not found[name, title]] == []
    assert summary.events > 150_000
    assert sum(found.values()) < summary.events / 1000


# Logs of single cases that others collected. Where none of these was at work, the pack is quiet.
CASES = {
    ("CVE-2022-26134", "Request That Carries an Expression for a Java Application"),
    ("CVE-2022-42889", "Request That Carries an Expression for a Java Application"),
    ("apache-http-probing", "One Address Asks for Many Pages That Do Not Exist"),
    ("apache_log4j2_cve-2021-44228", "Request That Makes a Java Server Load Code (JNDI Lookup)"),
    ("auditd-postexploit-exec-from-net", "Program Runs From a Folder That Everyone Can Write To"),
    ("aws-alb-http-bad-user-agent", "Scanner That Gives Its Own Name"),
    ("bunkerweb-bad-user-agent", "Scanner That Gives Its Own Name"),
    ("cve-2021-42013", "Request That Carries a Shell Command"),
    ("f5-big-ip-cve-2020-5902", "Page That Takes a Command as Its Parameter"),
    ("f5-big-ip-cve-2020-5902", "Path Traversal Answered With Success"),
    ("fortinet-cve-2018-13379", "Path Traversal Answered With Success"),
    ("iptables-scan-multi-port", "Many Ports of One Host Tried"),
    ("ipv6-postoverflow", "Scanner That Gives Its Own Name"),
    ("jira_cve-2021-26086", "Scanner That Gives Its Own Name"),
    ("netgear_rce", "Request That Carries a Shell Command"),
    ("nginx-bad-user-agent", "Scanner That Gives Its Own Name"),
    ("pulse-secure-sslvpn-cve-2019-11510", "Path Traversal Answered With Success"),
    ("spring4shell_cve-2022-22965", "Request That Carries an Expression for a Java Application"),
    ("traefik_clf", "Scanner That Gives Its Own Name"),
}


def test_sees_the_cases_in_logs_of_many_products_and_nothing_else(corpora: Path) -> None:
    found = {
        (finding.source.path.rsplit("/", 1)[1].split("__")[0], finding.rule.title)
        for finding in haidang.scan(corpora / "logs")
    }
    assert found == CASES
