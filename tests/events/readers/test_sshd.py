"""Who tried to come in, from where, with what outcome: as sshd writes it, not as a user's name feigns it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import haidang
from haidang.events.readers.syslog import parse_line

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("outcome", "method", "user", "client_ip", "invalid_user")
CASES = {
    "Failed password for root from 192.0.2.7 port 4022 ssh2": (
        "failed",
        "password",
        "root",
        "192.0.2.7",
        None,
    ),
    "Failed password for invalid user a b from 2001:db8::7 port 1 ssh2": (
        *("failed", "password", "a b", "2001:db8::7", "yes"),
    ),
    "Accepted publickey for lan from 192.0.2.7 port 4 ssh2: ED25519 SHA256:a/b+c": (
        *("accepted", "publickey", "lan", "192.0.2.7", None),
    ),
    "Accepted keyboard-interactive/pam for lan from 192.0.2.7 port 4 ssh2": (
        *("accepted", "keyboard-interactive/pam", "lan", "192.0.2.7", None),
    ),
    "message repeated 3 times: [ Failed password for root from 192.0.2.7 port 4022 ssh2]": (
        *("failed", "password", "root", "192.0.2.7", None),
    ),
    "Invalid user  from 192.0.2.7 port 4022": (None, None, "", "192.0.2.7", "yes"),
    "Invalid user git from 192.0.2.7": (None, None, "git", "192.0.2.7", "yes"),
    "Connection closed by authenticating user root 192.0.2.7 port 4022 [preauth]": (
        *(None, None, "root", "192.0.2.7", None),
    ),
    "Disconnected from invalid user git 192.0.2.7 port 4022 [preauth]": (
        *(None, None, "git", "192.0.2.7", "yes"),
    ),
    # The user called itself "x from 10.0.0.1 port 1 ssh2".
    "Failed password for invalid user x from 10.0.0.1 port 1 ssh2 from 192.0.2.7 port 4 ssh2": (
        *("failed", "password", "x from 10.0.0.1 port 1 ssh2", "192.0.2.7", "yes"),
    ),
    "Invalid user y 10.0.0.1 port 1 [preauth] from 192.0.2.7 port 4": (
        *(None, None, "y 10.0.0.1 port 1 [preauth]", "192.0.2.7", "yes"),
    ),
    "Server listening on 0.0.0.0 port 22.": (None,) * 5,
}


@pytest.mark.parametrize("message", CASES)
@pytest.mark.parametrize(
    "head", ["Nov  3 04:05:06 h sshd[7]: ", "<38>1 2026-11-03T04:05:06Z h sshd-session 7 - - "]
)
def test_says_who_came_from_where(head: str, message: str) -> None:
    fields = parse_line(head + message)
    assert fields is not None
    assert tuple(fields.get(name) for name in NAMES) == CASES[message]
    assert fields["message"] == message


def test_other_programs_do_not_speak_for_sshd() -> None:
    fields = parse_line("Nov  3 04:05:06 h cron: Failed password for root from 192.0.2.7 port 4022 ssh2")
    assert fields is not None
    assert "client_ip" not in fields


@pytest.mark.parametrize("form", ["syslog", "journald"])
def test_guessing_that_ends_in_a_logon_is_found_in_the_system_log(tmp_path: Path, form: str) -> None:
    said = [f"Failed password for root from 192.0.2.7 port {at} ssh2" for at in range(9)]
    said.append("Accepted password for root from 192.0.2.7 port 99 ssh2")
    if form == "syslog":
        lines = [f"Nov  3 04:05:{at:02} h sshd[7]: {message}" for at, message in enumerate(said)]
    else:
        lines = [
            json.dumps(
                {
                    "__CURSOR": "s",
                    "__REALTIME_TIMESTAMP": str(1_793_678_700_000_000 + at * 1_000_000),
                    "_HOSTNAME": "h",
                    "SYSLOG_IDENTIFIER": "sshd",
                    "MESSAGE": message,
                }
            )
            for at, message in enumerate(said)
        ]
    (tmp_path / "log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = {finding.rule.title for finding in haidang.scan(tmp_path / "log")}
    assert "Logon After SSH Guessing in the System Log" in found
