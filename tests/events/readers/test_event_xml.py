"""Windows events in XML become the fields that EVTX gives, and nothing in the XML harms the reader."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from evtx import PyEvtxParser
from hypothesis import given
from hypothesis import strategies as st

from haidang.detect.semantics import text
from haidang.events.readers._event_xml import EventXmlError, _parsed, parse_event
from haidang.events.readers._plain_event import plain_event
from haidang.events.readers.event_xml import READER
from haidang.events.shapes import flatten
from haidang.limits import DEFAULT_LIMITS
from tests.events.readers.feeding import SAMPLES, head, sample
from tests.events.readers.firing import fired, take_rules, write_rules
from tests.events.reading import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

SMALL = replace(DEFAULT_LIMITS, batch_events=2, line_bytes=4000)
EVENT = b"<Event><System><EventID>1</EventID><Channel>C</Channel></System>%s</Event>"


def data_of(text: str) -> bytes:
    return EVENT % b"<EventData><Data Name='X'>%s</Data></EventData>" % text.encode()


def test_reads_what_wevtutil_writes() -> None:
    file = read_bytes(READER, sample("event_xml", "wevtutil.xml"), limits=SMALL)
    assert file.report.complete
    assert file.records == [1, 2, 3, 4, 5]
    process, logon, cleared, service, classic = file.events
    assert process == {
        "Provider_Name": "Microsoft-Windows-Sysmon",
        "Provider_Guid": "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}",
        "EventID": "1",
        "Version": "5",
        "Level": "4",
        "Task": "1",
        "Opcode": "0",
        "Keywords": "0x8000000000000000",
        "TimeCreated": "2026-11-11T00:00:01.1234567Z",
        "EventRecordID": "71",
        "Execution_ProcessID": "2208",
        "Execution_ThreadID": "3172",
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "Computer": "ws-07.hoavang.example",
        "Security_UserID": "S-1-5-18",
        "UtcTime": "2026-11-11 00:00:01.120",
        "ProcessId": "4120",
        "Image": r"C:\Windows\System32\whoami.exe",
        "CommandLine": 'whoami & echo "Hồ sơ <mật>"',
        "User": r"HOAVANG\lan.tt",
        "ParentImage": r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE",
    }
    # An empty text is a value; what the viewer rendered stands beside the numbers.
    assert (logon["Empty"], logon["Level"], logon["Message"]) == ("", "4", "Mã 4624")
    assert cleared["SubjectUserName"] == "lan.tt"
    assert service["EventID"] == "7045"
    assert classic["Data"] == ["one", "two"]


def test_reads_what_event_viewer_saves_in_utf_16() -> None:
    data = sample("event_xml", "event-viewer.xml")
    file = read_bytes(READER, data)
    assert file.report.complete
    assert file.events == read_bytes(READER, sample("event_xml", "wevtutil.xml")).events[:2]
    assert READER.recognises(head(data)) == 95


@pytest.mark.parametrize("block", [1, 7, 100, 5000])
def test_cuts_events_out_wherever_blocks_end(block: int) -> None:
    data = sample("event_xml", "wevtutil.xml")
    assert read_bytes(READER, data, block=block) == read_bytes(READER, data)._replace(
        report=read_bytes(READER, data, block=block).report
    )


def test_broken_events_and_text_between_them_are_noted_and_the_rest_is_read() -> None:
    good = data_of("x")
    parts = (
        good,
        b"<Event><System>",
        good,
        b"<Event><System></Event>",
        b"junk",
        good,
        b"</Event>",
        good,
        b"<Event>",
    )
    file = read_bytes(READER, b"\n".join(parts))
    assert file.records == [1, 3, 5, 7]
    assert file.problems == {
        "broken-record": ("record 2", 3),
        "broken-line": ("record 5", 1),
        "truncated": ("record 8", 1),
    }
    assert file.report.skipped == 4


def test_an_event_that_is_too_long_is_skipped_and_the_next_is_read() -> None:
    data = data_of("x") + data_of("y" * 10_000) + data_of("z")
    for block in (100, 100_000):
        file = read_bytes(READER, data, limits=SMALL, block=block)
        assert [event["X"] for event in file.events] == ["x", "z"]
        assert file.problems == {"oversized-line": ("record 2", 1)}
    file = read_bytes(READER, data_of("y" * 10_000)[:-20], limits=SMALL, block=100)
    assert file.problems == {"oversized-line": ("record 1", 1)}


def test_characters_that_xml_forbids_do_not_cost_the_event() -> None:
    assert parse_event(data_of("a&#0;b\x01c&#x1F;d&#233;"))["X"] == "a\ufffdb\ufffdc\ufffddé"
    assert parse_event(data_of("a & b &amp; c &unknown;"))["X"] == "a & b & c &unknown;"
    assert parse_event(data_of("@").replace(b"@", b"caf\xe9"))["X"] == "caf\ufffd"
    assert parse_event(data_of("<![CDATA[a < b]]>"))["X"] == "a < b"


def test_bytes_that_are_no_text_are_replaced_and_noted() -> None:
    file = read_bytes(READER, data_of("x") + data_of("caf@").replace(b"@", b"\xe9") + data_of("a\x01"))
    assert [event["X"] for event in file.events] == ["x", "caf\ufffd", "a\ufffd"]
    assert file.problems == {"invalid-utf8": ("record 2", 1)}


def test_there_are_no_entities_and_no_files_but_the_log() -> None:
    bomb = (
        b'<!DOCTYPE Events [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
        b'<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    )
    file = read_bytes(READER, b"<Events>" + bomb + data_of("&b;|&f;") + b"</Events>")
    assert [event["X"] for event in file.events] == ["&b;|&f;"]
    assert file.problems == {"broken-line": ("record 1", 1)}
    with pytest.raises(EventXmlError):
        parse_event(b"<Event>" + bomb + b"<System></System></Event>")


def test_what_is_nested_too_deeply_is_no_event() -> None:
    deep = EVENT % (b"<UserData>" + b"<a>" * 20_000 + b"</a>" * 20_000 + b"</UserData>")
    file = read_bytes(READER, deep + data_of("x"))
    assert [event["X"] for event in file.events if "X" in event] == ["x"]
    assert file.problems == {"broken-record": ("record 1", 1)}


def test_what_is_no_log_of_events_is_not_recognised() -> None:
    for name in ("wevtutil.xml", "event-viewer.xml"):
        assert READER.recognises(head(sample("event_xml", name))) == 95
    for other in (
        b"",
        b"<Events><Event><Name>concert</Name></Event></Events>",
        b"<EventData><System>",
        b"text <Event><System>",
        b'{"xml": "<Event><System>"}',
    ):
        assert READER.recognises(head(other)) == 0


def test_rules_fire(tmp_path: Path) -> None:
    rules = write_rules(
        tmp_path / "rules",
        process=("product: windows, category: process_creation", r"ParentImage|endswith: \WINWORD.EXE"),
        security=("product: windows, service: security", "EventID: 1102"),
        service=(
            "product: windows, service: system",
            r"ImagePath|contains: \Users\Public" + "\nEventID: 7045",
        ),
        linux=("product: linux, category: process_creation", "CommandLine|contains: whoami"),
    )
    assert fired(tmp_path, sample("event_xml", "wevtutil.xml"), rules) == {
        ("process", "1"),
        ("security", "3"),
        ("service", "4"),
    }


def test_events_of_sysmon_for_linux_meet_the_rules_on_linux(tmp_path: Path) -> None:
    lines = [line for line in sample("syslog", "sysmon.log").splitlines() if line.endswith(b"</Event>")]
    data = b"".join(line[line.index(b"<Event>") :] + b"\n" for line in lines)
    assert READER.recognises(head(data)) == 95
    rules = write_rules(
        tmp_path / "rules",
        process=("product: linux, category: process_creation", "ParentImage|contains: php"),
        windows=("product: windows, category: process_creation", "ParentImage|contains: php"),
    )
    assert fired(tmp_path, data, rules) == {("process", "1")}
    wrapped = {
        "channel": "Linux-Sysmon/Operational",
        "event_id": 1,
        "event_data": {"ParentImage": "/bin/php"},
    }
    assert fired(tmp_path, orjson.dumps({"winlog": wrapped}) + b"\n", rules) == {("process", "1")}


def test_rules_of_sigmahq_fire(corpora: Path, tmp_path: Path) -> None:
    rules = take_rules(
        corpora,
        tmp_path / "rules",
        "win_security_audit_log_cleared.yml",
        "proc_creation_win_office_susp_child_processes.yml",
    )
    data = sample("event_xml", "wevtutil.xml").replace(b"whoami.exe", b"certutil.exe")
    records = {record for _, record in fired(tmp_path, data, rules)}
    assert records == {"1", "3"}


def test_reads_the_event_xml_of_the_corpora(corpora: Path) -> None:
    for name, count in (("windows-bf", 6), ("windows-logs", 1)):
        data = (corpora / "logs" / f"{name}__{name}.log").read_bytes()
        assert READER.recognises(head(data)) == 95
        file = read_bytes(READER, data)
        assert file.report.complete
        assert [event["EventID"] for event in file.events] == ["4625"] * count


def test_what_a_library_renders_as_xml_has_the_fields_of_its_json(corpora: Path) -> None:
    events = 0
    for path in sorted((corpora / "regression").rglob("*.evtx")):
        decoded: list[Any] = list(PyEvtxParser(str(path), 1).records_json())
        written: list[Any] = list(PyEvtxParser(str(path), 1).records())
        whole = [flatten("event", orjson.loads(one["data"])) for one in decoded]
        rendered = [f"Record {number}\n{one['data']}" for number, one in enumerate(written)]
        data = "\n".join(rendered).encode()
        assert READER.recognises(head(data)) == 95
        file = read_bytes(READER, data)
        assert file.report.complete
        events += len(file.events)
        for expected, event in zip(whole, file.events, strict=True):
            assert event.keys() == expected.keys(), path
            for name, value in expected.items():
                texts = [text(one) for one in value] if isinstance(value, list) else text(value)
                # XML has but one kind of line end.
                assert event[name] == (texts.replace("\r\n", "\n") if isinstance(texts, str) else texts)
    assert events > 100


_SAMPLE = b"".join(path.read_bytes() for path in sorted((SAMPLES / "event_xml").glob("w*")))


@given(st.integers(0, len(_SAMPLE)), st.integers(0, 40), st.binary(max_size=20), st.sampled_from([100, 9999]))
def test_whatever_is_done_to_it_each_event_is_read_or_noted(
    at: int, cut: int, more: bytes, block: int
) -> None:
    data = _SAMPLE[:at] + more + _SAMPLE[at + cut :]
    file = read_bytes(READER, data, limits=SMALL, block=block)
    assert len(file.events) + sum(problem.count for problem in file.report.problems.values()) >= 4
    assert len(file.events) + file.report.skipped >= data.count(b"</Event>")
    assert len(file.events) >= 3
    READER.recognises(head(data))


@pytest.mark.parametrize(
    "data",
    [
        b"<Event>" * 200_000,
        b"</Event>" * 100_000,
        b"<Events <!--" * 100_000 + b"</Event>",
        b"<Event " + b"a" * 3_000_000,
        EVENT % (b"<EventData>" + b"<Data>x</Data>" * 200_000 + b"</EventData>"),
    ],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    began = time.process_time()
    file = read_bytes(READER, data)
    READER.recognises(head(data))
    assert file.events or file.report.problems
    assert time.process_time() - began < 5


_PLAIN = sample("event_xml", "wevtutil.xml").split(b"</Event>")[0] + b"</Event>"
_PIECES = [
    b"<",
    b">",
    b"&amp;",
    b"&#65;",
    b"&",
    b"'",
    b'"',
    b"\r\n",
    b" ",
    b"/",
    b"<!-- -->",
    b"\x01",
    b"]]>",
    b"</Data>",
]
_PIECES += [
    b"<Data Name='Image'>",
    b"<Data>x</Data>",
    b"Name",
    b"\xef\xbf\xbf",
    b"\xe9",
    "đ".encode(),
    b"=",
    b"<b/>",
]


def parsed(data: bytes) -> object:
    try:
        return _parsed(data, None)
    except EventXmlError:
        return None


def test_the_quick_way_is_taken_by_plain_events() -> None:
    assert plain_event(_PLAIN) == parsed(_PLAIN)
    assert plain_event(_PLAIN.replace(b"'", b'"')) == parsed(_PLAIN)
    spread = _PLAIN.replace(b"><", b">\r\n  <").replace(b"/>", b" />")
    assert plain_event(spread) == parsed(_PLAIN)
    closed = re.sub(rb"<(\w+)( [^<>]*)?/>", rb"<\1\2>\n</\1>", _PLAIN)
    assert closed != _PLAIN
    assert plain_event(closed) == parsed(_PLAIN)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(_PLAIN)),
            st.integers(0, 12),
            st.one_of(st.sampled_from(_PIECES), st.binary(max_size=3)),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_the_quick_way_says_what_the_parser_says_or_nothing(changes: list[tuple[int, int, bytes]]) -> None:
    data = _PLAIN
    for at, cut, more in changes:
        data = data[:at] + more + data[at + cut :]
    quick = plain_event(data)
    assert quick is None or quick == parsed(data)
