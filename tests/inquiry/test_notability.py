"""The data files that say what is notable, and the templates in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers import readers
from haidang.inquiry.notability import NOTABLE, load_product, products
from haidang.sigma.logsource import load_maps
from haidang.sigma.yaml_source import documents

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(NOTABLE.glob("*.yml"))
KEYS = {"kind", "title", "when", "where", "unless", "match", "user", "host", "text", "once", "session"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_entry_says_what_it_must_and_nothing_that_nobody_reads(path: Path) -> None:
    (read,) = documents(path.read_bytes())
    assert set(read) <= {"origin", "by", "sessions", "notable"}
    assert read["notable"]
    for entry in read["notable"]:
        assert set(entry) <= KEYS, entry
        assert set(entry["when"]) == set(read["by"]), entry
        assert set(entry["title"]) == {"en", "vi"}, entry
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", entry["kind"]), entry
        assert entry["text"], entry


def test_a_kind_has_one_title_in_a_product() -> None:
    for path in FILES:
        (read,) = documents(path.read_bytes())
        titles: dict[str, Any] = {}
        for entry in read["notable"]:
            assert titles.setdefault(entry["kind"], entry["title"]) == entry["title"], (
                path.stem,
                entry["kind"],
            )


def test_every_origin_is_one_that_a_reader_a_shape_or_a_map_hands_over() -> None:
    known = {origin.name for reader in readers().values() for origin in reader.origins} | {"windows"}
    known |= {one.origin for one in load_maps()}
    assert set(products()) <= known
    assert len(products()) == len(FILES)


PRODUCT = rb"""
origin: x
by: [kind]
sessions: {fields: {one: [a, b]}, ignore: ['0']}
notable:
  - kind: first
    title: {en: First, vi: First}
    when: {kind: [one, two]}
    where: {state: ['ok*', '*fine', done]}
    unless: {user: [nobody]}
    match: {field: text, pattern: 'by (?P<who>\S+)'}
    text: '{who}'
"""


def test_an_entry_takes_events_by_all_of_its_conditions() -> None:
    made = load_product(PRODUCT)
    event = {"kind": "ONE", "state": "okay", "text": "done by lan"}
    (entry,) = made.entries_for(event)
    accepted = entry.accept(event)
    assert accepted is not None
    assert entry.text.fill(accepted) == "lan"
    assert entry.accept({**event, "state": "very FINE"}) is not None
    assert entry.accept({**event, "state": "Done"}) is not None
    assert entry.accept({**event, "state": "bad"}) is None
    assert entry.accept({**event, "user": "Nobody"}) is None
    assert entry.accept({**event, "text": "by"}) is None
    assert entry.accept({**event, "text": "by \ud800"}) is None
    assert not made.entries_for({**event, "kind": "three"})
    assert made.entries_for({**event, "kind": ["three", "two"]}) == [entry]


def test_session_ids_are_compared_in_one_form_and_some_are_nobodys() -> None:
    made = load_product(PRODUCT)
    assert made.sessions_of({"kind": "one", "a": "0xAB", "b": "0"}) == ("0xab",)
    assert made.sessions_of({"kind": "two", "a": "0xAB"}) == ()


def test_an_entry_for_any_value_is_looked_at_last() -> None:
    made = load_product(
        b"origin: x\nby: [kind]\nnotable:\n"
        b"  - {kind: any, title: {en: A, vi: A}, when: {kind: '*'}, text: '{kind}'}\n"
        b"  - {kind: one, title: {en: O, vi: O}, when: {kind: [one, two]}, text: '{kind}'}\n"
    )
    assert [entry.kind for entry in made.entries_for({"kind": "One"})] == ["one", "any"]
    assert [entry.kind for entry in made.entries_for({"kind": ["x", "two"]})] == ["one", "any"]
    assert [entry.kind for entry in made.entries_for({})] == ["any"]


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.31.255.1", True),
        ("172.32.0.1", False),
        ("192.168.1.1", True),
        ("fd00::1", True),
        ("203.0.113.9", False),
        ("2001:db8::1", False),
        ("", False),
    ],
)
def test_inside_is_what_private_networks_have(address: str, *, is_inside: bool) -> None:
    made = load_product(
        b"origin: x\nby: []\nnotable:\n"
        b"  - {kind: a, title: {en: A, vi: A}, when: {}, where: {ip: <inside>}, text: '{ip}'}\n"
    )
    (entry,) = made.entries_for({"ip": address})
    assert (entry.accept({"ip": address}) is not None) == is_inside


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("SSL VPN Authentication", "'*VPN*'"),
        ("VPN", "'*VPN*'"),
        ("User ha logged in", "'*logged in'"),
        ("Admin login", "Admin*"),
        ("anything", "'*'"),
    ],
)
def test_a_star_stands_at_either_end_or_both(value: str, wanted: str) -> None:
    entry = f"{{kind: a, title: {{en: A, vi: A}}, when: {{}}, where: {{said: {wanted}}}, text: '{{said}}'}}"
    made = load_product(f"origin: x\nby: []\nnotable:\n  - {entry}\n".encode())
    assert made.entries[0].accept({"said": value}) is not None
    for other in ("", "vp", "logged in, then out", "an admin"):
        assert (made.entries[0].accept({"said": other}) is not None) == (wanted == "'*'" and bool(other))


def test_a_star_inside_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere else"):
        load_product(
            b"origin: x\nby: []\nnotable:\n"
            b"  - {kind: a, title: {en: A, vi: A}, when: {}, where: {said: 'delete*log'}, text: '{said}'}\n"
        )


NAMES = {
    path.stem: sorted(set(re.findall(r"[\w.@-]*[\w](?=[|}:\]])", path.read_text("utf-8")))) for path in FILES
}


@given(
    st.sampled_from(FILES),
    st.recursive(
        st.none() | st.text(max_size=12) | st.integers() | st.booleans() | st.just("\ud800"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=6,
    ),
)
def test_whatever_the_fields_of_an_event_hold_is_survived(path: Path, value: Any) -> None:
    made = load_product(path.read_bytes())
    event = dict.fromkeys(NAMES[path.stem], value)
    made.sessions_of(event)
    for entry in (*made.entries_for(event), *made.entries):
        accepted = entry.accept(event)
        for template in (entry.text, entry.user, entry.source):
            template.fill(accepted or event)
