"""From settings to indicators: files, URLs, MISP feeds."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from haidang.errors import ConfigurationError, InputError
from haidang.intel.collecting import collect, read_path
from haidang.intel.loading import load_intel
from haidang.intel.store import Source
from haidang.limits import DEFAULT_LIMITS
from tests.intel.serving import Asked, Reply, serving

if TYPE_CHECKING:
    from pathlib import Path

UUIDS = ["00000000-0000-4000-8000-00000000000" + str(at) for at in range(3)]


def feed(folder: Path) -> Path:
    """Write a MISP feed of which one event is missing and one entry is no id."""
    manifest = {uuid: {"info": f"case {uuid[-1]}"} for uuid in UUIDS}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "../../etc/passwd": {}}))
    for uuid in UUIDS[:2]:
        attribute = {"type": "domain", "value": f"n{uuid[-1]}.example", "to_ids": True}
        (folder / f"{uuid}.json").write_text(json.dumps({"Event": {"info": "x", "Attribute": [attribute]}}))
    return folder / "manifest.json"


def test_a_feed_is_read_from_a_folder_and_what_is_missing_is_named(tmp_path: Path) -> None:
    source, indicators = collect(Source("f", "", str(feed(tmp_path))), DEFAULT_LIMITS, 5)
    assert isinstance(indicators, list)
    assert [one.value for one in indicators] == ["n0.example", "n1.example"]
    assert source.kind == "misp-feed"
    assert [refused.what for refused in source.refused] == [f"{UUIDS[2]} case 2", "../../etc/passwd"]


def test_a_feed_is_read_from_a_server(tmp_path: Path) -> None:
    feed(tmp_path)

    def answer(asked: Asked) -> Reply:
        path = tmp_path / asked.path.rpartition("/")[2]
        return Reply(path.read_bytes()) if path.is_file() else Reply(status=404)

    with serving(answer) as (url, asked):
        _, indicators = collect(Source("f", "misp-feed", f"{url}/feed"), DEFAULT_LIMITS, 5)
    assert len(indicators) == 2
    assert [one.path for one in asked] == ["/feed/manifest.json", *(f"/feed/{uuid}.json" for uuid in UUIDS)]


@pytest.mark.parametrize("failure", [Reply(status=500), Reply(b'{"Event": {', length=900)])
def test_a_server_that_fails_in_the_middle_of_a_feed_ends_the_update(tmp_path: Path, failure: Reply) -> None:
    feed(tmp_path)

    def answer(asked: Asked) -> Reply:
        if asked.path.endswith(f"{UUIDS[1]}.json"):
            return failure
        return Reply((tmp_path / asked.path.rpartition("/")[2]).read_bytes())

    with serving(answer) as (url, _), pytest.raises(InputError, match=UUIDS[1]):
        collect(Source("f", "misp-feed", f"{url}/feed"), DEFAULT_LIMITS, 5)


def test_an_update_of_a_feed_fetches_only_what_changed(tmp_path: Path) -> None:
    def write(at: int, name: str, when: int) -> None:
        one = {"type": "domain", "value": name, "to_ids": True}
        other = {"type": "mutex", "value": name, "to_ids": True}
        event = {"Event": {"info": "x", "Attribute": [one, other]}}
        (tmp_path / f"{UUIDS[at]}.json").write_text(json.dumps(event))
        manifest[UUIDS[at]] = {"info": name, "timestamp": when}
        (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    manifest: dict[str, Any] = {}
    for at in range(3):
        write(at, f"n{at}.example", 100)
    with serving(lambda one: Reply((tmp_path / one.path[1:]).read_bytes())) as (url, asked):
        source = Source("f", "misp-feed", url, confidence=60)
        source, first = collect(source, DEFAULT_LIMITS, 5)
        write(1, "new.example", 200)
        del manifest[UUIDS[0]]
        write(2, "n2.example", 100)
        del asked[:]
        source, second = collect(source, DEFAULT_LIMITS, 6, before=lambda: first)  # type: ignore[arg-type,return-value]
        assert [one.path for one in asked] == ["/manifest.json", f"/{UUIDS[1]}.json"]
        del asked[:]
        for changed in ({"read_by": "0"}, {"expires_days": 5}):
            collect(msgspec.structs.replace(source, **changed), DEFAULT_LIMITS, 7, before=lambda: second)  # type: ignore[arg-type,return-value]
        assert len(asked) == 6, "another version reads all, and so does who lets indicators end"
    assert isinstance(second, list)
    assert [(one.value, one.confidence) for one in second] == [("new.example", 60), ("n2.example", 60)]
    assert source.counts == {"attributes of the type mutex cannot be looked for": 2}
    assert {one.what for one in source.refused} >= {"new.example", "n2.example"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "were before"),
        (b"nothing here today\n", "were before"),
        (b"\n<!DOCTYPE html><p>a.example", "a web page"),
    ],
)
def test_an_update_that_brings_nothing_does_not_replace_what_was_there(answer: bytes, reason: str) -> None:
    bodies = [b"evil.example\n", answer]
    with serving(lambda _: Reply(bodies.pop(0))) as (url, _):
        source, _ = collect(Source("u", "", url), DEFAULT_LIMITS, 5)
        with pytest.raises(InputError, match=reason):
            collect(source, DEFAULT_LIMITS, 6)


def test_a_table_of_excel_is_asked_for_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(_zipped("[Content_Types].xml", "xl/workbook.xml"))
    with pytest.raises(InputError, match="Office") as caught:
        collect(Source("x", "", str(path)), DEFAULT_LIMITS, 5)
    assert "CSV" in caught.value.hint


def test_a_folder_is_told_by_what_lies_in_it(tmp_path: Path) -> None:
    for name in ("feed", "known", "else"):
        (tmp_path / name).mkdir()
    feed(tmp_path / "feed")
    (tmp_path / "known" / "list.json").write_text('{"name": "n", "type": "cidr", "version": 1, "list": []}')
    found = [collect(Source("x", "", str(tmp_path / one)), DEFAULT_LIMITS, 5)[0] for one in ("feed", "known")]
    assert [one.kind for one in found] == ["misp-feed", "warninglist"]
    with pytest.raises(InputError, match="a folder"):
        collect(Source("x", "", str(tmp_path / "else")), DEFAULT_LIMITS, 5)


def _zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"evil.example\n" * 1000)
    return out.getvalue()


@pytest.mark.parametrize(
    "data", [gzip.compress(b"evil.example\n" * 1000), _zipped("full.csv")], ids=["gzip", "zip"]
)
def test_what_comes_in_gzip_or_a_zip_of_one_file_is_unpacked_within_bounds(
    tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "full.zip"
    path.write_bytes(data)
    assert collect(Source("x", "", str(path)), DEFAULT_LIMITS, 5)[0].indicators == 1000
    with pytest.raises(InputError, match="larger"):
        collect(Source("x", "", str(path)), replace(DEFAULT_LIMITS, intel_file_bytes=5000), 5)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError):
        collect(Source("x", "", str(path)), DEFAULT_LIMITS, 5)


def test_a_zip_of_several_files_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "full.zip"
    path.write_bytes(_zipped("a", "b"))
    with pytest.raises(InputError, match="2 files"):
        collect(Source("x", "", str(path)), DEFAULT_LIMITS, 5)


def test_an_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text('{"Event": {"Attribute": [')
    with pytest.raises(InputError, match=r"event\.json: not valid JSON"):
        collect(Source("x", "misp", str(path)), DEFAULT_LIMITS, 5)


def test_intel_pages_bounds_a_feed(tmp_path: Path) -> None:
    limits = replace(DEFAULT_LIMITS, intel_pages=1)
    source, indicators = collect(Source("f", "", str(feed(tmp_path))), limits, 5)
    assert len(indicators) == 1
    assert sum(source.counts.values()) == 3


@pytest.mark.parametrize("content", ["[]", "{"])
def test_a_manifest_that_is_none_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError):
        collect(Source("f", "misp-feed", str(tmp_path)), DEFAULT_LIMITS, 5)


def test_a_list_behind_a_url_is_fetched_and_recognised() -> None:
    with serving(lambda _: Reply(b"evil.example\n")) as (url, _):
        source, indicators = collect(Source("u", "", url), DEFAULT_LIMITS, 5)
    assert (source.kind, source.updated, len(indicators)) == ("list", 5, 1)


def test_a_warninglist_is_recognised_and_kept_as_it_came(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text('{"name": "n", "type": "cidr", "version": 1, "list": ["x"]}')
    source, body = collect(Source("w", "", str(path)), DEFAULT_LIMITS, 5)
    assert source.kind == "warninglist"
    assert body == path.read_bytes()
    assert [refused.what for refused in source.refused] == ["x"]


def test_files_that_cannot_be_used_are_errors(tmp_path: Path) -> None:
    unknown = tmp_path / "x.bin"
    unknown.write_bytes(b"\0\1\2nothing that anyone knows")
    large = tmp_path / "large.txt"
    large.write_text("evil.example\n")
    with pytest.raises(InputError, match="not recognised"):
        read_path(str(unknown), DEFAULT_LIMITS, 5)
    with pytest.raises(InputError):
        read_path(str(tmp_path / "none"), DEFAULT_LIMITS, 5)
    with pytest.raises(InputError, match="larger"):
        read_path(str(large), replace(DEFAULT_LIMITS, intel_file_bytes=3), 5)
    with pytest.raises(ConfigurationError, match="no format"):
        collect(Source("x", "other", str(large)), DEFAULT_LIMITS, 5)


def test_a_taxii_source_has_an_address() -> None:
    with pytest.raises(ConfigurationError):
        collect(Source("x", "taxii", "/a/file"), DEFAULT_LIMITS, 5)


def test_a_program_loads_files_and_opens_no_connection(tmp_path: Path) -> None:
    path = tmp_path / "l.txt"
    path.write_text("evil.example\n")
    assert load_intel(path).index.rows_of(["d:evil.example"]) == (0,)
    with pytest.raises(ConfigurationError, match="no network"):
        load_intel("https://feeds.example/x")
