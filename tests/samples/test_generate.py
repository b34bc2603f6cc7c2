"""The sample logs are what the script writes, and the world that they show is consistent."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from samples.generate import DAMAGED, make

LOGS = Path(__file__).resolve().parents[2] / "samples" / "logs"


def expand(name: str, content: bytes) -> dict[str, bytes]:
    """Return the files inside; two zlibs may pack the same bytes differently; what is inside counts."""
    if name.endswith(".zip"):
        with ZipFile(io.BytesIO(content)) as archive:
            return {f"{name}!{member}": archive.read(member) for member in archive.namelist()}
    if name.endswith(".gz") and name != DAMAGED:
        return {name: gzip.decompress(content)}
    return {name: content}


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return {inner: data for name, content in make().items() for inner, data in expand(name, content).items()}


def json_lines(made: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in made[name].splitlines()]


def table(made: dict[str, bytes], name: str) -> list[dict[str, str]]:
    lines = made[f"zeek/{name}.log"].decode().splitlines()
    names = next(line for line in lines if line.startswith("#fields")).split("\t")[1:]
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines if not line.startswith("#")]


def test_checked_in_logs_are_what_the_script_writes(made: dict[str, bytes]) -> None:
    stored: dict[str, bytes] = {}
    for path in LOGS.rglob("*"):
        if path.is_file():
            stored |= expand(path.relative_to(LOGS).as_posix(), path.read_bytes())
    assert sorted(stored) == sorted(made)
    assert [name for name in made if stored[name] != made[name]] == []


def test_stays_small_and_large_enough_to_mean_something(made: dict[str, bytes]) -> None:
    assert sum(map(len, made.values())) < 4_000_000
    assert sum(content.count(b"\n") for content in made.values()) > 4_000


def test_damaged_file_breaks_off_in_the_middle(made: dict[str, bytes]) -> None:
    expander = zlib.decompressobj(wbits=31)
    assert expander.decompress(made[DAMAGED]).count(b"\n") > 20
    assert not expander.eof


def test_every_process_has_one_image_and_one_number(made: dict[str, bytes]) -> None:
    seen: dict[str, set[tuple[str, str]]] = {}
    for line in json_lines(made, "VP-PC-017/sysmon.ndjson.gz"):
        data = line["winlog"]["event_data"]
        for prefix in ("", "Source", "Target", "Parent"):
            guid = data.get(f"{prefix}ProcessGuid") or data.get(f"{prefix}ProcessGUID")
            if guid:
                image = data["Image" if not prefix else f"{prefix}Image"]
                seen.setdefault(guid, set()).add((image, data[f"{prefix}ProcessId"]))
    assert len(seen) > 100
    assert [guid for guid, names in seen.items() if len(names) != 1] == []


def test_sysmon_speaks_of_processes_that_run(made: dict[str, bytes]) -> None:
    ended = set()
    for line in json_lines(made, "VP-PC-017/sysmon.ndjson.gz"):
        data = line["winlog"]["event_data"]
        assert data.get("ProcessGuid", data.get("SourceProcessGUID")) not in ended
        if line["winlog"]["event_id"] == "5":
            ended.add(data["ProcessGuid"])
    assert len(ended) > 50


@pytest.mark.parametrize("name", ["VP-PC-017/sysmon.ndjson.gz", "VP-PC-017/security.ndjson"])
def test_record_numbers_follow_time(made: dict[str, bytes], name: str) -> None:
    events = [(line["winlog"]["record_id"], line["@timestamp"]) for line in json_lines(made, name)]
    first = events[0][0]
    assert [number for number, _ in events] == list(range(first, first + len(events)))
    assert [time for _, time in events] == sorted(time for _, time in events)


def test_sessions_end_only_after_they_began(made: dict[str, bytes]) -> None:
    open_sessions = set()
    for line in json_lines(made, "HV-DC01/windows-events.zip!Security.json"):
        event, data = line["Event"]["System"]["EventID"], line["Event"].get("EventData", {})
        if event == 4624:
            open_sessions.add((data["TargetUserName"], data["TargetLogonId"]))
        elif event in {4634, 5140, 5145}:
            prefix = "Target" if event == 4634 else "Subject"
            assert (data[f"{prefix}UserName"], data[f"{prefix}LogonId"]) in open_sessions


def test_every_entry_of_the_sensor_has_its_connection(made: dict[str, bytes]) -> None:
    connections = {entry["uid"]: entry for entry in table(made, "conn")}
    entries = [entry for name in ("dns", "smb_files", "dce_rpc") for entry in table(made, name)]
    entries += json_lines(made, "zeek/http.json")
    for entry in entries:
        connection = connections[entry["uid"]]
        assert all(
            str(entry[end]) == connection[end] for end in ("id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
        )


def test_audit_arguments_and_title_say_the_same(made: dict[str, bytes]) -> None:
    titles: dict[str, str] = {}
    for line in reversed(made["HV-WEB01/audit.log"].decode().splitlines()):
        serial = line.split(" msg=audit(")[1].split(")")[0]
        if " type=PROCTITLE" in line:
            titles[serial] = decoded(line.split("proctitle=")[1]).replace("\0", " ")
        elif " type=EXECVE" in line:
            values = re.findall(r' a\d+=("[^"]*"|[0-9A-F]+)', line)
            assert titles[serial].startswith(" ".join(map(decoded, values))[:120])
    assert len(titles) > 100


def decoded(value: str) -> str:
    return value[1:-1] if value.startswith('"') else bytes.fromhex(value).decode()
