"""Parquet is read by column; broken files are noted, and a missing library is named."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haidang.events.blocks import BlockSource
from haidang.events.columns import ColumnBatch
from haidang.events.model import DocumentBatch, EventBatch, FileReport
from haidang.events.readers.parquet import READER
from haidang.events.row_groups import UnreadableColumnsError
from haidang.events.stream import Stream
from haidang.limits import DEFAULT_LIMITS
from haidang.scanning import load_rules, scan
from tests.events.readers.feeding import SAMPLES, head, sample
from tests.events.readers.firing import fired, write_rules
from tests.events.readers.parquet_making import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from haidang.limits import Limits

pyarrow = pytest.importorskip("pyarrow", reason="the extra [parquet] is not installed")

DATA = sample("parquet", "windows.parquet")


def columns_of(data: bytes, report: FileReport, limits: Limits) -> Iterator[ColumnBatch]:
    """Yield the batches of a file that keeps no lines."""
    for batch in READER.read(Stream(BlockSource(iter([data])), report), report, limits):
        assert isinstance(batch, ColumnBatch)
        yield batch


def read(data: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[list[Any], list[int], FileReport]:
    """Return events, record numbers and the account of a file, every column of it read as codes too."""
    report = FileReport("x.parquet")
    events: list[Any] = []
    records: list[int] = []
    for batch in columns_of(data, report, limits):
        assert 0 < batch.rows <= limits.column_rows
        try:
            found = batch.events(range(batch.rows))
            for path in batch.layout.leaves:
                column = batch.encoded(path)
                values = column.values(column.codes.fill_null(column.absent).to_pylist())
                assert len(values) == batch.rows
            events.extend(found)
            records.extend(range(batch.first, batch.first + batch.rows))
        except UnreadableColumnsError as error:
            report.note(
                "corrupt", f"record {batch.first}", error.message, skipped=batch.rows, count=batch.rows
            )
    return events, records, report


def written(table: Any, folder: Path, **options: Any) -> bytes:
    import pyarrow.parquet as pq

    pq.write_table(table, folder / "x.parquet", **options)
    return (folder / "x.parquet").read_bytes()


def test_reads_the_sample_without_its_nulls() -> None:
    events, records, report = read(DATA)
    assert events == EVENTS
    assert records == [1, 2, 3]
    assert report.complete
    assert report.size == len(DATA)


def test_is_recognised_by_its_signature_alone() -> None:
    assert READER.recognises(head(DATA)) == 100
    assert READER.recognises(head(b"PAR")) == 0


def test_looks_at_no_more_rows_than_it_may_at_once(tmp_path: Path) -> None:
    table = pyarrow.table({"a": list(range(1000)), "b": ["x" * 100] * 1000})
    data = written(table, tmp_path, row_group_size=600, use_dictionary=False, compression="none")
    for limits in (replace(DEFAULT_LIMITS, column_rows=7), replace(DEFAULT_LIMITS, column_bytes=2000)):
        events, records, _ = read(data, limits)
        assert [event["a"] for event in events] == list(range(1000))
        assert records == list(range(1, 1001))


def test_more_rows_are_read_at_once_while_few_columns_are_asked_for(tmp_path: Path) -> None:
    rows = 4000
    # Texts long and different enough to be read a stretch at a time, and others that are not.
    table = pyarrow.table(
        {
            "n": range(rows),
            "few": [f"v{at % 7}" for at in range(rows)],
            **{f"wide{one}": [f"{at:09}" for at in range(rows)] for one in range(9)},
            "long": [f"{at:05}" * 600 for at in range(rows)],
        }
    )
    data = written(table, tmp_path, row_group_size=2500, use_dictionary=["few"])
    limits = replace(DEFAULT_LIMITS, column_bytes=12_000)
    sizes: list[int] = []
    seen: list[Any] = []
    report = FileReport("x.parquet")
    for number, batch in enumerate(columns_of(data, report, limits)):
        assert batch.first == len(seen) + 1
        sizes.append(batch.rows)
        seen += batch.array(("n",)).to_pylist()
        if number == 3:
            assert batch.events([0, batch.rows - 1]) == [
                {
                    "n": at,
                    "few": f"v{at % 7}",
                    **{f"wide{one}": f"{at:09}" for one in range(9)},
                    "long": f"{at:05}" * 600,
                }
                for at in (seen[-batch.rows], seen[-1])
            ]
        for stretch in batch.stretches():
            values = stretch.array(("long",)).to_pylist()
            begun = seen[stretch.start - batch.rows + len(seen) :]
            assert values == [f"{at:05}" * 600 for at in begun[: stretch.rows]]
    assert seen == list(range(rows))
    first = sizes[0]
    # One column was asked for, and of the first three times as many rows a third was read; later all were.
    assert sizes[1:4] == [2 * first, 3 * first, 3 * first]
    assert set(sizes[4:]) <= {first, 2500 % first, 1500 % first}


def test_a_table_of_too_many_columns_is_noted(tmp_path: Path) -> None:
    table = pyarrow.table({f"c{at}": [1] for at in range(20)})
    events, _, report = read(written(table, tmp_path), replace(DEFAULT_LIMITS, columns=10))
    assert not events
    assert "unreadable" in report.problems


def test_what_json_has_no_type_for_becomes_text(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 11, 14, 58, 40, 123456, tzinfo=UTC)
    columns = {
        "moment": pyarrow.array([moment, None], pyarrow.timestamp("us", "UTC")),
        "nanos": pyarrow.array([1794409120123456789, None], pyarrow.timestamp("ns")),
        "day": [date(2026, 11, 11), None],
        "decimal": [Decimal("1.50"), None],
        "bytes": [b"\xc4\x91\xff", None],
        "list": [["a", None], None],
        "objects": [[{"a": 1, "b": None}], []],
        "map": pyarrow.array([[("k", "v")], None], pyarrow.map_(pyarrow.string(), pyarrow.string())),
        "nested": [{"a": {"b": 1, "c": None}}, None],
        "dot.ted": [True, None],
        "float": [1.5, None],
        "none": pyarrow.nulls(2),
    }
    events, _, report = read(written(pyarrow.table(columns), tmp_path))
    assert report.complete
    assert events == [
        {
            "moment": "2026-11-11T14:58:40.123456Z",
            "nanos": "2026-11-11T14:58:40.123456789",
            "day": "2026-11-11",
            "decimal": "1.50",
            "bytes": "đ\ufffd",
            "list": ["a", None],
            "objects": [{"a": 1}],
            "map": {"k": "v"},
            "nested": {"a": {"b": 1}},
            "dot.ted": True,
            "float": 1.5,
        },
        {"objects": []},
    ]


def test_texts_that_are_no_utf_8_are_replaced(tmp_path: Path) -> None:
    table = pyarrow.table({"a": pyarrow.array([b"ok", b"\xff"]).view(pyarrow.string())})
    events, _, _ = read(written(table, tmp_path))
    assert events == [{"a": "ok"}, {"a": "\ufffd"}]


def test_a_file_without_its_end_is_noted() -> None:
    events, _, report = read(DATA[:-20])
    assert not events
    assert report.problems["corrupt"].where == "byte 0"


def test_a_row_group_that_is_broken_is_noted_and_the_others_are_read(tmp_path: Path) -> None:
    table = pyarrow.table(
        {"Channel": ["Security"] * 40, "EventID": [4624] * 40, "User": [str(n) for n in range(40)]}
    )
    data = bytearray(written(table, tmp_path, row_group_size=20, compression="none", use_dictionary=False))
    data[4:30] = b"\xff" * 26
    (tmp_path / "x.parquet").write_bytes(data)
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "title: Logon\nid: 00000000-0000-0000-0000-000000000001\n"
        "logsource: {product: windows, service: security}\n"
        "detection: {s: {EventID: 4624, User: ['7', '27']}, condition: s}\n",
        "utf-8",
    )
    from haidang.findings.model import ScanSummary

    summary = ScanSummary()
    found = list(scan(tmp_path / "x.parquet", rules=load_rules(rules, cache=False), summary=summary))
    assert [finding.source.record for finding in found] == [28]
    (report,) = summary.files
    assert (report.records, report.skipped) == (20, 20)
    assert report.problems["corrupt"].where == "record 1"


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    report = FileReport("x.parquet")
    assert not list(READER.read(Stream(BlockSource(iter([DATA])), report), report, DEFAULT_LIMITS))
    assert "the extra [parquet]" in report.problems["missing-library"].detail
    assert not report.complete


@settings(suppress_health_check=list(HealthCheck), max_examples=80)
@given(data=st.data())
def test_mutated_samples_are_survived(data: st.DataObject) -> None:
    bent = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 6))):
        bent[data.draw(st.integers(4, len(bent) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del bent[data.draw(st.integers(4, len(bent) - 1)) :]
    events, records, report = read(bytes(bent))
    assert len(events) == len(records)
    assert report.skipped <= sum(problem.count for problem in report.problems.values())


@given(st.binary(max_size=300))
def test_random_bytes_are_survived(data: bytes) -> None:
    _, _, report = read(b"PAR1" + data)
    assert report.problems


def test_the_sample_is_what_its_script_makes(tmp_path: Path) -> None:
    from tests.events.readers.parquet_making import write_sample

    write_sample(tmp_path / "again.parquet")
    assert (
        read((tmp_path / "again.parquet").read_bytes())[0]
        == read((SAMPLES / "parquet" / "windows.parquet").read_bytes())[0]
    )


LINES = [
    "Nov 11 21:58:57 hv-web01 sshd[4188]: Failed password for root from 203.0.113.9 port 51234 ssh2",
    'type=SYSCALL msg=audit(1794409138.010:12): arch=c000003e syscall=59 ppid=1 pid=2 exe="/usr/bin/nc"',
    'type=EXECVE msg=audit(1794409138.010:12): argc=2 a0="nc" a1="-l"',
    "only text of an application",
    None,
    '{"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"ap-southeast-1"}',
]


def with_lines(tmp_path: Path, **columns: list[Any]) -> bytes:
    """Return a file of rows that keep lines."""
    import pyarrow.parquet as pq

    hosts = [f"hv-{at}" for at in range(len(LINES))]
    hosts[1:3] = ["hv-web02"] * 2
    times = ["2026-11-11T14:58:57Z"] * len(LINES)
    table = pyarrow.table({"_time": times, "host": hosts, "_raw": LINES, **columns})
    pq.write_table(table, tmp_path / "lines.parquet", row_group_size=2)
    return (tmp_path / "lines.parquet").read_bytes()


def opened(data: bytes, limits: Limits = DEFAULT_LIMITS) -> tuple[list[tuple[int, str, Any]], FileReport]:
    """Return number, origin and event of each line in a file."""
    report = FileReport("x.parquet")
    found: list[tuple[int, str, Any]] = []
    for batch in READER.read(Stream(BlockSource(iter([data])), report), report, limits):
        if isinstance(batch, DocumentBatch):
            origin, some = "document", list[Any](batch.documents)
        else:
            assert isinstance(batch, EventBatch)
            assert len(batch.events) <= limits.batch_events
            origin, some = batch.origin, list(batch.events)
        found += ((record, origin, one) for record, one in zip(batch.records, some, strict=True))
    return sorted(found, key=lambda one: one[0]), report


def test_a_line_in_a_column_is_read_as_what_it_is(tmp_path: Path) -> None:
    for limits in (DEFAULT_LIMITS, replace(DEFAULT_LIMITS, batch_events=1)):
        found, report = opened(with_lines(tmp_path), limits)
        assert report.complete
        assert [(record, origin) for record, origin, _ in found] == [
            (1, "syslog"),
            (2, "auditd"),
            (4, "json"),
            (5, "json"),
            (6, "document"),
        ]
        sshd, audit, text, none, _ = [event for _, _, event in found]
        assert (sshd["client_ip"], sshd["hostname"]) == ("203.0.113.9", "hv-web01")
        assert (audit["exe"], audit["CommandLine"], audit["node"]) == ("/usr/bin/nc", "nc -l", "hv-web02")
        assert (text["_raw"], text["host"], none["host"]) == ("only text of an application", "hv-3", "hv-4")


def test_an_event_of_windows_with_its_line_beside_it_stays_one(tmp_path: Path) -> None:
    count = len(LINES)
    data = with_lines(tmp_path, EventID=[4625] * count, Channel=["Security"] * count)
    found, _ = opened(data)
    assert [(record, origin) for record, origin, _ in found] == [(at, "json") for at in range(1, count + 1)]


def test_a_broken_part_of_a_file_with_lines_is_noted(tmp_path: Path) -> None:
    data = bytearray(with_lines(tmp_path))
    at = data.index(b"only text")
    data[at - 40 : at + 5] = b"\xff" * 45
    found, report = opened(bytes(data))
    assert {record for record, _, _ in found} >= {1, 2}
    assert report.skipped == report.problems["corrupt"].count > 0
    assert len({record for record, _, _ in found}) < 5


def test_rules_fire_on_lines_in_a_column(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        listens=(
            "product: linux, category: process_creation",
            "{Image|endswith: /nc, CommandLine|contains: '-l'}",
        ),
        stopped=("product: aws, service: cloudtrail", "eventName: StopLogging"),
        failed=("product: linux, service: sshd", "'|all': [Failed password]"),
    )
    assert fired(tmp_path, with_lines(tmp_path), rules, "x.parquet") == {
        ("listens", "2"),
        ("stopped", "6"),
        ("failed", "1"),
    }
