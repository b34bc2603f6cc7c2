"""Looking back into the archive: with the ids of the day, and no further than allowed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from haidang.errors import InputError
from haidang.findings.model import ScanSummary
from haidang.ingest.archive import Archive, archive_files
from haidang.ingest.hunting import Hunt
from haidang.ingest.model import Arrival
from haidang.ingest.spool import Spooled
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning import load_rules
from haidang.scanning.live import LiveMatcher
from tests.scanning.material import event, write_rules

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
BATCHES = [
    Spooled(
        number,
        Arrival(
            source,
            "",
            int((NOON + timedelta(hours=number)).timestamp()) * 10**9,
            b"\n\n".join(
                json.dumps(event(number * 10 + n, Hostname=f"h{n}", User="an")).encode() for n in range(3)
            ),
            3,
        ),
    )
    for number, source in ((1, "7"), (2, "77"), (3, "7"), (20, "7"))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    archive = Archive(folder)
    archive.take(BATCHES)
    archive.flush()
    return folder


def test_rules_find_what_they_found_live_with_the_same_ids(folder: Path, tmp_path: Path) -> None:
    ruleset = load_rules(write_rules(tmp_path), cache=False)
    live = LiveMatcher(ruleset)
    expected = []
    for one in BATCHES:
        expected += live.match(one.arrival.data, path=f"{one.arrival.source}/{one.number}").findings
    expected += live.finish()
    found = list(Hunt(folder).findings(ruleset))
    assert {finding.id for finding in found} == {finding.id for finding in expected}
    assert len(found) == 13
    assert sum(finding.origin == "correlation" for finding in found) == 1


def test_rules_see_the_sources_and_times_that_are_asked_for(folder: Path, tmp_path: Path) -> None:
    ruleset = load_rules(write_rules(tmp_path), cache=False)
    found = Hunt(folder, sources=["7"]).findings(
        ruleset, since=NOON + timedelta(hours=2), until=NOON + timedelta(hours=9)
    )
    assert {finding.source.path for finding in found if finding.origin != "correlation"} == {"7/3"}


def test_rules_look_at_batches_that_name_somebody_in_whole(folder: Path, tmp_path: Path) -> None:
    ruleset = load_rules(write_rules(tmp_path), cache=False)
    hunt, summary = Hunt(folder), ScanSummary()
    found = list(hunt.findings(ruleset, naming=["RUN 11", "c:\\X\\none.exe"], summary=summary))
    assert {finding.source.path for finding in found if finding.origin != "correlation"} == {"7/1"}
    assert summary.events == 3
    assert {one.id for one in found} < {one.id for one in hunt.findings(ruleset)}
    # Backslashes are doubled in the record.
    assert len(list(hunt.findings(ruleset, naming=["C:\\x\\tool.exe"]))) == 13
    assert list(hunt.findings(ruleset, naming=["nobody"])) == []
    assert hunt.days() == [NOON.date(), NOON.date() + timedelta(days=1)]


def test_a_query_reads_fields_and_partitions(folder: Path) -> None:
    answer = Hunt(folder).ask(
        "SELECT source, day, count(*), any_value(fields['User']), 1 FROM events GROUP BY ALL ORDER BY ALL"
    )
    assert [row[:4] for row in answer.rows] == [
        ("7", NOON.date(), 6, "an"),
        ("7", NOON.date() + timedelta(days=1), 3, "an"),
        ("77", NOON.date(), 3, "an"),
    ]
    assert answer.complete


def test_a_query_sees_the_sources_and_times_that_are_asked_for(folder: Path) -> None:
    assert Hunt(folder, sources=["77"]).ask("SELECT count(*) FROM events").rows == [(3,)]
    since, until = NOON + timedelta(hours=2), NOON + timedelta(hours=3)
    assert Hunt(folder).ask("FROM events SELECT count(*)", since=since, until=until).rows == [(6,)]
    assert Hunt(folder, sources=["none"]).ask("SELECT * FROM events").rows == []


def test_says_when_there_are_more_rows(folder: Path) -> None:
    answer = Hunt(folder, limits=replace(DEFAULT_LIMITS, hunt_rows=2)).ask("SELECT record FROM events")
    assert len(answer.rows) == 2
    assert not answer.complete


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '{other}'",
        "SELECT * FROM read_parquet('{sibling}')",
        "SELECT * FROM read_parquet('{own}/../../source=77/**/*.parquet')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '{own}/x.csv'",
        "COPY events TO '{own}/x.parquet'",
        "SET memory_limit = '99GB'",
        "ATTACH '{own}/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "DROP VIEW events",
        "CREATE TABLE t AS SELECT 1",
        "SELECT 1; SELECT 2",
        "EXPLAIN ANALYZE SELECT 1",
        "CALL pragma_version()",
        "SELECT nonsense",
        "not SQL at all",
        "",
        "SELECT * FROM events WHERE",
        "SELECT * FROM Hunt",
    ],
)
def test_a_query_reaches_nothing_else(folder: Path, query: str) -> None:
    own, sibling = (next(one.path for one in archive_files(folder, [source])) for source in ("7", "77"))
    names = {"own": str(own.parent), "sibling": str(sibling), "other": str(own.parents[2] / "through")}
    for name, value in names.items():
        query = query.replace(f"{{{name}}}", value)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(InputError):
        Hunt(folder, sources=["7"]).ask(query)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_query_ends_after_a_time(folder: Path) -> None:
    limits = replace(DEFAULT_LIMITS, hunt_seconds=0.3)
    with pytest.raises(InputError, match="longer than"):
        Hunt(folder, limits=limits).ask(
            "SELECT max(a.range ^ b.range) FROM range(100000000) a, range(100000) b"
        )


def test_a_query_takes_no_more_memory_than_allowed(folder: Path) -> None:
    limits = replace(DEFAULT_LIMITS, hunt_memory_bytes=64 << 20)
    with pytest.raises(InputError):
        Hunt(folder, limits=limits).ask("SELECT list(i) FROM range(100000000) t(i)")


def test_finds_the_records_that_name_an_entity(folder: Path) -> None:
    found = Hunt(folder).records_of("H1")
    assert [one.batch for one in found] == [20, 3, 2, 1]
    assert found[0].host == "h1"
    assert found[0].fields["User"] == "an"
    assert found[0].time == datetime(2026, 3, 1, 10, 3, 21, tzinfo=UTC)
    assert len(Hunt(folder).records_of("an", since=NOON + timedelta(hours=4))) == 3
    assert Hunt(folder).records_of("'; DROP VIEW events; --") == []
    assert len(Hunt(folder).records_of("an", most=5)) == 5


def test_an_archive_that_is_not_there_is_empty(tmp_path: Path) -> None:
    hunt = Hunt(tmp_path / "none")
    assert hunt.ask("SELECT count(*), any_value(fields['x']) FROM events").rows == [(0, None)]
    assert hunt.records_of("x") == []
