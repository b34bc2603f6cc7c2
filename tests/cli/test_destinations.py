"""Where findings go."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import pytest

from haidang.cli._destinations import Destination, OpenDestination, pair
from haidang.errors import ConfigurationError, OutputError
from haidang.findings.model import ScanSummary
from haidang.findings.outputs import outputs


def paired(*words: str) -> list[tuple[str, str]]:
    kinds = {"F": "format", "O": "output"}
    asked = [(kinds[word[0]], word[2:]) for word in words]
    return [(destination.format.name, destination.path) for destination in pair(asked)]


def opened(path: Path | str, name: str = "ndjson", stdout: io.BytesIO | None = None) -> OpenDestination:
    return OpenDestination(Destination(outputs()[name], str(path)), stdout or io.BytesIO(), lang="en")


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_format_goes_with_the_output_that_follows() -> None:
    assert paired("F:csv", "O:a.txt", "F:ndjson", "O:-") == [("csv", "a.txt"), ("ndjson", "-")]


def test_the_longest_ending_names_the_format() -> None:
    for name, format_name in (
        ("x.json", "ndjson"),
        ("x.stix.json", "stix"),
        ("x.OCSF.json", "ocsf"),
        ("x.timesketch.jsonl", "timesketch"),
        ("x.navigator.json", "navigator"),
    ):
        assert paired(f"O:{name}") == [(format_name, name)]


def test_output_alone_takes_the_format_of_its_ending() -> None:
    assert paired("O:a.CSV", "O:b.jsonl", "O:c.html") == [
        ("csv", "a.CSV"),
        ("ndjson", "b.jsonl"),
        ("html", "c.html"),
    ]


def test_format_alone_goes_to_standard_output() -> None:
    assert paired("F:ndjson") == [("ndjson", "-")]
    assert paired("O:a.html", "F:ndjson") == [("html", "a.html"), ("ndjson", "-")]
    assert paired("F:ndjson", "F:csv", "O:x") == [("ndjson", "-"), ("csv", "x")]


@pytest.mark.parametrize(
    "words",
    [
        ("F:nosuch",),
        ("O:a.xyz",),
        ("O:-",),
        ("F:ndjson", "F:csv"),
        ("O:a.csv", "O:./a.csv"),
    ],
)
def test_refuses_what_has_no_format_or_no_place_of_its_own(words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError) as error:
        paired(*words)
    assert error.value.hint


def test_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    path.write_text("before", encoding="utf-8")
    output = opened(path)
    assert path.read_text(encoding="utf-8") == "before"
    assert output.finish(ScanSummary()) is None
    assert path.read_text(encoding="utf-8").startswith('{"kind":"summary"')
    assert names(tmp_path) == ["out.ndjson"]


def test_nothing_is_in_the_folder_before_the_first_finding(tmp_path: Path) -> None:
    output = opened(tmp_path / "out.ndjson")
    assert names(tmp_path) == [], "a scan of this folder would take it for a log"
    output.abandon()


def test_run_that_fails_leaves_what_was_there_before(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    path.write_text("before", encoding="utf-8")
    output = opened(path)
    _ = output.writer
    assert len(names(tmp_path)) == 2
    output.abandon()
    assert path.read_text(encoding="utf-8") == "before"
    assert names(tmp_path) == ["out.ndjson"]


def test_run_that_is_stopped_keeps_what_was_written_under_another_name(tmp_path: Path) -> None:
    output = opened(tmp_path / "out.ndjson")
    assert output.finish(ScanSummary(interrupted=True)) == tmp_path / "out.ndjson.partial"
    assert names(tmp_path) == ["out.ndjson.partial"]


def test_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        opened(tmp_path / "out.ndjson").finish(ScanSummary())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.ndjson").stat().st_mode) == 0o640


def test_symbolic_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.ndjson"
    link.symlink_to(tmp_path / "real" / "out.ndjson")
    opened(link).finish(ScanSummary())
    assert link.is_symlink()
    assert (tmp_path / "real" / "out.ndjson").is_file()


def test_device_is_written_directly() -> None:
    assert opened("/dev/null").finish(ScanSummary()) is None
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_standard_output_stays_open() -> None:
    stdout = io.BytesIO()
    output = opened("-", stdout=stdout)
    output.finish(ScanSummary())
    output.abandon()
    assert not stdout.closed
    assert stdout.getvalue()


def test_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file"):
        opened(tmp_path / "nowhere" / "out.ndjson")


def test_folder_is_no_file_to_write_to(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a folder"):
        opened(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_disk_is_an_output_error() -> None:
    output = opened("/dev/full")
    with pytest.raises(OutputError, match="No space left"):
        output.finish(ScanSummary())
    output.abandon()
