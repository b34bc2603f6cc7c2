"""Rules fire on cloud logs as portals, consoles and warehouses export them, with the time of each event."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from haidang.inquiry.questions import Question
from tests.events.readers.firing import fired, write_rules
from tests.sigma.logsources._export import TIME
from tests.sigma.logsources._exports_of_clouds import AMAZON, GOOGLE
from tests.sigma.logsources._exports_of_collectors import COLLECTED
from tests.sigma.logsources._exports_of_microsoft import MICROSOFT
from tests.sigma.logsources._exports_of_okta import OKTA

if TYPE_CHECKING:
    from pathlib import Path


def _written(document: dict[str, Any], *, table: bool) -> bytes:
    if not table:
        return json.dumps(document).encode() + b"\n"
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(document)
    writer.writerow(document.values())
    return b"\xef\xbb\xbf" + text.getvalue().encode()


@pytest.mark.parametrize(
    ("name", "document", "table", "logsource", "selection"), [*AMAZON, *GOOGLE, *MICROSOFT, *OKTA, *COLLECTED]
)
def test_rules_fire_on_exports(
    name: str,
    document: dict[str, Any],
    table: bool,  # noqa: FBT001 - a parameter
    logsource: str,
    selection: str,
    tmp_path: Path,
) -> None:
    rules = write_rules(tmp_path / "rules", **{name: (logsource, selection)})
    file = f"{name}.{'csv' if table else 'json'}"
    assert {title for title, _ in fired(tmp_path, _written(document, table=table), rules, file)} == {name}
    question = Question((str(tmp_path / file),))
    assert [question.time(event) for event in question.events()] == [1778469255_000000000]


@pytest.mark.parametrize(
    "document",
    [
        {"method": "GET", "uri": "/a.php", "args": "id=1", "status": 200, "client_ip": "203.0.113.9"},
        {"method": "GET", "uri": "/a.php?id=1", "status": 200, "remote_addr": "203.0.113.9"},
        {"request_uri": "/a.php?id=1", "status": "200", "http_user_agent": "x", "remote_addr": "203.0.113.9"},
        {"remoteIP": "203.0.113.9", "method": "GET", "request": "/a.php", "query": "?id=1", "status": "200"},
    ],
)
def test_formats_that_people_put_together_are_access_logs(document: dict[str, Any], tmp_path: Path) -> None:
    selection = "{cs-uri-query|contains: '/a.php?id=1', c-ip: 203.0.113.9, sc-status: 200}"
    rules = write_rules(tmp_path / "rules", seen=("category: webserver", selection))
    assert fired(tmp_path, json.dumps(document).encode() + b"\n", rules) == {("seen", "1")}


def test_rules_on_firewalls_fire_on_what_sentinel_keeps_of_cef(tmp_path: Path) -> None:
    row = {
        "TimeGenerated": TIME,
        "DeviceVendor": "Fortinet",
        "DeviceProduct": "Fortigate",
        "DeviceEventClassID": "00013",
        "DeviceAction": "accepted",
        "SourceIP": "198.51.100.7",
        "DestinationPort": 3389,
    }
    rules = write_rules(
        tmp_path / "rules",
        seen=("category: firewall", "{dst_port: 3389, action: accept, src_ip: 198.51.100.7}"),
    )
    assert fired(tmp_path, json.dumps(row).encode() + b"\n", rules) == {("seen", "1")}
