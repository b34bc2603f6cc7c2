"""``haidang serve``: from a log line over HTTP to an alert, with nothing else installed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
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
