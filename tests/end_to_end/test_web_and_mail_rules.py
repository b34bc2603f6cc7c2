"""Rules for web servers, honeypots and mail fire on the native logs, SigmaHQ's among them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from haidang.scanning import load_rules, scan
from tests.events.readers.feeding import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = """title: Traversal
logsource: {category: webserver}
detection: {s: {cs-uri-query|contains: ../../}, condition: s}
---
title: Query alone
logsource: {category: webserver}
detection: {s: {cs-uri-query|startswith: tep=}, condition: s}
---
title: Path in the query field
logsource: {category: webserver}
detection: {s: {cs-method: POST, cs-uri-query: /tim-kiem, sc-status: 302}, condition: s}
---
title: No agent
logsource: {category: webserver}
detection: {s: {cs-user-agent: null, cs-referer: null, sc-status: 408}, condition: s}
---
title: Crash
logsource: {service: apache}
detection: {k: ['exit signal Segmentation Fault'], condition: k}
---
title: Core
logsource: {service: nginx}
detection: {k: ['core dumped'], condition: k}
---
title: Header
logsource: {category: webserver}
detection: {k: ['Basic Jz'], condition: k}
---
title: Engine
logsource: {product: modsecurity}
detection: {s: {modsecurity_id: 900111}, condition: s}
---
title: Canary
logsource: {category: application, product: opencanary}
detection: {s: {logtype: 4002}, condition: s}
---
title: Relay
logsource: {service: postfix}
detection: {s: {action: reject, src_ip|cidr: 198.51.100.0/24}, condition: s}
---
title: Mailbox
logsource: {product: linux, service: dovecot}
detection: {s: {outcome: Login, user|endswith: '@haivan.example'}, condition: s}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yml"
    documents = RULES.split("---\n")
    texts = [f"id: 00000000-0000-0000-0000-{at:012}\n{text}" for at, text in enumerate(documents)]
    path.write_text("---\n".join(texts), "utf-8")
    return path


def fired(path: Path, rules: Path) -> list[tuple[str, int]]:
    """Return title and record of each finding."""
    ruleset = load_rules(rules, cache=False)
    assert not ruleset.refused
    return sorted((finding.rule.title, finding.source.record or 0) for finding in scan(path, rules=ruleset))


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (
            "web_access/combined.log",
            [
                ("No agent", 7),
                ("Path in the query field", 5),
                ("Query alone", 3),
                ("Query alone", 4),
                ("Traversal", 3),
            ],
        ),
        ("web_access/common.log", []),
        ("web_errors/apache.log", [("Crash", 5)]),
        ("web_errors/nginx.log", [("Core", 4)]),
        (
            "modsecurity/serial.log",
            [("Engine", 1), ("Header", 1), ("Query alone", 1), ("Traversal", 1)],
        ),
        ("opencanary/opencanary.log", [("Canary", 1)]),
        ("mail/postfix.log", [("Relay", 7)]),
        ("mail/dovecot.log", [("Mailbox", 1)]),
    ],
)
def test_rules_fire_on_our_samples(sample: str, expected: list[tuple[str, int]], rules: Path) -> None:
    assert fired(SAMPLES / sample, rules) == expected


# What each server writes by default (Caddy, Traefik) or in the form most often shown (nginx), shortened.
JSON_LOGS: dict[str, dict[str, Any]] = {
    "caddy": {
        "level": "info", "ts": 1794409121.5, "logger": "http.log.access", "msg": "handled request",
        "request": {
            "remote_ip": "198.51.100.9", "client_ip": "198.51.100.9", "proto": "HTTP/2.0",
            "method": "POST", "host": "dvc.haivan.example", "uri": "/tim-kiem",
            "headers": {"User-Agent": ["curl/8"]},
        },
        "status": 302, "size": 0,
    },
    "traefik": {
        "ClientAddr": "198.51.100.9:51188", "ClientHost": "198.51.100.9", "RequestMethod": "POST",
        "RequestPath": "/tim-kiem", "RequestProtocol": "HTTP/1.1", "DownstreamStatus": 302,
        "StartUTC": "2026-11-11T14:58:41.5Z", "request_User-Agent": "curl/8",
    },
    "nginx": {
        "time_iso8601": "2026-11-11T21:58:41+07:00", "remote_addr": "198.51.100.9", "request_method": "POST",
        "request_uri": "/tim-kiem", "status": "302", "http_user_agent": "curl/8",
    },
}  # fmt: skip


@pytest.mark.parametrize("server", sorted(JSON_LOGS))
def test_rules_fire_on_access_logs_in_json(server: str, rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text(json.dumps(JSON_LOGS[server]) + "\n", "utf-8")
    ruleset = load_rules(rules, cache=False)
    (finding,) = scan(path, rules=ruleset)
    assert finding.rule.title == "Path in the query field"
    assert (finding.time or "").startswith("2026-11-11T14:58:41")


@pytest.mark.parametrize(
    "document",
    [
        {
            "transaction": {
                "client_ip": "198.51.100.9", "time_stamp": "Wed Nov 11 21:58:41 2026", "unique_id": "1",
                "request": {"method": "POST", "uri": "/tim-kiem", "headers": {"Host": "a"}},
                "response": {"http_code": 302},
            }
        },
    ],
)  # fmt: skip
def test_rules_fire_on_modsecuritys_json(document: dict[str, Any], rules: Path, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(json.dumps(document) + "\n", "utf-8")
    assert [title for title, _ in fired(path, rules)] == ["Path in the query field"]


def of_category(corpora: Path, **wanted: str) -> Iterator[dict[str, Any]]:
    """Yield SigmaHQ's rules of a logsource."""
    with zipfile.ZipFile(corpora / "sigma_all_rules.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".yml"):
                text = archive.read(name)
                if any(word.encode() in text for word in wanted.values()):
                    for rule in yaml.safe_load_all(io.BytesIO(text)):
                        if wanted.items() <= rule.get("logsource", {}).items():
                            yield rule


def request_for(detection: dict[str, Any]) -> dict[str, str]:
    """Return field values that satisfy the positive parts of a detection: enough for rules on requests."""
    condition = str(detection["condition"])
    positive = re.sub(r"not (1 of )?\(?[\w*]+\)?", " ", condition)
    # One of several is enough; a parenthesis with "or" is satisfied by its first.
    positive = re.sub(r"([\w*]+) or (?:all of )?[\w*]+", r"\1", positive)
    values: dict[str, str] = {}
    for name, part in detection.items():
        if name == "condition":
            continue
        patterns = [
            word for word in re.findall(r"[\w*]+", positive) if word not in {"1", "all", "of", "and", "or"}
        ]
        if any(re.fullmatch(word.replace("*", ".*"), name) for word in patterns):
            take(part, values)
            if f"1 of {patterns[0]}" in condition and len(patterns) == 1:
                break
    return values


def take(part: Any, values: dict[str, str]) -> None:
    """Add the values of one selection."""
    if isinstance(part, list):
        first = part[0]
        if isinstance(first, dict):
            take(first, values)
        else:
            values["keyword"] = values.get("keyword", "") + str(first)
        return
    for key, value in part.items():
        field, *modifiers = key.split("|")
        items = value if isinstance(value, list) else [value]
        if value is None:
            continue
        if not field:
            values["keyword"] = " ".join(map(str, items))
            continue
        if "re" in modifiers:
            values[field] = "a" * 150
            continue
        wanted = "".join(map(str, items)) if "all" in modifiers else str(items[0])
        wanted = wanted.replace("*", "x").replace("\\?", "?")
        known = values.get(field, "")
        if "startswith" in modifiers:
            values[field] = wanted + known
        elif modifiers:
            values[field] = known + wanted
        else:
            values[field] = wanted


def line_of(values: dict[str, str]) -> str:
    """Return the line that a server would write of such a request."""
    stem, query = values.get("cs-uri-stem", ""), values.get("cs-uri-query", "") + values.get("keyword", "")
    target = f"{stem}?{query}" if stem else query or "/"
    method, status = values.get("cs-method", "GET"), values.get("sc-status", "200")
    user, agent = values.get("cs-username", "-"), values.get("cs-user-agent", "-")
    referer = values.get("cs-referer", "-")
    host = values.get("cs-host")
    begin = f"{host}:443 " if host else ""
    escaped = target.replace("\\", "\\\\").replace('"', '\\"')
    return (
        f"{begin}192.0.2.1 - {user} [11/Nov/2026:21:58:01 +0700] "
        f'"{method} {escaped} HTTP/1.1" {status} 1 "{referer}" "{agent}"'
    )


NOT_IN_ACCESS_LOGS = {
    # It looks at the content type of a request, which no common format has.
    "Potential Java WebShell Upload in SAP NetViewer Server",
}


def test_sigmahqs_rules_for_web_servers_fire_on_access_logs(corpora: Path, tmp_path: Path) -> None:
    rules = list(of_category(corpora, category="webserver"))
    assert len(rules) > 80
    path, log = tmp_path / "rules.yml", tmp_path / "access.log"
    path.write_text("---\n".join(yaml.safe_dump(rule) for rule in rules), "utf-8")
    requests = [request_for(rule["detection"]) for rule in rules]
    # Some rules want a referrer to be there, and some want none.
    both = [values for known in requests for values in (known, {"cs-referer": "https://a.example/", **known})]
    log.write_text("".join(line_of(values) + "\n" for values in both), "utf-8")
    found = {title for title, _ in fired(log, path)}
    assert {rule["title"] for rule in rules} - found == NOT_IN_ACCESS_LOGS


def test_sigmahqs_rules_for_opencanary_fire_on_its_log(corpora: Path, tmp_path: Path) -> None:
    rules = list(of_category(corpora, product="opencanary"))
    assert len(rules) > 20
    path, log = tmp_path / "rules.yml", tmp_path / "canary.log"
    path.write_text("---\n".join(yaml.safe_dump(rule) for rule in rules), "utf-8")
    line = (SAMPLES / "opencanary" / "opencanary.log").read_text("utf-8").splitlines()[0]
    types = [rule["detection"]["selection"]["logtype"] for rule in rules]
    log.write_text("".join(line.replace("4002", str(kind)) + "\n" for kind in types), "utf-8")
    assert {title for title, _ in fired(log, path)} == {rule["title"] for rule in rules}
