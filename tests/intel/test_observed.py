"""The files that say which fields hold what: right in themselves, and reachable."""

from __future__ import annotations

import pytest

from haidang.errors import ConfigurationError
from haidang.events.shapes import paths
from haidang.intel.observables import EXTRACT
from haidang.intel.observed import FACETS, FIELDS, load_fields, parse_fields
from haidang.sigma.logsource import load_maps

FILES = sorted(FIELDS.glob("*.yml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_speaks_of_routes_that_exist(path: object) -> None:
    origin, sources = parse_fields(path.read_bytes(), str(path))  # type: ignore[attr-defined] # a path
    if origin == "any":
        assert all(not source.when for source in sources)
        return
    assert path.stem == origin  # type: ignore[attr-defined] # a path
    # The first two fields of a map make the route; a condition on others would never hold.
    routed = {name for one in load_maps() if one.origin == origin for name in one.route_by[:2]}
    assert any(one.origin == origin for one in load_maps()), "an origin of its own needs a logsource map"
    for source in sources:
        assert set(source.when) <= routed
        assert source.holds


def test_what_windows_fields_hold_can_be_taken_from_undecoded_documents() -> None:
    _, sources = parse_fields((FIELDS / "windows.yml").read_bytes(), "windows.yml")
    for name in {field for source in sources for fields in source.holds.values() for field in fields}:
        assert "." not in name
        assert "{" not in name
        for shape in ("flat", "event", "winlogbeat"):
            assert paths(shape, name), (
                f"{name} has no place in {shape}: its events would all be decoded whole"
            )


def test_every_facet_is_looked_up_by_something_that_there_is() -> None:
    assert {extract for extract in FACETS.values() if extract} <= set(EXTRACT)


def test_sources_of_one_event_are_joined() -> None:
    found = load_fields().of(
        "windows", {"Channel": ("microsoft-windows-sysmon/operational",), "EventID": ("3",)}
    )
    assert found["dst_ip"] == ("DestinationIp",)
    assert load_fields().of("windows", {"Channel": ("x",), "EventID": ("3",)}) == {}
    assert "source.ip" in load_fields().anywhere()["src_ip"]


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "origin: x",
        "origin: x\nsources: [3]",
        "origin: x\nsources: [{holds: {nonsense: a}}]",
        "origin: x\nsources: []\nmore: 1",
        "a: [",
    ],
)
def test_a_file_that_is_wrong_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_fields(text.encode(), "x.yml")


def test_a_folder_is_known_where_a_file_is() -> None:
    created = {"Channel": ["microsoft-windows-sysmon/operational"], "EventID": ["11"]}
    holds = load_fields().of("windows", created)
    assert holds["folder"] == holds["file"] == ("TargetFilename",)
    assert "folder" in load_fields().anywhere()
    assert "folder" not in load_fields().of("windows", {**created, "EventID": ["22"]})
