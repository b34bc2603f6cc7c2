"""``haidang serve``: an alert is told by webhook, and its events are found again in the archive."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console.notify.receivers import web_server
from tests.end_to_end.serving import Service

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "logs"
STORY = gzip.decompress((SAMPLES / "VP-PC-017" / "sysmon.ndjson.gz").read_bytes())


def hunted(service: Service, *arguments: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "haidang", "hunt", *arguments],
        env=service.environ,
        capture_output=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_an_alert_is_told_and_found_again_in_the_archive(tmp_path: Path) -> None:
    with web_server() as posts, Service(tmp_path) as service:
        service.django(
            "from haidang.console.alerts.models import Channel\n"
            f"Channel.objects.create(name='hook', kind='webhook', target={posts.url!r}, min_level=0)"
        )
        token = service.source("dc")
        assert service.post("/ingest", STORY, token)[0] == 200
        service.until(lambda: posts.got)
        (first, *_) = posts.got
        told = {alert["title"] for post in posts.got for alert in json.loads(post.body)["data"]["alerts"]}
        assert "Tài liệu Office khởi chạy trình lệnh hoặc trình chạy tập lệnh" in told
        assert first.headers["webhook-signature"].startswith("v1,")
        archive = tmp_path / "archive"
        # What waits is written at the latest when the service ends, once the part that does it has begun.
        service.until(archive.is_dir)
        assert service.stop() == 0
        (count,) = hunted(service, "--sql", "SELECT count(*) AS n, min(host) AS host FROM events")
        assert count["n"] == STORY.count(b"\n")
        assert next(archive.glob("source=*/day=*/*.parquet")).stat().st_mode & 0o077 == 0
        examples = service.django(
            "from haidang.console.alerts.models import Example\n"
            "print(json.dumps(list(Example.objects.values_list('finding_id', flat=True))))"
        )
        again = {line["id"] for line in hunted(service, "--format", "ndjson") if line["kind"] == "finding"}
        assert set(examples) <= again
        service.start()
        service.stop()
        assert not list(archive.glob("source=*/day=*/.*"))
        spool = service.django(
            "from haidang.console.service import places\n"
            "from haidang.ingest.spool import Spool\n"
            "print(json.dumps(Spool(places.spool()).backlog().batches))"
        )
        assert spool == 0
