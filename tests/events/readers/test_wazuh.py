"""What stands behind Wazuh's headers is read as what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from haidang.events.blocks import BlockSource
from haidang.events.model import DocumentBatch, EventBatch, FileReport
from haidang.events.readers.wazuh import READER
from haidang.events.stream import Stream
from haidang.inquiry.questions import Question
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import head, sample
from tests.events.readers.firing import fired, write_rules

if TYPE_CHECKING:
    from pathlib import Path


def read(data: bytes) -> dict[int, tuple[str, dict[str, Any]]]:
    report = FileReport("0.log")
    found: dict[int, tuple[str, dict[str, Any]]] = {}
    for batch in READER.read(Stream(BlockSource(iter([data])), report), report, DEFAULT_LIMITS):
        if isinstance(batch, DocumentBatch):
            some = [("json", orjson.loads(document)) for document in batch.documents]
        else:
            assert isinstance(batch, EventBatch)
            some = [(batch.origin, event) for event in batch.events]
        found.update(zip(batch.records, some, strict=True))
    assert not report.problems
    return found


def test_everything_that_arrived_is_read_as_what_it_is() -> None:
    data = sample("wazuh", "archives.log")
    assert READER.recognises(head(data)) == 94
    found = read(data)
    assert {number: origin for number, (origin, _) in found.items()} == {
        1: "syslog",
        2: "json",
        3: "text",
        4: "webserver",
    }
    assert (found[1][1]["program"], found[1][1]["time"][:4]) == ("sshd", "2024")
    assert found[3][1] == {
        "message": "--MARK--: nothing that anybody knows",
        "time": "May 11 2024 10:14:18",
        "hostname": "wazuh",
    }


def test_alerts_lead_to_what_they_are_about() -> None:
    data = sample("wazuh", "alerts.log")
    assert READER.recognises(head(data)) == 94
    found = read(data)
    assert {number: origin for number, (origin, _) in found.items()} == {6: "syslog", 11: "text"}
    assert found[11][1]["hostname"] == "wazuh"


def test_rules_fire_on_what_agents_sent(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        cleared=("product: windows, service: security", "{EventID: 1102, SubjectUserName: lan}"),
        probed=("category: webserver", "cs-uri-stem: /.git/config"),
    )
    assert fired(tmp_path, sample("wazuh", "archives.log"), rules) == {("cleared", "2"), ("probed", "4")}
    question = Question((str(tmp_path / "log"),))
    hosts = {question.host(event) for event in question.events()}
    assert hosts == {"web01", "PC01", "wazuh"}


def test_other_arrows_are_no_headers() -> None:
    assert READER.recognises(head(b"2024 May 11 10:14:16 a -> b\nMay 11 10:14:16 x y->z w\n")) == 0


def test_what_looks_like_wazuhs_words_in_a_log_is_kept() -> None:
    forged = b"User: root\nSrc IP: 203.0.113.9\n"
    found = read(sample("wazuh", "archives.log") + forged)
    assert [found[number][1]["message"] for number in (5, 6)] == ["User: root", "Src IP: 203.0.113.9"]
