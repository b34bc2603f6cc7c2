"""The log of an authority shows whatever is done to it behind its back."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.pki.authority import OpenAuthority, open_authority
from haidang.crypto.pki.ledger import audit
from haidang.errors import AuthorityError, HaidangError
from tests.crypto.pki.authorities import authorities, order
from tests.crypto.small_pki import MOMENT

if TYPE_CHECKING:
    from pathlib import Path

ALTERATIONS = {
    "an entry is altered": "UPDATE log SET entry = CAST(replace(entry, 'person', 'server') AS BLOB)",
    "an entry is taken away": "DELETE FROM log WHERE number = 2",
    "the last entry is cut off": "DELETE FROM log WHERE number = (SELECT max(number) FROM log)",
    "the end is cut off with its checkpoints": "DELETE FROM log WHERE number > 2;"
    " DELETE FROM checkpoints WHERE size > 3",
    "an entry is added": "INSERT INTO log SELECT max(number) + 1, x'7b7d' FROM log",
    "two entries change places": "UPDATE log SET number = 99 WHERE number = 2;"
    " UPDATE log SET number = 2 WHERE number = 3; UPDATE log SET number = 3 WHERE number = 99",
    "a certificate is taken away": "PRAGMA foreign_keys = OFF; DELETE FROM certificates WHERE rowid = 1",
    "a certificate is altered": "UPDATE certificates SET der = CAST(der || x'00' AS BLOB) WHERE rowid = 1",
    "a recipient is exchanged": "UPDATE certificates SET recipient = 'age1other' WHERE rowid = 1",
    "a revocation is taken away": "DELETE FROM revocations",
    "a revocation's reason is altered": "UPDATE revocations SET reason = 'superseded'",
    "a revocation is put in": "INSERT INTO revocations SELECT serial, '2026-11-01T08:00:00Z', 'superseded'"
    " FROM certificates WHERE serial NOT IN (SELECT serial FROM revocations)",
    "a list is taken away": "DELETE FROM crls",
    "the authority's certificate is exchanged": "UPDATE facts SET value = '' WHERE name = 'chain:first'",
    "a checkpoint is altered": "UPDATE checkpoints SET note ="
    " CAST(replace(note, 'haidang', 'haidanG') AS BLOB)",
}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> OpenAuthority:
    """An authority that has done a few things."""
    both = authorities(tmp_path_factory.mktemp("busy"))
    both.issuing.issue(order("Ánh"), now=MOMENT)
    both.issuing.issue(order("Bình"), now=MOMENT)
    both.issuing.revoke("Ánh", "keyCompromise", now=MOMENT)
    return both.issuing


def copied(busy: OpenAuthority, place: Path) -> Path:
    shutil.copytree(busy.authority.folder, place / "copy")
    return place / "copy"


def test_what_nobody_touched_holds(busy: OpenAuthority) -> None:
    found = audit(busy.records, [busy.records.last_checkpoint()])
    assert found.holds
    assert found.reasons == ()


@pytest.mark.parametrize("what", ALTERATIONS)
def test_it_is_found_when(what: str, busy: OpenAuthority, tmp_path: Path) -> None:
    checkpoint = busy.records.last_checkpoint()
    folder = copied(busy, tmp_path)
    with sqlite3.connect(folder / "authority.db") as connection:
        connection.executescript(ALTERATIONS[what])
    connection.close()
    authority = open_authority(folder)
    assert not audit(authority.records, [checkpoint]).holds


def test_records_of_another_kind_are_damage(busy: OpenAuthority, tmp_path: Path) -> None:
    folder = copied(busy, tmp_path)
    with sqlite3.connect(folder / "authority.db") as connection:
        connection.executescript("UPDATE log SET entry = 'text' WHERE number = 1")
    connection.close()
    with pytest.raises(AuthorityError, match="not of its kind"):
        audit(open_authority(folder).records)


def test_nothing_is_done_on_an_altered_log(busy: OpenAuthority, tmp_path: Path) -> None:
    folder = copied(busy, tmp_path)
    with sqlite3.connect(folder / "authority.db") as connection:
        connection.executescript(ALTERATIONS["an entry is altered"])
    connection.close()
    before = (folder / "authority.db").read_bytes()
    with pytest.raises(AuthorityError, match="log of the authority was altered"):
        OpenAuthority(open_authority(folder), busy._keys).issue(order(), now=MOMENT)
    assert (folder / "authority.db").read_bytes() == before


def test_an_older_copy_is_found_by_a_checkpoint_that_was_kept(busy: OpenAuthority, tmp_path: Path) -> None:
    folder = copied(busy, tmp_path)
    went_on = OpenAuthority(open_authority(folder), busy._keys)
    went_on.issue(order("Chi"), now=MOMENT)
    kept = went_on.records.last_checkpoint()
    # The folder as it was before is sound in itself; only who kept the later checkpoint can tell.
    assert audit(busy.records).holds
    found = audit(busy.records, [kept])
    assert [reason.code for reason in found.reasons] == ["log-cut"]


def test_a_history_that_was_rewritten_with_the_key_is_found_by_a_kept_checkpoint(
    busy: OpenAuthority, tmp_path: Path
) -> None:
    one, two = copied(busy, tmp_path), tmp_path / "two"
    shutil.copytree(one, two)
    histories = [OpenAuthority(open_authority(folder), busy._keys) for folder in (one, two)]
    for name, history in zip(("Chi", "Dũng"), histories, strict=True):
        history.issue(order(name), now=MOMENT)
    found = audit(histories[0].records, [histories[1].records.last_checkpoint()])
    assert [reason.code for reason in found.reasons] == ["log-altered"]


def test_a_checkpoint_of_another_authority_is_no_evidence(busy: OpenAuthority, tmp_path: Path) -> None:
    other = authorities(tmp_path).root
    found = audit(busy.records, [other.records.last_checkpoint(), b"nothing"])
    assert [reason.code for reason in found.reasons] == ["checkpoint-unsound"] * 2


@settings(max_examples=40)
@given(data=st.data())
def test_no_flipped_byte_of_the_file_crashes_or_passes_as_another_history(
    data: st.DataObject, busy: OpenAuthority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = copied(busy, tmp_path_factory.mktemp("flipped"))
    path = folder / "authority.db"
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    before = [entry for _, entry in busy.records.entries()]
    try:
        authority = open_authority(folder)
        holds = audit(authority.records, [busy.records.last_checkpoint()]).holds
        entries = [entry for _, entry in authority.records.entries()]
    except HaidangError:
        return
    assert not holds or entries == before
