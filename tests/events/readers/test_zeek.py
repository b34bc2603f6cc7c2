"""Zeek logs keep their types, whichever way they are written."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers.zeek import READER, log_name
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import SAMPLES, feed, feed_in_time, head, sample
from tests.events.readers.tearing import torn

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)
NAMES = ("ts", "text", "n", "flag", "list", "numbers")
HEADER = (
    b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tx\n"
    b"#fields\tts\ttext\tn\tflag\tlist\tnumbers\n#types\ttime\tstring\tcount\tbool\tset[string]\tvector[count]\n"
)


def test_reads_columns_by_their_types() -> None:
    seen = feed(READER, sample("zeek", "conn.log"), limits=SMALL)
    assert seen.report.complete
    assert seen.records == [9, 10, 11]
    assert seen.events[0] == {
        "ts": 1794380341.204113,
        "uid": "CHv1aa",
        "id.orig_h": "10.84.12.41",
        "id.orig_p": 50112,
        "id.resp_h": "203.0.113.9",
        "id.resp_p": 443,
        "proto": "tcp",
        "service": "ssl",
        "duration": 12.5,
        "orig_bytes": 18220,
        "conn_state": "SF",
        "local_orig": True,
        "tunnel_parents": [],
        "_path": "conn",
    }
    assert seen.events[2]["tunnel_parents"] == ["Cpar1", "Cpar2"]
    assert seen.events[2]["local_orig"] is False


def test_leaves_unset_fields_out() -> None:
    events = feed(READER, sample("zeek", "conn.log")).events
    assert not {"duration", "orig_bytes"} & events[1].keys()
    assert "service" not in events[2]
    assert events[2]["duration"] == 0.0


def test_obeys_a_second_header_in_the_same_file() -> None:
    seen = feed(READER, sample("zeek", "two-headers.log"))
    assert seen.report.complete
    assert [event["_path"] for event in seen.events] == ["conn"] * 3 + ["dns"] * 2
    assert seen.events[3]["answers"] == ["198.51.100.7", "cdn,phu.example"]
    assert seen.events[3]["TTLs"] == [300.0, 60.0]
    assert seen.events[4]["query"] == "văn-bản.example"


def test_obeys_other_separators() -> None:
    data = (
        b"#separator \\x7c\n#set_separator|;\n#empty_field|EMPTY\n#unset_field|NIL\n#path|y\n"
        b"#fields|ts|names|note\n#types|time|set[string]|string\n1.5|a;b|-\n2.5|EMPTY|NIL\n"
    )
    seen = feed(READER, data)
    assert seen.events == [
        {"ts": 1.5, "names": ["a", "b"], "note": "-", "_path": "y"},
        {"ts": 2.5, "names": [], "_path": "y"},
    ]
    assert READER.recognises(head(data)) == 100


def test_a_number_that_does_not_read_as_one_stays_text() -> None:
    data = HEADER + b"x\ta\ty\tM\t(empty)\t1,z\n1.0\tb\t2\tT\ta\t1,2\n"
    seen = feed(READER, data)
    assert seen.report.complete
    first, second = seen.events
    assert (first["ts"], first["n"], first["flag"], first["numbers"]) == ("x", "y", "M", [1, "z"])
    assert (second["ts"], second["n"], second["flag"], second["numbers"]) == (1.0, 2, True, [1, 2])


def test_rows_without_types_are_text() -> None:
    seen = feed(READER, b"#fields\tts\tn\n1.5\t2\n", path="logs.zip!2026/weird.11:00.log")
    assert seen.events == [{"ts": "1.5", "n": "2", "_path": "weird"}]


def test_skips_and_counts_rows_of_another_width() -> None:
    good = b"1.0\ta\t2\tT\t-\t-\n"
    seen = feed(READER, HEADER + good + b"1.0\ta\n\n" + good.strip() + b"\tmore\n" + good)
    assert seen.records == [8, 12]
    assert seen.problems == {"broken-line": ("line 9", 2)}
    assert seen.report.skipped == 2


def test_rows_before_any_header_are_counted() -> None:
    seen = feed(READER, b"1.0\ta\t2\n" + HEADER + b"1.0\ta\t2\tT\t-\t-\n")
    assert len(seen.events) == 1
    assert seen.problems == {"broken-line": ("line 1", 1)}


def test_reads_json_and_names_the_log_by_its_file() -> None:
    seen = feed(READER, sample("zeek", "http.json"), path="hv-gw01/http.2026-11-11.json.gz")
    assert seen.report.complete
    assert {event["_path"] for event in seen.events} == {"http"}
    assert seen.events[0]["id.orig_h"] == "10.84.12.41"
    assert seen.events[0]["ts"] == 1794380341.5


def test_reads_json_that_names_its_log_itself() -> None:
    seen = feed(READER, sample("zeek", "stream.json"), path="-")
    assert [event["_path"] for event in seen.events] == ["dns", "conn"]
    seen = feed(READER, b'{"ts":1,"uid":"C1","id.orig_h":"192.0.2.1"}\n', path="-")
    assert "_path" not in seen.events[0]


def test_skips_and_counts_json_that_is_broken_no_object_or_too_deep() -> None:
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    lists = orjson.dumps({"many": [[1]] * 400, "text": "[" * 400})
    data = b'{"ts":1}\n{"ts":\n[1]\n\n' + deep + b'\n{"ts":2,"x":"\xff"}\n' + lists + b"\n"
    seen = feed(READER, data)
    assert seen.records == [1, 6, 7]
    assert seen.problems == {
        "broken-line": ("line 2", 2),
        "too-deep": ("line 5", 1),
        "invalid-utf8": ("line 6", 1),
    }
    assert seen.report.skipped == 3


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("conn.log", "conn"),
        ("a/b/dns.11:00:00-12:00:00.log.gz", "dns"),
        ("x.zip!http.log", "http"),
        ("C:\\zeek\\ssl.log", "ssl"),
        ("-", ""),
        ("", ""),
    ],
)
def test_a_log_is_called_by_its_file_up_to_the_first_dot(path: str, name: str) -> None:
    assert log_name(path) == name


_SAMPLE_BYTES = b"".join(path.read_bytes() for path in sorted((SAMPLES / "zeek").glob("*.log")))


@given(
    torn(
        _SAMPLE_BYTES,
        st.binary(max_size=200).map(lambda rest: HEADER + rest),
        st.binary(max_size=200).map(lambda rest: b'{"ts":1}\n' + rest),
        most_cut=60,
    )
)
def test_whatever_it_is_fed_each_row_is_an_event_a_header_or_noted(data: bytes) -> None:
    seen = feed(READER, data, limits=SMALL)
    broken = seen.problems.get("broken-line", ("", 0))[1]
    lines = data.split(b"\n")
    assert len(seen.events) + broken <= len(lines)
    if data.lstrip()[:1] != b"{":
        rows = [line for line in lines if line.decode("utf-8", "replace").strip() and line[:1] != b"#"]
        assert len(seen.events) + broken == len(rows)
    READER.recognises(head(data))


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "ts": st.floats(0, 4e9).map(lambda number: round(number, 6)),
                "text": st.text(
                    st.characters(exclude_characters="\t\r\n\\", exclude_categories=["Cs"]), min_size=1
                ),
                "n": st.integers(0, 2**64),
                "flag": st.booleans(),
                "list": st.lists(st.text("abcđ", min_size=1)),
                "numbers": st.lists(st.integers(0, 99)),
            }
        ).filter(lambda row: row["text"] not in {"-", "(empty)"})
    )
)
def test_what_zeek_would_write_is_read_back(rows: list[dict[str, object]]) -> None:
    def cell(value: object) -> str:
        if isinstance(value, bool):
            return "T" if value else "F"
        if isinstance(value, list):
            return ",".join(map(str, value)) or "(empty)"
        return f"{value:.6f}" if isinstance(value, float) else str(value)

    data = HEADER + "".join("\t".join(cell(row[name]) for name in NAMES) + "\n" for row in rows).encode()
    assert [event | {"_path": "x"} for event in feed(READER, data).events] == [
        row | {"_path": "x"} for row in rows
    ]


@pytest.mark.parametrize(
    "data",
    [
        HEADER + b"\t" * 2_000_000,
        HEADER + b"\\x" * 1_000_000 + b"\t1\t2\t3\t4\t5",
        b"#separator \\x09\n#fields" + b"\tn" * 500_000 + b"\n" + b"\t1" * 500_000,
        HEADER + b"1\ta\t1\tT\t" + b"," * 1_000_000 + b"\t-",
        b'{"ts":1,"a":' + b"[" * 1_000_000,
    ],
)
def test_hostile_lines_take_linear_time(data: bytes) -> None:
    feed_in_time(READER, data)


def test_reads_the_zeek_logs_of_the_corpora(corpora: Path) -> None:
    counts = {}
    with zipfile.ZipFile(corpora / "mordor" / "SCRANTON-zeek_logs.zip") as archive:
        for name in archive.namelist():
            data = archive.read(name)
            assert READER.recognises(head(data, name)) == 90, name
            seen = feed(READER, data, path=f"SCRANTON-zeek_logs.zip!{name}")
            assert seen.report.complete, name
            assert {event["_path"] for event in seen.events} == {name.removesuffix(".log")}
            counts[name] = len(seen.events)
    assert (counts["conn.log"], counts["http.log"], len(counts)) == (134, 62, 14)
