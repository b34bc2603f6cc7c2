"""Access logs in JSON have the forms of a request that rules look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.events.readers.web_json import READER
from haidang.events.times import parse_time
from haidang.inquiry.questions import Question
from tests.events.readers.feeding import head, sample
from tests.events.readers.firing import fired, take_rules, write_rules
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

NGINX = read_bytes(READER, sample("web_json", "nginx.log"))
CADDY = read_bytes(READER, sample("web_json", "caddy.log"))


@pytest.mark.parametrize("name", ["nginx.log", "caddy.log"])
def test_is_told_from_other_json(name: str) -> None:
    assert READER.recognises(head(sample("web_json", name))) == 84


@pytest.mark.parametrize(
    "line",
    [
        b'{"status":200,"msg":"x","uri":"/a"}',
        b'{"request":{"method":"GET","uri":"/a"},"msg":"x"}',
        b'{"request":{"method":"GET"},"status":200}',
        b'{"request":"GET /a HTTP/1.1"}',
        b'{"request":"text","status":1,"uri":3,"user_agent":"x"}'[:-1],
        b'["request"]',
    ],
)
def test_what_says_less_stays_json(line: bytes) -> None:
    assert READER.recognises(head(line + b"\n")) == 0


def test_each_form_of_a_target_is_there() -> None:
    events = dict(zip(NGINX.records, NGINX.events, strict=True))
    assert events[1]["cs-uri-query"] == [
        "/a.php?id=1%20UNION%20SELECT%201",
        "id=1%20UNION%20SELECT%201",
        "/a.php?id=1 UNION SELECT 1",
    ]
    assert (events[1]["cs-method"], events[1]["remote_addr"]) == ("GET", "203.0.113.9")
    assert "/a.php?id='or 1" in events[2]["cs-uri-query"]
    assert events[3] == {"level": "info", "msg": "started"}
    assert CADDY.events[0]["cs-uri-stem"] == ["/%2e%2e/etc/passwd", "/../etc/passwd"]


def test_members_that_a_client_names_take_no_place_of_the_request() -> None:
    line = b'{"remote_addr":"a","status":200,"request":"GET /a%20b HTTP/1.1","cs-uri":"forged"}\n'
    assert read_bytes(READER, line).events[0]["cs-uri-query"][0] == "/a%20b"


def test_rules_fire_and_times_and_hosts_are_known(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        injected=("category: webserver", "cs-uri-query|contains: UNION SELECT"),
        escaped=("category: webserver", "cs-uri-query|contains: '/../etc/passwd'"),
        probed=("category: webserver", "{cs-uri-stem: /.git/config, sc-status: 404, c-ip: 203.0.113.9}"),
    )
    data = sample("web_json", "nginx.log") + sample("web_json", "caddy.log")
    assert fired(tmp_path, data, rules) == {("injected", "1"), ("escaped", "4"), ("probed", "5")}
    question = Question((str(tmp_path / "log"),))
    times = [question.time(event) for event in question.events() if event.origin == "webserver"]
    assert times[0] == parse_time("2026-05-11T03:14:16Z")
    assert None not in times


def test_keywords_of_sigmahq_are_found_in_the_clear(corpora: Path, tmp_path: Path) -> None:
    rules = take_rules(corpora, tmp_path / "rules", "web_sql_injection_in_access_logs.yml")
    assert {record for _, record in fired(tmp_path, sample("web_json", "nginx.log"), rules)} == {"1"}
