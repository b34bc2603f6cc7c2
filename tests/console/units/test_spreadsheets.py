"""Assets as CSV: what is wrong is named by its line, and nothing is half-written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from haidang.console.audit.models import Entry
from haidang.console.people.models import User
from haidang.console.people.refusals import RefusedError
from haidang.console.units.models import Asset, AssetName
from haidang.console.units.spreadsheets import (
    MOST_BYTES,
    MOST_LINES,
    read_assets,
    take_assets,
    write_assets,
)
from tests.console.requests import request_of

if TYPE_CHECKING:
    from haidang.console.units.models import Unit

HEADING = "unit,name,owner,criticality,hosts,networks,domains,note\n"


@pytest.fixture
def lead(db: None) -> User:
    return User.objects.create(username="lead", role="lead")


def taken(lead: User, text: str) -> None:
    take_assets(request_of(lead), (HEADING + text).encode())


def errors(lead: User, text: str) -> list[int]:
    return [number for number, _ in read_assets(lead, (HEADING + text).encode()).errors]


def test_what_is_written_is_read_back_as_it_is(lead: User, hospital: Unit) -> None:
    taken(lead, 'BV,PACS,"Khoa, CĐHA",4,pacs01 PACS02,10.1.2.3 10.2.0.0/16,pacs.bv.vn,"hai\ndòng"\n')
    asset = Asset.objects.get()
    assert (asset.unit, asset.owner, asset.criticality) == (hospital, "Khoa, CĐHA", 4)
    assert set(AssetName.objects.values_list("kind", "value")) == {
        ("host", "pacs01"),
        ("host", "pacs02"),
        ("network", "10.1.2.3/32"),
        ("network", "10.2.0.0/16"),
        ("domain", "pacs.bv.vn"),
    }
    before = Entry.objects.count()
    text = "".join(write_assets(Asset.objects.select_related("unit").prefetch_related("names")))
    sheet = take_assets(request_of(lead), text.encode())
    assert [line.same for line in sheet.lines] == [True]
    assert Entry.objects.count() == before


def test_a_line_of_a_known_asset_changes_it(lead: User, hospital: Unit) -> None:
    taken(lead, "BV,PACS,A,1,a,,,\n")
    taken(lead, "BV,PACS,B,2,b,,,\n")
    asset = Asset.objects.get()
    assert (asset.owner, asset.criticality) == ("B", 2)
    assert [name.value for name in asset.names.all()] == ["b"]


def test_lines_that_are_wrong_are_named_and_nothing_is_taken(lead: User, hospital: Unit) -> None:
    text = (
        "BV,good,,,,,,\n"  # line 2
        "XX,a,,,,,,\n"
        "BV,,,,,,,\n"
        "BV,b,,5,,,,\n"
        'BV,c,"x\ny",,,10.0.0.0/99,,\n'  # line 6, and 7
        "BV,good,,,,,,\n"  # line 8
        "BV,d,,,,,,,more\n"
        "BV,e,,,h1,,,\n"
        "BV,f,,,h1,,,\n"
    )
    assert errors(lead, text) == [3, 4, 5, 6, 8, 9, 11]
    with pytest.raises(RefusedError) as caught:
        taken(lead, text)
    assert "line 3" in caught.value.errors
    assert not Asset.objects.exists()


def test_a_name_of_another_asset_is_refused(lead: User, hospital: Unit, school: Unit) -> None:
    taken(lead, "BV,a,,,h1,,,\n")
    assert errors(lead, "GD,b,,,h1,,,\n") == [2]


def test_a_line_for_a_foreign_unit_is_as_if_there_were_none(hospital: Unit, school: Unit) -> None:
    bound = User.objects.create(username="lead", role="lead", unit=hospital)
    assert errors(bound, "BV,a,,,,,,\nGD,b,,,,,,\n") == [3]


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(lead: User, hospital: Unit) -> None:
    taken(lead, "BV,=1+1,@x,,,,,-2\n")
    asset = Asset.objects.get()
    assert (asset.name, asset.owner, asset.note) == ("=1+1", "@x", "-2")
    text = "".join(write_assets(Asset.objects.select_related("unit").prefetch_related("names")))
    assert "'=1+1,'@x" in text
    take_assets(request_of(lead), text.encode())
    assert Asset.objects.get() == asset


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"name\nx\n",
        b"unit,name,colour\nBV,x,red\n",
        b"unit,name,name\nBV,x,y\n",
        "unit,name\nBV,bệnh viện\n".encode("utf-16"),
        b"unit,name\nBV," + b"x" * 200_000,
        b"unit,name\n" + b"BV,x\n" * (MOST_LINES + 1),
        b"x" * (MOST_BYTES + 1),
    ],
    ids=["empty", "no-unit", "unknown", "twice", "utf-16", "long-field", "long", "large"],
)
def test_a_file_that_is_none_is_refused(lead: User, hospital: Unit, data: bytes) -> None:
    with pytest.raises(RefusedError):
        read_assets(lead, data)


def test_semicolons_between_cells_are_understood(lead: User, hospital: Unit) -> None:
    sheet = read_assets(lead, "\ufeffunit;name;owner\r\nBV;PACS;A, B\r\n".encode())
    assert sheet.lines[0].values["owner"] == "A, B"
