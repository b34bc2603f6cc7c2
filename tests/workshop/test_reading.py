"""Events are handed over as a scan sees them: wrappers off, shapes flattened, families told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from haidang.detect.origins import Recogniser
from haidang.errors import InputError
from haidang.sigma.logsource import load_maps
from haidang.workshop.reading import event_at, read_events

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.events.model import FileReport

recognise = Recogniser((m.origin, names) for m in load_maps() for names in m.recognise).origin
RAW = {"Event": {"System": {"Channel": "Security", "EventID": 4624}, "EventData": {"LogonType": 3}}}


def test_flattens_windows_events_and_names_their_family(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f"{json.dumps(RAW)}\n\n{json.dumps({'_source': RAW})}\n", encoding="utf-8")
    found = list(read_events([str(path)], recognise))
    assert [(one.record, one.origin) for one in found] == [(1, "windows"), (3, "windows")]
    assert all(one.event["LogonType"] == 3 for one in found)


def test_gives_lines_of_other_formats_with_the_family_of_their_reader(tmp_path: Path) -> None:
    path = tmp_path / "auth.log"
    path.write_text("<38>1 2026-11-30T01:02:03Z host sshd 1 - - Failed password\n" * 3, encoding="utf-8")
    assert {one.origin for one in read_events([str(path)], recognise)} == {"syslog"}


def test_gives_the_account_of_what_could_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(f"{json.dumps(RAW)}\n{{broken\n{json.dumps(RAW)}\n", encoding="utf-8")
    reports: list[FileReport] = []
    assert len(list(read_events([str(path)], recognise, reports=reports))) == 2
    (report,) = reports
    assert (report.records, report.skipped) == (2, 1)


def test_finds_a_record_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("".join(f'{{"n": {n}}}\n' for n in range(1, 4)), encoding="utf-8")
    assert event_at(str(path), recognise).event == {"n": 1}
    assert event_at(f"{path}#3", recognise).event == {"n": 3}
    with pytest.raises(InputError, match="no record 4"):
        event_at(f"{path}#4", recognise)
    with pytest.raises(InputError):
        event_at(str(tmp_path / "gone"), recognise)
