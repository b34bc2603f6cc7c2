"""What is written of the fields of log sources."""

from __future__ import annotations

from haidang.sigma.ir import LogSource
from haidang.sigma.logsource import load_maps, parse_map
from haidang.workshop.known_fields import KnownFields, nearest

PROCESS = LogSource("windows", "process_creation")


def test_knows_the_fields_of_a_log_source_and_what_may_have_been_meant() -> None:
    known = KnownFields(load_maps())
    assert known.unknown(PROCESS, ["Image", "Imgae", "QueryName"]) == ["Imgae", "QueryName"]
    assert nearest("Imgae", known.of(PROCESS)) == "Image"
    assert nearest("Nothing like it", known.of(PROCESS)) == ""


def test_says_nothing_of_a_log_source_that_it_does_not_know() -> None:
    assert KnownFields([]).unknown(LogSource("nobody", "x"), ["Imgae"]) == []


def test_a_map_of_the_user_brings_its_fields() -> None:
    own = parse_map(
        b"origin: windows\nproduct: windows\nroute_by: [EventID]\n"
        b"sources: [{logsource: {category: process_creation}, when: {EventID: 1}, fields: {Risk: risk}}]",
        "own.yml",
    )
    assert KnownFields([own]).unknown(PROCESS, ["Risk"]) == []
