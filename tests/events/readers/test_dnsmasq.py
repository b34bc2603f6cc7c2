"""dnsmasq's queries and answers are read, plain and extra."""

from __future__ import annotations

import pytest

from haidang.events.readers.dnsmasq import READER
from tests.events.readers.feeding import feed, head, sample

SEEN = feed(READER, sample("dnsmasq", "pihole.log"))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (
            0,
            {
                "action": "query",
                "query": "cap-nhat.haivan.example",
                "record_type": "A",
                "client": "10.20.0.31",
            },
        ),
        (1, {"action": "forwarded", "query": "cap-nhat.haivan.example", "server": "10.20.0.53"}),
        (2, {"action": "reply", "answer": "<CNAME>", "record_type": "CNAME"}),
        (3, {"action": "reply", "query": "kho.haivan.example", "answer": "203.0.113.77", "record_type": "A"}),
        (5, {"action": "gravity blocked", "answer": "::", "record_type": "AAAA"}),
        (6, {"serial": "4012", "client": "10.20.0.31", "client_port": "51234", "record_type": "TXT"}),
        (7, {"client": "10.20.0.31", "answer": '"IEX (lenh)"', "record_type": "TXT"}),
    ],
)
def test_each_line_says_what_was_asked_or_answered(at: int, expected: dict[str, str]) -> None:
    assert expected.items() <= SEEN.events[at].items()


def test_an_answer_of_any_type_does_not_claim_one() -> None:
    event = feed(READER, b"Nov 11 21:58:57 dnsmasq[1]: config a.vn is NXDOMAIN").events[0]
    assert (event["action"], event["answer"]) == ("config", "NXDOMAIN")
    assert "record_type" not in event


@pytest.mark.parametrize(
    "message", ["started, version 2.89 cachesize 150", "using nameserver 10.20.0.53#53", ""]
)
def test_what_else_dnsmasq_says_stays_syslog(message: str) -> None:
    assert feed(READER, f"Nov 11 21:58:57 dnsmasq[1]: {message}".encode()).origins == ["syslog"]


def test_its_own_file_is_recognised() -> None:
    assert READER.recognises(head(sample("dnsmasq", "pihole.log"))) == 93
    assert READER.recognises(head(b"Nov 11 21:58:57 hv-gw03 dnsmasq[812]: query[A] a from 10.0.0.1")) == 0
