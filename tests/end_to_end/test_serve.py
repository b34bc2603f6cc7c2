"""``haidang serve``: from a log line over HTTP to an alert, with nothing else installed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.end_to_end.serving import Service, free_port

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "logs"
STORY = gzip.decompress((SAMPLES / "VP-PC-017" / "sysmon.ndjson.gz").read_bytes())


@pytest.mark.slow
def test_a_log_line_becomes_an_alert_of_its_unit_and_a_restart_changes_nothing(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        assert (tmp_path / "first-password").stat().st_mode & 0o077 == 0
        assert service.post("/ingest", STORY, "wrong")[0] == 401
        token = service.source("dc")
        status, answer = service.post("/ingest", STORY, token)
        assert (status, answer) == (200, b'{"taken":966,"quarantined":0}')
        service.until(lambda: len(service.alerts()) >= 10)
        before = service.alerts()
        assert {alert["unit__code"] for alert in before} == {"BV"}
        assert "Office Document Starts a Shell or Script Host" in {alert["title"] for alert in before}
        assert service.stop() == 0
        service.start()
        assert service.post("/ingest", b"{}\n", token)[0] == 200
        assert service.alerts() == before


@pytest.mark.slow
def test_syslog_and_files_become_alerts_too(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    data = tmp_path / "data"
    data.mkdir()
    port = free_port()
    (data / "serve.toml").write_text(
        f"""
        [[syslog]]
        kind = "tcp"
        host = "127.0.0.1"
        port = {port}
        source = "web"

        [[tail]]
        path = "{logs}/*.log"
        source = "files"
        """
    )
    with Service(data) as service:
        service.source("web")
        service.source("files")
        shutil.copy(SAMPLES / "HV-WEB01" / "audit.log", logs / "audit.log")
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall((SAMPLES / "HV-WEB01" / "syslog").read_bytes())
        service.until(lambda: service.sources() >= {"web", "files"})


@pytest.mark.slow
def test_kept_indicators_are_looked_for(tmp_path: Path) -> None:
    environ = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "home")}
    (tmp_path / "bad.txt").write_text("203.0.113.77\n")
    added = [sys.executable, "-m", "haidang", "intel", "add", str(tmp_path / "bad.txt"), "--name", "bad"]
    subprocess.run(added, env=environ, check=True, capture_output=True)
    event = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 3, "DestinationIp": "203.0.113.77"}
    with Service(tmp_path / "data", environ=environ) as service:
        token = service.source("pc")
        assert service.post("/ingest", json.dumps(event).encode() + b"\n", token)[0] == 200
        service.until(lambda: len(service.alerts()) == 1)


def test_a_wrong_setting_is_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text('[[tail]]\npath = "/var/log/x"\nsauce = "web"\n')
    done = subprocess.run(
        [sys.executable, "-m", "haidang", "serve", "--port", "0", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "sauce" in done.stderr
    assert not (tmp_path / "console.sqlite3").exists()


RULE = """
title: A word of our own
id: 0d3f4d0e-5f0e-4f43-9a6b-0c1d2e3f4a5b
logsource: {category: process_creation, product: windows}
detection:
  one: {CommandLine|contains: hoa-hong}
  condition: one
level: high
"""
STARTED = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "Image": "C:\\\\x.exe",
    "CommandLine": "x hoa-hong",
}


@pytest.mark.slow
def test_parts_run_apart_and_the_pages_show_the_rules_of_the_detector(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.yml").write_text(RULE)
    (tmp_path / "detector.toml").write_text('rules = ["rules"]\n')
    data = tmp_path / "data"
    detector = [sys.executable, "-m", "haidang", "serve", "--part", "detect"]
    detector += ["--config", str(tmp_path / "detector.toml")]
    with (
        Service(data, "--part", "receive") as receiving,
        Service(data, "--part", "console", environ=receiving.environ) as console,
        subprocess.Popen(detector, env=receiving.environ) as detecting,
    ):
        try:
            token = receiving.source("pc")
            assert receiving.post("/ingest", json.dumps(STARTED).encode() + b"\n", token)[0] == 200
            receiving.until(lambda: [alert["title"] for alert in receiving.alerts()] == ["A word of our own"])
            secret = console.django(
                "from haidang.console.people.models import Token, User\n"
                "from datetime import datetime, UTC\n"
                "until = datetime(2100, 1, 1, tzinfo=UTC)\n"
                "made = Token.issue(User.objects.get(), 'x', ['rules.see'], until)\n"
                "print(json.dumps(made[1]))"
            )
            asked = urllib.request.Request(f"{console.address}/api/v1/rules")
            asked.add_header("Authorization", f"Bearer {secret}")
            with urllib.request.urlopen(asked, timeout=60) as answer:
                told = json.load(answer)
            assert [row["title"] for row in told["items"]] == ["A word of our own"]
        finally:
            detecting.terminate()
            assert detecting.wait(60) == 0
