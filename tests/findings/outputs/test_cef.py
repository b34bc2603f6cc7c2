"""CEF: messages that a collector takes apart again, and no log that forges one."""

from __future__ import annotations

import io
import re
import socket
import socketserver
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.cli._destinations import OpenDestination, pair
from haidang.cli._syslog_stream import SyslogStream, is_syslog, parse_address
from haidang.errors import ConfigurationError, OutputError
from haidang.findings.model import Finding, FindingRule, Match, ScanSummary, Source
from haidang.findings.outputs.cef import OUTPUT, cef_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD = re.compile(
    r"<(\d+)>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([\x21-\x7e]+) "
    r"haidang - finding - (CEF:0\|.*)\Z",
    re.DOTALL,
)


def take_apart(message: bytes) -> tuple[list[str], dict[str, str]]:
    """Read a message as a collector does: header fields at bare pipes, then key=value."""
    match = HEAD.match(message.decode())
    assert match, message
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", match[4], maxsplit=7)
    assert len(parts) == 8
    keys = list(re.finditer(r"(?:^| )([A-Za-z0-9]+)=", parts[7]))
    keys = [key for key in keys if parts[7][: key.end() - 1][-1] != "\\"]
    values = {}
    for key, following in zip(keys, [*keys[1:], None], strict=True):
        raw = parts[7][key.end() : following.start() if following else None]
        values[key[1]] = re.sub(r"\\([\\=n])", lambda m: "\n" if m[1] == "n" else m[1], raw)
    return parts, values


def test_a_finding_in_the_terms_of_the_dictionary(make_finding: Callable[..., Finding]) -> None:
    event = {"CommandLine": "a=b", "User": "HAIVAN\\lan", "SourceIp": "10.0.0.5", "Image": "C:\\x.exe"}
    message = cef_message(make_finding(event=event))
    header, values = take_apart(message)
    assert header[1:4] == ["Hải Đăng", "haidang", header[3]]
    assert header[4:7] == ["11111111-2222-4333-8444-555555555555", "Encoded PowerShell", "8"]
    assert message.startswith(b"<35>1 2026-03-01T08:12:45.5Z WS01 haidang - finding - ")
    assert values["rt"] == "1772352765500"
    assert values["dvchost"] == "WS01"
    assert (values["duser"], values["dntdom"]) == ("lan", "HAIVAN")
    assert values["src"] == "10.0.0.5"
    assert values["cs3Label"] == "commandLine"
    assert values["cs3"] == "a=b"
    assert values["externalId"] == "0123456789abcdef0123456789abcdef"


def test_header_and_extension_are_escaped_each_in_its_way(make_finding: Callable[..., Finding]) -> None:
    finding = make_finding(
        rule_title="a|b\\c=d\nCEF:0|forged", event={"CommandLine": "x=1 src=9.9.9.9\nCEF:0|y|"}
    )
    message = cef_message(finding)
    assert b"a\\|b\\\\c=d CEF:0\\|forged" in message
    assert b"cs3=x\\=1 src\\=9.9.9.9\\nCEF:0|y|" in message
    assert b"\n" not in message


def test_time_and_host_are_nil_where_there_are_none(make_finding: Callable[..., Finding]) -> None:
    message = cef_message(make_finding(time=None, host=""))
    assert message.startswith(b"<35>1 - - haidang - finding - CEF:0|")
    assert b"rt=" not in message


def test_long_values_are_cut_at_what_the_dictionary_allows(make_finding: Callable[..., Finding]) -> None:
    _, values = take_apart(
        cef_message(make_finding(event={"CommandLine": "x" * 100_000, "User": "u" * 5000}))
    )
    assert len(values["cs3"]) == 4000
    assert len(values["duser"]) == 1023


@given(st.text(), st.text())
def test_no_text_can_begin_a_message_or_a_field_of_its_own(title: str, value: str) -> None:
    rule = FindingRule("", title, "low", "test", ())
    event = {"CommandLine": value}
    finding = Finding("0" * 32, rule, None, value, Source(value, 1), event, (Match("a", value, value),))
    message = cef_message(finding)
    assert b"\n" not in message
    assert b"\r" not in message
    _, values = take_apart(message)
    assert set(values) <= {
        "dvchost", "externalId", "cnt", "msg", "cs1Label", "cs1", "cs3Label", "cs3", "cs4Label", "cs4",
        "cn1Label", "cn1",
    }  # fmt: skip


def test_a_file_has_a_message_a_line(make_finding: Callable[..., Finding]) -> None:
    stream = io.BytesIO()
    writer = OUTPUT.open(stream, lang="vi")
    writer.write(make_finding())
    writer.write(make_finding())
    writer.close(ScanSummary())
    assert len(stream.getvalue().splitlines()) == 2


class Collector(socketserver.BaseRequestHandler):
    """Keeps what comes: datagrams, or what a connection carries until it ends."""

    def handle(self) -> None:
        kept: list[bytes] = self.server.kept  # type: ignore[attr-defined]
        if isinstance(self.request, tuple):
            kept.append(self.request[0])
            return
        received = b""
        while block := self.request.recv(65536):
            received += block
        kept.append(received)


@pytest.fixture(params=["udp", "tcp"])
def collector(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[bytes], socketserver.BaseServer]]:
    """A real collector on this machine: its URL, what it got, and itself."""
    kind = socketserver.UDPServer if request.param == "udp" else socketserver.TCPServer
    with kind(("127.0.0.1", 0), Collector) as server:
        server.kept = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_address[1]
        try:
            yield f"syslog+{request.param}://127.0.0.1:{port}", server.kept, server  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


def wait_for(kept: list[bytes], count: int) -> None:
    for _ in range(500):
        if len(kept) >= count:
            return
        threading.Event().wait(0.01)
    raise AssertionError(kept)


def test_a_collector_gets_each_finding(
    collector: tuple[str, list[bytes], socketserver.BaseServer], make_finding: Callable[..., Finding]
) -> None:
    url, kept, _ = collector
    (destination,) = pair([("output", url)])
    output = OpenDestination(destination, io.BytesIO(), lang="en")
    findings = [make_finding(rule_title=f"Rule {n} ộ") for n in range(3)]
    for finding in findings:
        output.write(finding)
    assert output.finish(ScanSummary()) is None
    expected = [cef_message(finding) for finding in findings]
    if "tcp" in url:
        wait_for(kept, 1)
        # RFC 6587, section 3.4.1: each message after the count of its octets and a blank.
        assert kept == [b"".join(b"%d %b" % (len(message), message) for message in expected)]
    else:
        wait_for(kept, 3)
        assert sorted(kept) == sorted(expected)


def test_plain_syslog_is_udp_to_port_514() -> None:
    assert parse_address("syslog://siem.example") == (socket.SOCK_DGRAM, "siem.example", 514)
    assert parse_address("SYSLOG+TCP://[::1]:601") == (socket.SOCK_STREAM, "::1", 601)
    assert not is_syslog("out/syslog.cef")


@pytest.mark.parametrize(
    "url", ["syslog://", "syslog://:514", "syslog://h:99999", "syslog://h/x", "syslog://u@h"]
)
def test_refuses_what_names_no_collector(url: str) -> None:
    with pytest.raises(ConfigurationError, match="syslog"):
        pair([("output", url)])


def test_refuses_another_format_for_syslog() -> None:
    with pytest.raises(ConfigurationError, match="not ndjson"):
        pair([("format", "ndjson"), ("output", "syslog://127.0.0.1")])
    (destination,) = pair([("format", "cef"), ("output", "syslog://127.0.0.1")])
    assert destination.format is OUTPUT


def test_a_collector_that_nobody_runs_is_said_before_the_scan() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (destination,) = pair([("output", f"syslog+tcp://127.0.0.1:{port}")])
    with pytest.raises(OutputError):
        OpenDestination(destination, io.BytesIO(), lang="en")


def test_a_message_longer_than_a_datagram_is_cut_at_a_character() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        stream = SyslogStream(parse_address(f"syslog://127.0.0.1:{receiver.getsockname()[1]}"))
        stream.write("ộ".encode() * 40_000 + b"\n")
        stream.close()
        got = receiver.recv(70_000)
    assert set(got.decode()) == {"ộ"}
    assert len(got) > 60_000
