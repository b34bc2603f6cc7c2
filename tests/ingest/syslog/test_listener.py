from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from haidang.errors import ConfigurationError
from haidang.ingest.syslog.listener import Senders, SyslogListener
from tests.ingest.holding import Book, source

PEM = Path("some.pem")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "sctp", "source": "a"}, "there is no kind 'sctp'"),
        ({"port": 70_000, "source": "a"}, "there is no port 70000"),
        ({"certificate": PEM, "source": "a"}, "certificates are of kind tls"),
        ({"kind": "tls", "source": "a"}, "TLS needs a certificate and its key"),
        ({"kind": "tls", "certificate": PEM, "key": PEM, "by_certificate": True}, "who issues"),
        ({}, "it has no source"),
        ({"networks": (("10.1.0.1/16", "a"),)}, "'10.1.0.1/16' is no network"),
    ],
)
def test_refuses_what_does_not_go_together_and_says_what_to_do(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SyslogListener(**{"host": "127.0.0.1", "port": 514, "kind": "tcp", **options})
    assert said in caught.value.message
    assert caught.value.hint


def senders(**options: Any) -> Senders:
    book = Book(
        source("all"),
        source("wide"),
        source("narrow"),
        source("off", enabled=False),
        source("six"),
        source("client"),
        certificates={"ab" * 32: "client"},
    )
    return Senders(SyslogListener(**{"host": "", "port": 1, "kind": "tcp", **options}), book)


def name(found: Any) -> str | None:
    return found.name if found else None


@pytest.mark.parametrize(
    ("address", "of"),
    [
        ("10.1.2.3", "narrow"),
        ("10.9.2.3", "wide"),
        ("::ffff:10.1.2.3", "narrow"),
        ("192.0.2.1", "all"),
        ("fe80::1%eth0", "six"),
        ("2001:db8::1", "all"),
        ("172.16.0.1", None),
    ],
)
def test_the_narrowest_network_names_the_source_and_a_disabled_one_is_none(
    address: str, of: str | None
) -> None:
    networks = (
        ("10.0.0.0/8", "wide"),
        ("10.1.0.0/16", "narrow"),
        ("fe80::/10", "six"),
        ("172.16.0.0/12", "off"),
    )
    assert name(senders(networks=networks, source="all").source_of(address)) == of


def test_a_sender_outside_of_all_networks_has_no_source_unless_one_is_named() -> None:
    assert senders(networks=(("10.0.0.0/8", "wide"),)).source_of("192.0.2.1") is None
    assert senders(source="not in the book").source_of("192.0.2.1") is None


def test_where_certificates_name_the_source_nothing_else_does() -> None:
    by_certificate = senders(
        kind="tls", certificate=PEM, key=PEM, authority=PEM, by_certificate=True, source="all"
    )
    assert name(by_certificate.source_of("192.0.2.1", "ab" * 32)) == "client"
    assert by_certificate.source_of("192.0.2.1", "cd" * 32) is None
    assert by_certificate.source_of("192.0.2.1") is None


def test_an_address_of_a_listener_reads_as_it_is_configured() -> None:
    assert str(SyslogListener("::1", 514, "udp", source="a")) == "udp://[::1]:514"
    assert str(SyslogListener("", 514, "tcp", source="a")) == "tcp://*:514"
