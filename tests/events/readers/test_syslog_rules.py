"""Rules on Linux fire on syslog, and findings have the year of the file."""

from __future__ import annotations

import gzip
import os
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import haidang
from tests.events.readers.feeding import sample
from tests.events.readers.firing import fired, take_rules, write_rules

if TYPE_CHECKING:
    from pathlib import Path


def test_the_year_is_that_of_the_file_on_disk_also_inside_an_archive(tmp_path: Path) -> None:
    line = b"Dec 30 23:00:00 h sshd[1]: Accepted password for lan\n"
    plain = tmp_path / "logs" / "auth.log"
    plain.parent.mkdir()
    plain.write_bytes(line)
    (tmp_path / "logs" / "auth.log.1.gz").write_bytes(gzip.compress(line))
    with zipfile.ZipFile(tmp_path / "logs" / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("auth.log", (2021, 1, 2, 0, 0, 0)), line)
    moment = datetime(2023, 1, 5, tzinfo=UTC).timestamp()
    os.utime(plain, (moment, moment))
    os.utime(tmp_path / "logs" / "auth.log.1.gz", (moment, moment))
    rules = write_rules(
        tmp_path / "rules", sshd=("product: linux, service: sshd", "message|contains: Accepted")
    )
    ruleset = haidang.load_rules(rules, cache=False)
    found = {
        finding.source.path.rpartition("logs/")[2]: finding.time
        for finding in haidang.scan(tmp_path / "logs", rules=ruleset)
    }
    assert found == {
        "auth.log": "2022-12-30T23:00:00.000Z",
        "auth.log.1.gz": "2022-12-30T23:00:00.000Z",
        "a.zip!auth.log": "2020-12-30T23:00:00.000Z",
    }


def test_rules_on_linux_fire(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        process=("product: linux, category: process_creation", "Image|endswith: /curl\nUser: www-data"),
        connection=("product: linux, category: network_connection", "DestinationIp: 203.0.113.77"),
        file=("product: linux, category: file_event", "TargetFilename: /tmp/.x"),
        sudo=("product: linux, service: sudo", "USER: '#-*'"),
        sshd=("product: linux, service: sshd", "message|contains: Accepted password"),
        windows=("product: windows, category: process_creation", "Image|endswith: /curl"),
    )
    assert fired(tmp_path, sample("syslog", "sysmon.log"), rules) == {
        ("process", "2"),
        ("connection", "3"),
        ("file", "5"),
    }
    assert fired(tmp_path, sample("syslog", "bsd.log"), rules) == {("sshd", "4")}
    line = b"Nov  3 04:05:06 h sudo: lan : TTY=pts/0 ; PWD=/ ; USER=#-1 ; COMMAND=/bin/sh\n"
    assert fired(tmp_path, line, rules) == {("sudo", "1")}


def test_rules_of_sigmahq_on_linux_fire(corpora: Path, tmp_path: Path) -> None:
    rules = take_rules(
        corpora,
        tmp_path / "rules",
        "lnx_sudo_exploit_cve_2019_14287.yml",
        "lnx_auth_exploit_cve_2021_4034_pwnkit_lpe.yml",
        "lnx_cron_crontab_file_modification.yml",
        "lnx_guacamole_susp_guacamole.yml",
        "lnx_clamav_relevant_message.yml",
        "lnx_vsftpd_susp_error_messages.yml",
        "lnx_sshd_susp_ssh.yml",
        "lnx_syslog_susp_named.yml",
    )
    data = (
        b"Nov  3 04:05:06 h sudo: lan : TTY=pts/0 ; PWD=/ ; USER=#-1 ; COMMAND=/bin/sh\n"
        b"Nov  3 04:05:06 h pkexec[7]: lan: The value for environment variable XAUTHORITY contains "
        b"suspicious content [USER=root] [TTY=/dev/pts/0] [CWD=/] [COMMAND=/usr/bin/x]\n"
        b"Nov  3 04:05:06 h crontab[8]: (lan) REPLACE (lan)\n"
        b"Nov  3 04:05:06 h guacd[9]: User @1 joined connection (2 users now present)\n"
        b"Nov  3 04:05:06 h clamd[10]: /srv/x: Trojan.Unix-1 FOUND\n"
        b"Nov  3 04:05:06 h vsftpd[11]: bug: pid active in ptrace_sandbox_free\n"
        b"Nov  3 04:05:06 h sshd[12]: ssh_packet_read: Corrupted MAC on input.\n"
        b"Nov  3 04:05:06 h named[13]: dropping source port zero packet from 203.0.113.9\n"
    )
    assert {record for _, record in fired(tmp_path, data, rules)} == {str(n) for n in range(1, 9)}


def test_rules_of_sigmahq_fire_on_sysmon_for_linux(corpora: Path, tmp_path: Path) -> None:
    names = ("proc_creation_lnx_curl_usage.yml", "proc_creation_lnx_webshell_detection.yml")
    rules = take_rules(corpora, tmp_path / "rules", *names)
    assert fired(tmp_path, sample("syslog", "sysmon.log"), rules) >= {("Curl Usage on Linux", "2")}
