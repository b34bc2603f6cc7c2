"""No reader takes another's logs: each sample goes to its own, and strangers go to plain text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from haidang.events.readers import readers
from haidang.events.recognition import HEAD_BYTES, make_head, recognise
from tests.events.readers.feeding import SAMPLES, head

if TYPE_CHECKING:
    from pathlib import Path

OWN = [path for path in sorted(SAMPLES.glob("*/*")) if path.is_file()]


def chosen(name: str, data: bytes) -> str:
    reader = recognise(make_head(name, data[:HEAD_BYTES]), readers())
    return "" if reader is None else reader.name


@pytest.mark.parametrize("path", OWN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_sample_goes_to_its_own_reader(path: Path) -> None:
    module = import_module(f"haidang.events.readers.{path.parent.name}")
    assert chosen(path.name, path.read_bytes()) == module.READER.name


@pytest.mark.parametrize("path", OWN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_sample_is_recognised_by_its_content_alone(path: Path) -> None:
    module = import_module(f"haidang.events.readers.{path.parent.name}")
    assert recognise(make_head("log", path.read_bytes()), readers()) is module.READER


def test_no_reader_is_sure_of_nothing() -> None:
    assert not [name for name, reader in readers().items() if reader.recognises(head(b""))]


@pytest.mark.parametrize("name", ["syslog", "auditd", "zeek", "csv"])
def test_any_bytes_can_be_looked_at(name: str) -> None:
    reader = readers()[name]
    for data in (
        b"\n",
        b"\r",
        b"\x00" * 70_000,
        b"\xff\xfe",
        b'"',
        b"#",
        b"#fields",
        b"," * 70_000,
        b"<1>",
        b"{",
    ):
        assert reader.recognises(head(data)) <= 85


SYSLOG = (
    "CVE-2021-4034 amavis charon cowrie dovecot endlessh-syslogs exim-syslog haproxy http-wordpress iptables "
    "lemonldap meshcentral mikrotik "
    "opensearch opnsense pfsense postfix proxmox-bf segfault smb-bf sonarr ssh "
    "whitelists wireguard"
)


def test_the_logs_of_the_corpora_go_where_they_belong(corpora: Path) -> None:
    wrong = []
    paths = sorted((corpora / "logs").glob("*.log"))
    assert len(paths) > 180
    for path in paths:
        data = path.read_bytes()
        got = chosen(path.name, data)
        if path.name.startswith("auditd"):
            expected = {"auditd"}
        elif path.name.startswith(("bind9", "openvpn")):
            expected = {"bind", "openvpn"}
        elif path.name.startswith(("exim-bf", "exim-spam")):
            expected = {"exim"}
        elif path.name.startswith(tuple(SYSLOG.split())):
            expected = {"syslog", "mail"}
        elif data.lstrip()[:1] in {b"{", b"["} or b"<Event" in data[:100]:
            expected = set(readers()) - {"auditd", "syslog", "zeek", "csv"}
        elif b"\n{" in data:
            expected = {"text", "ndjson"}
        else:
            # Which of these are access or error logs is told in the tests of their readers.
            expected = {"text", "web-access", "web-errors"}
        if got not in expected:
            wrong.append((path.name, got))
    assert not wrong
