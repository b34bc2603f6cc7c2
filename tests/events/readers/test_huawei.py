"""Huawei's messages have module, severity and name, and pairs."""

from __future__ import annotations

import pytest

from haidang.events.readers.huawei import READER
from tests.events.readers.feeding import feed, head, sample

SEEN = feed(READER, sample("huawei", "usg.log"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (0, {"message_id": "POLICY/6/POLICYPERMIT", "module": "POLICY", "level": "6", "action": "permit"}),
        (0, {"source-ip": "10.20.0.31", "destination-port": "23", "timestamp": "Nov 11 2026 21:58:57"}),
        (1, {"mnemonic": "POLICYDENY", "action": "deny", "rule-name": "default."}),
        (2, {"module": "BGP", "TcpConnection": "203.0.113.9:179", "ReturnCode": "Failed"}),
        (3, {"module": "SHELL", "mnemonic": "SHELL_LOGIN", "message": "quantri logged in from 10.20.0.5."}),
    ],
)
def test_each_message_is_taken_apart(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()
    assert SEEN.events[at]["raw"] == sample("huawei", "usg.log").decode().splitlines()[at]


@pytest.mark.parametrize("line", ["%%01BGP", "100%%", "Nov 11 21:58:57 h %%BGP/3/X(l):x", "%%01BGP/9/X(l):x"])
def test_what_is_no_message_is_not_taken(line: str) -> None:
    assert feed(READER, line.encode()).origins == ["syslog"]
    assert READER.recognises(head(line.encode())) == 0


def test_a_pair_cannot_forge_what_the_message_is() -> None:
    line = b"%%01BGP/3/BGP_AUTH_FAILED(l): module=x raw=y message=z mnemonic=permit"
    event = feed(READER, line).events[0]
    assert (event["module"], event["mnemonic"], event["raw"]) == ("BGP", "BGP_AUTH_FAILED", line.decode())
    assert "action" not in event
