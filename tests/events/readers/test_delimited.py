"""Tables are read by their header; broken rows cost themselves and nothing else."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers.delimited import READER, choose_delimiter, column_names, looks_like_header
from haidang.events.times import parse_time
from haidang.inquiry.questions import Question
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import feed, head, sample
from tests.events.readers.firing import fired, write_rules
from tests.events.readers.tearing import samples, torn

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=3)


def test_reads_quoted_fields_with_line_ends_and_quotes() -> None:
    seen = feed(READER, sample("delimited", "logons.csv"), limits=SMALL)
    assert seen.report.complete
    assert seen.records == [2, 3, 4]
    assert seen.events[0] == {
        "TimeCreated": "2026-11-11T15:00:00Z",
        "Computer": "HV-PC017.haivan.example",
        "EventID": "4624",
        "Channel": "Security",
        "TargetUserName": "hoa.nt",
        "Message": 'An account was successfully logged on.\n\nSubject:  "SYSTEM"',
    }
    assert seen.events[1]["TargetUserName"] == "quản trị, phòng CNTT"


def test_an_empty_cell_is_an_absent_field() -> None:
    events = feed(READER, sample("delimited", "logons.csv")).events
    assert "Message" not in events[1]
    assert feed(READER, b"a,b\n,\n1,2\n").records == [3]


def test_reads_semicolons_a_byte_order_mark_and_a_header_twice_the_same() -> None:
    seen = feed(READER, sample("delimited", "bom-semicolon.txt"))
    assert seen.report.complete
    assert seen.events[0] == {
        "Thời gian": "2026-11-11 22:00:00",
        "Máy": "HV-PC017",
        "Người dùng": "hoa.nt",
        "Hành động": "đăng nhập",
        "Hành động_2": "thành công",
    }


def test_reads_tabs_and_leaves_the_commas_and_quotes_within() -> None:
    events = feed(READER, sample("delimited", "proxy.tsv")).events
    assert [event["url"] for event in events] == [
        "http://cap-nhat.example/a,b",
        'http://haivan.example/"tin"',
    ]


def test_obeys_the_separator_line_of_excel() -> None:
    seen = feed(READER, sample("delimited", "excel.csv"))
    assert seen.events == [{"Name": "alpha", "Value": "1"}, {"Name": "beta", "Value": "2"}]
    assert READER.recognises(head(sample("delimited", "excel.csv"), "excel.csv")) == 85


def test_names_columns_by_number_where_the_first_row_is_data() -> None:
    seen = feed(READER, b"2026-11-11 22:00:00,10.84.12.41,GET\n2026-11-11 22:00:01,10.84.12.42,POST\n")
    assert seen.records == [1, 2]
    assert seen.events[0] == {"column_1": "2026-11-11 22:00:00", "column_2": "10.84.12.41", "column_3": "GET"}


def test_keeps_ragged_rows_with_what_they_have_and_notes_them() -> None:
    seen = feed(READER, b"a,b,c\n1,2,3\n1,2\n1,2,3,4,5\n1,2,3\n")
    assert seen.events[1] == {"a": "1", "b": "2"}
    assert seen.events[2] == {"a": "1", "b": "2", "c": "3", "column_4": "4", "column_5": "5"}
    assert seen.problems == {"ragged-row": ("row 3", 2)}
    assert seen.report.skipped == 0


def test_gives_every_column_a_name_of_its_own() -> None:
    assert column_names(["a", "a", "", "a", " b ", "a_2", "a"]) == [
        "a",
        "a_2",
        "column_3",
        "a_3",
        "b",
        "a_2_2",
        "a_4",
    ]


def test_a_stray_quote_swallows_nothing() -> None:
    """It is noticed at the end of the file, or once it has taken in more than a line may have."""
    rows = b"".join(b"%d,x,y\n" % n for n in range(100))
    data = b'id,b,c\n1,"x,y\n' + rows
    for limits in (DEFAULT_LIMITS, replace(DEFAULT_LIMITS, line_bytes=64), replace(SMALL, line_bytes=64)):
        seen = feed(READER, data, limits=limits)
        assert [event["id"] for event in seen.events[-100:]] == [str(n) for n in range(100)]
        assert seen.problems["broken-line"] == ("row 2", 1)
        assert seen.records[-1] == 102


def test_a_quote_inside_an_unquoted_field_is_a_character() -> None:
    seen = feed(READER, b'size,name,note\n3.5",disk,x\n5",tape,y\n')
    assert seen.report.complete
    assert [event["size"] for event in seen.events] == ['3.5"', '5"']


def test_skips_and_counts_rows_of_too_many_columns() -> None:
    limits = replace(DEFAULT_LIMITS, columns=4)
    seen = feed(READER, b"a,b,c\n1,2,3\n" + b"," * 10 + b"\n4,5,6\n", limits=limits)
    assert [event["a"] for event in seen.events] == ["1", "4"]
    assert seen.problems == {"oversized-line": ("row 3", 1)}


def test_reads_a_field_larger_than_the_csv_modules_own_bound() -> None:
    seen = feed(READER, b"a,b\n1," + b"x" * 500_000 + b"\n")
    assert len(seen.events[0]["b"]) == 500_000


def test_survives_carriage_returns_nul_and_latin_1() -> None:
    seen = feed(READER, b"a,b\r\n1,x\ry\r\n2,\x00\r\n3,\xe9\r\n")
    assert [event["b"] for event in seen.events] == ["x y", "\x00", "\ufffd"]
    assert seen.problems == {"invalid-utf8": ("line 4", 1)}


def test_batches_stay_small_when_a_stray_quote_gives_many_rows_at_once() -> None:
    seen = feed(READER, b'a,b\n"\n' + b"1,2\n" * 50, limits=SMALL)
    assert len(seen.events) == 50


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("a,b,c", ","), ("a;b;c", ";"), ("a\tb\tc", "\t"), ("a|b|c", "|"), ('"x;y",b,c', ","), ("a", "\t")],
)
def test_chooses_what_cuts_the_header_into_the_most_columns(line: str, delimiter: str) -> None:
    assert choose_delimiter(line) == delimiter


@pytest.mark.parametrize(
    ("row", "names"),
    [
        (["TimeCreated", "EventID", "Message"], True),
        (["@timestamp", "host.name", "_raw", "Địa chỉ nguồn"], True),
        (["Date and Time", "Source IP (NAT)", "#fields"], True),
        (["a", ""], False),
        (["a"], False),
        (["a", "10.0.0.1"], False),
        (["a", "12"], False),
        (["a", "2026-11-11"], False),
        (["a", "x=1"], False),
        (["a", "this is a sentence about nothing"], False),
        (["a", "x" * 100], False),
    ],
)
def test_tells_names_from_values(row: list[str], *, names: bool) -> None:
    assert looks_like_header(row) is names


@pytest.mark.parametrize(
    "text",
    [
        "Login failed, user hoa, try again\n" * 5,
        '203.0.113.7 - - [03/Nov/2026:04:05:06 +0700] "GET /a,b,c HTTP/1.1" 200 12\n' * 5,
        "Nov  3 04:05:06 fw filterlog[1]: 7,,,100,vtnet0,match,block,in\n" * 5,
        "2026-11-03 04:05:06,123 INFO [main] started, all well\n" * 5,
        "#separator \\x09\n#fields\tts\tuid\n",
        '{"a": 1, "b": 2, "c": 3}\n' * 5,
        "alpha, beta, gamma\nthis is prose\nwith no commas\nand no columns\n",
        "a,b\n1,2\n",
        "Name,Size,Kind\n",
    ],
)
def test_a_log_that_merely_has_commas_is_no_table(text: str) -> None:
    assert READER.recognises(head(text.encode())) == 0


def test_a_file_named_as_a_table_is_one_sooner() -> None:
    assert READER.recognises(head(b"a,b\n1,2\n", "x.csv")) == 85
    assert READER.recognises(head(b"Name,Size,Kind\n", "x.csv")) == 85
    assert READER.recognises(head(b"1,2\n3,4\n", "x.csv")) == 60
    assert READER.recognises(head(b"Name,Size,Kind\nx,1,y\n", "x.log")) == 55


@given(
    torn(samples("delimited"), st.text('abc,;"\n\r\t|', max_size=200).map(str.encode), most_cut=60),
    st.sampled_from([DEFAULT_LIMITS, SMALL, replace(SMALL, line_bytes=20, columns=3)]),
)
def test_whatever_it_is_fed_it_ends_without_raising(data: bytes, limits: object) -> None:
    assert isinstance(limits, type(DEFAULT_LIMITS))
    seen = feed(READER, data, limits=limits)
    assert seen.records == sorted(set(seen.records))
    for event in seen.events:
        assert event
        assert all(isinstance(value, str) and value for value in event.values())
    READER.recognises(head(data))


CELLS = st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=12), st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["one", "two", "three"], *rows])
    expected = [
        {name: cell for name, cell in zip(("one", "two", "three"), row, strict=True) if cell} for row in rows
    ]
    for limits in (DEFAULT_LIMITS, SMALL):
        seen = feed(READER, text.getvalue().encode(), limits=limits)
        assert seen.report.complete
        assert seen.events == [event for event in expected if event]


@pytest.mark.parametrize(
    "data",
    [
        b'a,b\na"b,"c\n' * 100_000,
        b"a,b\n" + b'"' * 1_000_001,
        b"a,b\n" + b'","' * 400_000,
        b"a,b\n" + b"," * 2_000_000,
        b"a" + b",a" * 1_000_000 + b"\n1,2\n",
        b"a,b\n" + b'x,"\n' * 200_000,
        b"a,b\n" + b'"",""\n' * 200_000,
    ],
)
def test_hostile_tables_take_linear_time(data: bytes) -> None:
    limits = replace(DEFAULT_LIMITS, line_bytes=200_000)
    began = time.process_time()
    feed(READER, data, limits=limits)
    READER.recognises(head(data, "x.csv"))
    assert time.process_time() - began < 6


_SYSMON = (
    "Process Create:\r\nUtcTime: 2026-05-11 03:14:15.123\r\nImage: C:\\a.exe\r\nCommandLine: whoami /all"
)
_RULE = {"whoami": ("product: windows, category: process_creation", "CommandLine|contains: whoami")}


def _written(rows: list[list[str]], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize(
    ("header", "time"),
    [
        ("Level,Date and Time,Source,Event ID,Task Category", "5/11/2026 10:14:15 AM"),
        ("Keywords,Date and Time,Source,Event ID,Task Category", "5/11/2026 10:14:15 AM"),
        ("Mức,Ngày và Giờ,Nguồn,ID Sự kiện,Thể loại Tác vụ", "11/05/2026 10:14:15 SA"),
        ("Ebene,Datum und Uhrzeit,Quelle,Ereignis-ID,Aufgabenkategorie", "11.05.2026 10:14:15"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_what_event_viewer_saves_is_events_of_windows(
    header: str, time: str, delimiter: str, tmp_path: Path
) -> None:
    row = ["Information", time, "Microsoft-Windows-Sysmon", "1", "Process Create", _SYSMON]
    data = header.replace(",", delimiter).encode() + b"\r\n" + _written([row] * 3, delimiter)
    assert READER.recognises(head(data, "saved.txt")) > 0
    seen = feed(READER, data)
    assert not seen.problems
    assert {event["Channel"] for event in seen.events} == {"Microsoft-Windows-Sysmon/Operational"}
    assert {parse_time(event["EventTime"]) for event in seen.events} == {1778494455_000000000}
    assert len(fired(tmp_path, data, write_rules(tmp_path / "rules", **_RULE), "saved.txt")) == 3


def test_rows_that_span_lines_are_recognised(tmp_path: Path) -> None:
    header = ["Message", "Id", "LogName", "ProviderName", "MachineName"]
    row = [_SYSMON, "1", "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", "PC01"]
    data = b"#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\r\n" + _written([header, row, row])
    assert READER.recognises(head(data, "events.txt")) == 55
    assert fired(tmp_path, data, write_rules(tmp_path / "rules", **_RULE)) == {
        ("whoami", "2"),
        ("whoami", "3"),
    }


def test_the_zone_that_a_portal_adds_is_no_part_of_a_name() -> None:
    names = ["TimeGenerated [UTC]", "Status", *(f"Field with a name of {n} words" for n in range(9))]
    seen = feed(READER, _written([names, ["5/11/2026, 3:14:15.123 AM", "x", *"abcdefghi"]]))
    assert (seen.events[0]["TimeGenerated"], seen.events[0]["Field with a name of 0 words"]) == (
        "5/11/2026, 3:14:15.123 AM",
        "a",
    )


def test_a_row_that_keeps_a_line_is_read_as_that_line(tmp_path: Path) -> None:
    line = "May 11 10:14:15 web01 sshd[123]: Failed password for root from 198.51.100.7 port 22 ssh2"
    trail = '{"eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging", "awsRegion": "x"}'
    rows = [[line, "2026-05-11T10:14:15.000+0700"], [trail, "2026-05-11"], ["unknown", "2026-05-11"]]
    data = _written([["_raw", "_time"], *rows])
    rules = write_rules(
        tmp_path / "rules",
        ssh=("product: linux, service: sshd", "message|contains: Failed password"),
        stopped=("product: aws, service: cloudtrail", "eventName: StopLogging"),
    )
    assert fired(tmp_path, data, rules, "export.csv") == {("ssh", "2"), ("stopped", "3")}
    question = Question((str(tmp_path / "export.csv"),))
    assert sorted(event.origin for event in question.events()) == ["cloudtrail", "csv", "syslog"]
