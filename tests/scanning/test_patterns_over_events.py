"""Patterns over several observations, in a scan, against OASIS's own matcher: the same verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stix2matcher.matcher import match

import haidang
from haidang.intel.model import Indicator
from haidang.intel.store import Source, compile_sources
from haidang.scanning._ruleset import load_rules
from tests.scanning.material import event, write_log, write_rules

if TYPE_CHECKING:
    from pathlib import Path

NO_RULES = """title: Nothing
id: 00000000-0000-0000-0000-000000000009
status: stable
level: low
logsource: {product: windows, category: process_creation}
detection: {s: {Image: 'none at all'}, condition: s}
"""
Told = list[tuple[int, str]]
"""Seconds and names of the files that were seen, no two at one time."""


def ours(folder: Path, pattern: str, told: Told) -> bool:
    events = [event(second, Image=f"C:\\x\\{name}") for second, name in told]
    path = write_log(folder / "log.ndjson", events)
    known = compile_sources([(Source("feed", "stix", "/x"), [Indicator("pattern", pattern, "Pattern")])])
    rules = load_rules(write_rules(folder, NO_RULES), cache=False, intel=known)
    return bool(list(haidang.scan(path, rules=rules)))


def judged(pattern: str, told: Told) -> bool:
    return bool(match(pattern, [bundle(second, name) for second, name in told], stix_version="2.1"))


def bundle(second: int, name: str) -> dict[str, object]:
    time = f"2026-03-01T10:{second // 60 % 60:02}:{second % 60:02}Z"
    file = {"type": "file", "id": f"file--{second}", "name": name}
    observed = {
        "type": "observed-data", "id": f"observed-data--{second}", "spec_version": "2.1",
        "number_observed": 1, "first_observed": time, "last_observed": time, "object_refs": [file["id"]],
    }  # fmt: skip
    return {"type": "bundle", "id": f"bundle--{second}", "objects": [observed, file]}


_one = st.sampled_from(["[file:name = 'a']", "[file:name = 'b']", "[file:name IN ('b', 'c')]"])
_joined = st.builds(
    lambda word, parts: f"({f' {word} '.join(parts)})",
    st.sampled_from(["AND", "FOLLOWEDBY"]),
    st.sampled_from(
        [
            ["[file:name = 'a']", "[file:name = 'b']"],
            ["[file:name = 'b']", "[file:name = 'a']"],
            ["[file:name = 'a']", "[file:name = 'a']"],
            ["[file:name = 'a']", "[file:name = 'b']", "[file:name = 'c']"],
            ["[file:name = 'c']", "([file:name = 'a'] OR [file:name = 'b'])"],
        ]
    ),
)
_repeated = st.builds("({} REPEATS {} TIMES)".format, _one, st.integers(1, 4))
_within = st.sampled_from(["", " WITHIN 1 SECONDS", " WITHIN 5 SECONDS", " WITHIN 20 SECONDS"])
_whole = st.one_of(_one, st.builds("{}{}".format, st.one_of(_joined, _repeated), _within))
patterns = st.one_of(_whole, st.builds("{} OR {}".format, _whole, _whole))
told = st.dictionaries(st.integers(0, 40), st.sampled_from("abcd"), min_size=1, max_size=6).map(
    lambda found: sorted(found.items())
)


@given(patterns, told)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_several_observations_are_judged_alike(tmp_path: Path, pattern: str, told: Told) -> None:
    assert ours(tmp_path, pattern, told) is judged(pattern, told)


def test_one_event_may_be_all_of_what_and_joins(tmp_path: Path) -> None:
    """In STIX these are two observations; a log line tells of several objects at once."""
    pattern = "[file:name = 'a'] AND [process:command_line = 'run 1']"
    assert ours(tmp_path, pattern, [(1, "a")])
    assert not ours(tmp_path, pattern.replace("AND", "FOLLOWEDBY"), [(1, "a")])


def test_a_folder_of_a_file_is_that_of_its_path(tmp_path: Path) -> None:
    """An example of the specification: a name and the folder that it lies in."""
    pattern = "[file:name = 'a' AND file:parent_directory_ref.path = 'C:\\\\X']"
    assert ours(tmp_path, pattern, [(1, "a")])
    assert not ours(tmp_path, pattern.replace("X", "Y"), [(1, "a")])
    assert not ours(tmp_path, pattern, [(1, "b")])


def test_what_is_not_asked_for_is_the_file_itself_whatever_its_folder(tmp_path: Path) -> None:
    for pattern in ("[file:name != 'a']", "[file:name NOT IN ('a', 'c')]", "[file:name NOT LIKE 'a%']"):
        assert not ours(tmp_path, pattern, [(1, "a")])
        assert ours(tmp_path, pattern, [(1, "a"), (2, "b")])
