"""W3C extended logs are read by their own header, and rules find in them what they look for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from haidang.events.readers.w3c import READER
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, feed_in_time, head, sample
from tests.events.readers.firing import fired, take_rules, write_rules
from tests.events.readers.tearing import samples, torn

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)


def test_reads_iis_and_a_header_that_changes_in_the_middle() -> None:
    seen = feed(READER, sample("w3c", "iis.log"), limits=SMALL)
    assert seen.records == [5, 6, 7, 13]
    assert set(seen.origins) == {"w3cweb"}
    assert seen.problems == {"broken-line": ("line 8", 1)}
    assert seen.report.skipped == 1
    first, upload, shell, other = seen.events
    assert first == {
        "date": "2026-11-11",
        "time": "00:00:03",
        "timestamp": "2026-11-11T00:00:03Z",
        "s-ip": "10.20.0.8",
        "cs-method": "GET",
        "cs-uri-stem": "/mot-cua/tra-cuu.aspx",
        "cs-uri-query": "ma=HV-2026-11",
        "request": ["/mot-cua/tra-cuu.aspx?ma=HV-2026-11", "ma=HV-2026-11"],
        "s-port": "443",
        "c-ip": "203.0.113.20",
        "cs(User-Agent)": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
        "cs(Referer)": "https://hoavang.example/",
        "sc-status": "200",
        "sc-substatus": "0",
        "sc-win32-status": "0",
        "time-taken": "31",
    }
    assert upload["cs-username"] == r"HOAVANG\lan.tt"
    assert upload["request"] == "/tai-lieu/upload.aspx"
    assert shell["request"][0] == "/tai-lieu/x.aspx?cmd=whoami"
    # The date of the header counts where the columns have none.
    assert other["timestamp"] == "2026-11-11T06:00:02Z"
    assert other["cs-uri-stem"] == "/thông-báo.html"


def test_reads_the_windows_firewall_in_local_time() -> None:
    seen = feed(READER, sample("w3c", "pfirewall.log"))
    assert seen.report.complete
    assert set(seen.origins) == {"windowsfirewall"}
    assert seen.records == [6, 7, 8]
    assert seen.events[0]["timestamp"] == "2026-11-11T07:02:11"
    assert seen.events[0]["dst-port"] == "4444"
    assert seen.events[0]["path"] == "SEND"
    assert "src-port" not in seen.events[2]


def test_reads_a_proxy_with_quoted_values() -> None:
    seen = feed(READER, sample("w3c", "proxy.log"))
    assert seen.report.complete
    assert set(seen.origins) == {"w3cproxy"}
    assert [event["cs(User-Agent)"] for event in seen.events] == ["Mozilla/5.0 (X11; Linux x86_64)", "curl/8"]
    assert seen.events[1]["cs-uri-extension"] == "exe"


def test_a_proxy_gives_the_ending_of_a_path_and_says_that_a_client_has_no_name() -> None:
    header = b"#Version: 1.0\n#Fields: s-action cs-uri-stem cs(User-Agent)\n"
    seen = feed(READER, header + b"MISS /a.b/tai.exe -\nMISS /a.b/tai curl/8\nMISS /.x -\n")
    assert [(one.get("cs-uri-extension"), one["cs(User-Agent)"]) for one in seen.events] == [
        ("exe", ""),
        (None, "curl/8"),
        (None, ""),
    ]
    (web,) = feed(READER, b"#Version: 1.0\n#Fields: cs-uri-stem cs(User-Agent)\n/a.exe -\n").events
    assert web == {"cs-uri-stem": "/a.exe", "request": "/a.exe"}


def test_reads_tabs_and_commas_where_they_part_the_columns() -> None:
    (cdn,) = feed(READER, sample("w3c", "cloudfront.log")).events
    assert cdn["cs(User-Agent)"] == "Mozilla/5.0 (iPhone)"
    assert cdn["timestamp"] == "2026-11-11T02:10:00Z"
    mail = feed(READER, sample("w3c", "exchange.log"))
    assert mail.origins == ["w3c"]
    assert mail.events[0]["message-subject"] == "Công văn số 12, bản dự thảo"


def test_a_plus_is_kept_where_no_iis_wrote_it() -> None:
    data = b"#Version: 1.0\n#Fields: cs-method cs(User-Agent)\nGET a+b\n"
    assert feed(READER, data).events == [{"cs-method": "GET", "cs(User-Agent)": "a+b"}]


def test_a_quote_that_is_part_of_a_word_is_kept() -> None:
    data = b'#Version: 1.0\n#Fields: cs-method cs-uri-stem c-ip\nGET /a"b 192.0.2.1\nGET "/c d" 192.0.2.1\n'
    assert [event["cs-uri-stem"] for event in feed(READER, data).events] == ['/a"b', "/c d"]


def test_lines_before_any_header_and_too_many_columns_are_noted() -> None:
    seen = feed(
        READER, b"GET /\n#Version: 1.0\n#Fields: a b c d\n1 2 3 4\n", limits=replace(SMALL, columns=3)
    )
    assert not seen.events
    assert seen.problems == {"broken-line": ("line 1", 3)}


def test_the_header_decides() -> None:
    for name in ("iis.log", "pfirewall.log", "proxy.log", "cloudfront.log", "exchange.log"):
        assert READER.recognises(head(sample("w3c", name))) == 95
    assert READER.recognises(head(b"\xff\xfe" + sample("w3c", "iis.log").decode().encode("utf-16-le"))) == 95
    for other in (b"", b"# a comment\nkey: value\n", b"#fields\tts\tuid\n", b"#Fields: see below\n1 2 3\n"):
        assert READER.recognises(head(other)) == 0


def test_rules_on_web_servers_proxies_and_firewalls_fire(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        path=("category: webserver", "cs-uri-query|contains: /tai-lieu/x.aspx?cmd=\nsc-status: 200"),
        query=("category: webserver", "cs-uri-query|startswith: cmd="),
        agent=("category: webserver", "cs-user-agent|contains: 'Mozilla/5.0 (Windows'\ncs-method: POST"),
        proxy=("category: proxy", "c-uri: http://tai.example/cai-dat.exe\nc-useragent: curl/8"),
        firewall=("category: firewall", "dst_port: 4444\naction: accept\nblocked: 'false'"),
        blocked=("category: firewall", "blocked: 'true'\nsrc_ip: 10.20.0.99"),
        connection=(
            "product: windows, category: network_connection",
            "DestinationPort: 4444\nInitiated: 'true'",
        ),
    )
    assert fired(tmp_path, sample("w3c", "iis.log"), rules) == {("path", "7"), ("query", "7"), ("agent", "6")}
    assert fired(tmp_path, sample("w3c", "proxy.log"), rules) == {("proxy", "6")}
    assert fired(tmp_path, sample("w3c", "pfirewall.log"), rules) == {
        ("firewall", "6"),
        ("connection", "6"),
        ("blocked", "7"),
    }


def test_rules_of_sigmahq_on_proxies_fire(corpora: Path, tmp_path: Path) -> None:
    rules = take_rules(
        corpora,
        tmp_path / "rules",
        "proxy_ua_empty.yml",
        "proxy_download_susp_dyndns.yml",
        "proxy_ua_powershell.yml",
    )
    header = b"#Software: SGOS 7\n#Version: 1.0\n#Fields: c-ip s-action cs-host cs-uri-path cs(User-Agent)\n"
    lines = (
        b"192.0.2.1 MISS a.example / -\n"
        b"192.0.2.1 MISS a.hopto.org /x.exe curl/8\n"
        b'192.0.2.1 MISS a.example / "Mozilla/5.0 (Windows NT; en-US) WindowsPowerShell/5.1"\n'
    )
    assert {record for _, record in fired(tmp_path, header + lines, rules)} == {"4", "5", "6"}


def test_rules_of_sigmahq_fire(corpora: Path, tmp_path: Path) -> None:
    rules = take_rules(
        corpora,
        tmp_path / "rules",
        "web_win_webshells_in_access_logs.yml",
        "web_susp_useragents.yml",
        "net_firewall_cleartext_protocols.yml",
    )
    header = b"#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n"
    columns = b"#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status\n"
    lines = (
        b"2026-11-11 00:00:01 GET /a.aspx cmd=whoami+/all 192.0.2.1 Mozilla/5.0 200\n"
        b"2026-11-11 00:00:02 GET / - 192.0.2.1 gobuster/3.6 404\n"
    )
    titles = {title for title, _ in fired(tmp_path, header + columns + lines, rules)}
    assert titles == {"Windows Webshell Strings", "Suspicious User-Agents Related To Recon Tools"}
    firewall = sample("w3c", "pfirewall.log").replace(b" 4444 ", b" 23 ")
    titles = {title for title, _ in fired(tmp_path, firewall, rules)}
    assert titles == {"Cleartext Protocol Usage"}


@given(torn(samples("w3c")))
def test_whatever_it_is_fed_each_line_is_an_event_a_directive_or_noted(data: bytes) -> None:
    seen = feed(READER, data, limits=SMALL)
    lines = [line.decode("utf-8", "replace") for line in data.split(b"\n")]
    filled = sum(bool(line.strip("\x00 \t\r")) and not line.startswith(("#", "\ufeff#")) for line in lines)
    broken = seen.problems.get("broken-line", ("", 0))[1]
    assert len(seen.events) + broken >= filled
    READER.recognises(head(data))


@pytest.mark.parametrize(
    "line",
    [b'"a ' * 300_000, b'"' * 900_000, b'" "" ' * 200_000, b" " * 900_000 + b"x", b'"a """b ' * 100_000],
)
def test_hostile_lines_take_linear_time(line: bytes) -> None:
    assert feed_in_time(READER, b"#Version: 1.0\n#Fields: a b\n" + line + b"\n").report.problems


@pytest.mark.parametrize(
    ("query", "clear"),
    [
        ("id=1+UNION+SELECT+1,2", "/x.aspx?id=1 UNION SELECT 1,2"),
        ("id=1%20union%20select%201", "/x.aspx?id=1 union select 1"),
        ("id=%2527%252e%252e%252f", "/x.aspx?id='../"),
    ],
)
def test_a_query_is_also_there_in_the_clear(query: str, clear: str, tmp_path: Path) -> None:
    header = "#Version: 1.0\n#Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status\n"
    data = f"{header}2026-05-11 03:14:15 203.0.113.9 GET /x.aspx {query} 200\n".encode()
    request = feed(READER, data).events[0]["request"]
    assert request[:2] == [f"/x.aspx?{query}", query]
    assert clear in request
    rules = write_rules(
        tmp_path / "rules", seen=("category: webserver", f'cs-uri-query|contains: "{clear[8:]}"')
    )
    assert fired(tmp_path, data, rules) == {("seen", "3")}


def test_requests_to_exchange_are_those_of_a_web_server(tmp_path: Path) -> None:
    data = sample("w3c", "HttpProxy.log")
    seen = feed(READER, data)
    (event,) = seen.events
    assert (seen.origins, event["c-ip"], event["sc-status"]) == (["w3cweb"], "203.0.113.9", "200")
    assert event["cs(User-Agent)"] == "python-requests/2.19"
    rules = write_rules(
        tmp_path / "rules",
        shell=(
            "category: webserver",
            "{cs-uri-query|contains|all: [/autodiscover.json, /powershell], cs-method: POST}",
        ),
    )
    assert fired(tmp_path, data, rules) == {("shell", "6")}
