"""What containers wrote is read as what it is, out of the envelopes of Kubernetes and Docker."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pytest

from haidang.events.blocks import BlockSource
from haidang.events.model import DocumentBatch, FileReport
from haidang.events.readers.containers import READER
from haidang.events.stream import Stream
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning import load_rules, scan
from tests.events.readers.feeding import head, sample

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.limits import Limits


class Read(NamedTuple):
    """Number of each line to the origin and the event in it, and what was noted."""

    found: dict[int, tuple[str, Any]]
    report: FileReport


def read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Read:
    report = FileReport("0.log")
    found: dict[int, tuple[str, Any]] = {}
    for batch in READER.read(Stream(BlockSource(iter([data])), report), report, limits):
        if isinstance(batch, DocumentBatch):
            some = [("json", orjson.loads(document)) for document in batch.documents]
        else:
            some = [(batch.origin, event) for event in batch.events]
        assert not found.keys() & set(batch.records)
        found.update(zip(batch.records, some, strict=True))
    return Read(found, report)


CRI = read(sample("containers", "cri.log"))
DOCKER = read(sample("containers", "docker.log"))


def test_lines_of_kubernetes_are_read_as_what_is_inside() -> None:
    seen = CRI.found
    assert {record: origin for record, (origin, _) in seen.items()} == {
        1: "webserver",
        2: "weberror",
        4: "text",
        5: "json",
        6: "syslog",
        8: "text",
    }
    assert seen[1][1]["cs-uri"] == "/.git/config"
    assert seen[2][1]["c-ip"] == "203.0.113.9"
    assert seen[6][1]["program"] == "sshd"
    assert seen[8][1] == {
        "message": "worker 3 is ready",
        "raw": "worker 3 is ready",
        "stream": "stdout",
        "time": "2026-11-11T14:58:06Z",
    }
    assert CRI.report.complete


def test_a_line_in_parts_is_put_together_for_each_stream() -> None:
    seen = CRI.found
    assert seen[5][1] == {"level": "warn", "user": "quản trị", "message": "sign-in failed"}
    assert seen[4][1]["message"] == "Traceback (most recent call last):"


def test_lines_of_docker_are_read_as_what_is_inside() -> None:
    seen = DOCKER.found
    assert {record: origin for record, (origin, _) in seen.items()} == {
        1: "webserver",
        2: "json",
        4: "text",
        5: "text",
    }
    assert seen[1][1]["cs-username"] == "an"
    assert seen[4][1]["message"] == "a long line that Docker writes in two parts"
    assert (seen[5][1]["message"], seen[5][1]["stream"]) == ("and one that never ends", "stdout")


@pytest.mark.parametrize("name", ["cri.log", "docker.log"])
def test_is_recognised_by_its_envelopes(name: str) -> None:
    assert READER.recognises(head(sample("containers", name))) == 95


@pytest.mark.parametrize(
    "line",
    [
        '{"log":"x","stream":"stdout","level":"info","time":"2026-11-11T14:58:06Z"}',
        '{"log":"x","stream":"other"}',
        '{"log":1,"stream":"stdout"}',
        "2026-11-11T14:58:06Z stdout x",
        "[1]",
    ],
)
def test_what_is_in_no_envelope_is_not_taken(line: str) -> None:
    assert READER.recognises(head(line.encode())) == 0


def test_a_line_without_an_envelope_is_kept_and_noted() -> None:
    seen = read(b"2026-11-11T14:58:06Z stdout F a\nsomething else\n")
    assert {number: event["message"] for number, (_, event) in seen.found.items()} == {
        1: "a",
        2: "something else",
    }
    assert [(kind, one.where, one.count) for kind, one in seen.report.problems.items()] == [
        ("broken-line", "line 2", 1)
    ]


def test_what_only_looks_like_json_is_text() -> None:
    seen = read(b"2026-11-11T14:58:06Z stdout F { user: 'x' }\n")
    assert [(origin, event["message"]) for origin, event in seen.found.values()] == [
        ("text", "{ user: 'x' }")
    ]
    assert seen.report.complete


def test_parts_that_grow_too_long_are_cut_and_noted() -> None:
    part = b"2026-11-11T14:58:06Z stdout P " + b"a" * 60 + b"\n"
    seen = read(part * 3 + part.replace(b" P ", b" F "), replace(DEFAULT_LIMITS, line_bytes=150))
    assert {number: len(event["message"]) for number, (_, event) in seen.found.items()} == {4: 120}
    assert seen.report.problems["oversized-line"].count == 2


def test_rules_on_web_servers_meet_what_a_container_writes(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "title: Git\nlogsource: {category: webserver}\n"
        "detection: {s: {cs-uri-query|contains: /.git/}, condition: s}\n",
        "utf-8",
    )
    logs = tmp_path / "0.log"
    logs.write_bytes(sample("containers", "cri.log"))
    (finding,) = scan(logs, rules=load_rules(rules, cache=False))
    assert (finding.source.record, finding.time) == (1, "2026-11-11T14:58:01.000Z")
