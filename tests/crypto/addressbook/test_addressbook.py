"""The address book: signed by an authority, checked on an air-gapped machine, never silently older."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import msgspec
import pytest
from pyhanko.sign.timestamps.common_utils import TimestampRequestError

from haidang.crypto.addressbook import (
    AddressBook,
    build_book,
    check_book,
    import_book,
    open_book,
    open_checked,
    publish,
)
from haidang.crypto.addressbook.book import FILE, MOST_AUTHORITIES, decode_book, encode_book
from haidang.crypto.certificates import fingerprint
from haidang.crypto.files import write_whole
from haidang.crypto.home import Home
from haidang.crypto.pki.identities import NewIdentity, issue_identity
from haidang.crypto.pki.issuing import subject_name
from haidang.crypto.pki.ledger import audit, decode_entry
from haidang.crypto.pki.requests import alternative_names
from haidang.crypto.sealing.keys import load_sealing_key
from haidang.crypto.signers import Signatory, load_signatory
from haidang.crypto.signing.asic import Item, write_container
from haidang.crypto.trust import Trust, load_trust
from haidang.errors import AuthorityError, HaidangError, InputError, SigningError
from tests.crypto.pki.authorities import authorities
from tests.crypto.small_pki import MOMENT, PASSPHRASE, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

DAY = dt.timedelta(days=1)


class Scene:
    """An authority with two people and a server, its book, and a machine without a network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.both = authorities(folder)
        self.people = Home(folder / "people")
        self.air_gapped = Home(folder / "air-gapped")
        self.book = folder / "so.asice"
        for name, profile in (("Nguyễn Thị Ánh", "person"), ("Phòng Tổ chức", "unit")):
            self.issue(name, profile)
        self.both.issuing.publish_crl(now=MOMENT)

    def issue(self, name: str, profile: str) -> None:
        wanted = NewIdentity(
            name.replace(" ", "-"),
            subject_name({"C": "VN", "O": "Sở Y tế", "OU": "Phòng Văn thư", "CN": name}),
            sealing=profile != "server",
            names=alternative_names(["so.example.vn"], ["anh@so.example.vn"]),
        )
        issue_identity(
            self.both.issuing, self.people, wanted, PASSPHRASE, profile=profile, days=None, now=MOMENT
        )

    def publish(self, now: dt.datetime = MOMENT) -> AddressBook:
        return publish(self.both.issuing, self.book, now=now, replace=True)

    @property
    def root(self) -> str:
        return fingerprint(self.both.root.authority.chain()[0])

    @property
    def trust(self) -> Trust:
        return Trust(anchors=tuple(self.both.root.authority.chain()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("addressbook"))
    scene.publish()
    return scene


def test_a_machine_without_network_needs_book_and_fingerprint_alone(made: Scene, tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert not import_book(home, made.book, now=MOMENT).holds
    assert not home.address_book.exists()
    assert import_book(home, made.book, now=MOMENT, root=made.root).holds
    book = open_book(home)
    assert book is not None
    assert [entry.name for entry in book.entries] == ["Nguyễn Thị Ánh", "Phòng Tổ chức"]
    assert [len(part) for part in load_trust(home.trust)] == [1, 1, 2, 0]
    assert import_book(home, made.book, now=MOMENT).holds


def test_the_book_leads_to_the_key_that_opens(made: Scene) -> None:
    book = build_book(made.both.issuing.authority, 1, now=MOMENT)
    (recipient,) = book.recipients("Phòng Tổ chức")
    key = load_sealing_key(made.people.identity("Phòng-Tổ-chức").sealing_key, PASSPHRASE)
    assert recipient.key == key.recipient
    signatory = load_signatory(made.people.identity("Phòng-Tổ-chức"), PASSPHRASE)
    assert recipient.certificate == fingerprint(signatory.certificate)
    assert recipient.valid_until == signatory.certificate.not_valid_after_utc
    assert book.recipients("Nobody") == []


def test_it_says_who_vouches_and_how_old_it_is(made: Scene) -> None:
    book = build_book(made.both.issuing.authority, 1, now=MOMENT)
    assert {entry.vouched_by for entry in book.entries} == {"Cấp phát"}
    assert book.age(MOMENT + 12 * DAY).days == 12


@pytest.mark.parametrize("words", ["nguyen anh", "ÁNH", "anh@so", "van thu anh", "to chuc", "Tổ CHỨC"])
def test_it_is_searched_without_accents(words: str, made: Scene) -> None:
    book = build_book(made.both.issuing.authority, 1, now=MOMENT)
    assert len(book.search(words)) in {1, 2}
    assert book.search(f"{words} xyz") == []


def test_who_was_revoked_ended_or_is_a_server_is_not_in_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.issue("so.example.vn", "server")
    scene.both.issuing.revoke("Nguyễn Thị Ánh", "keyCompromise", now=MOMENT)
    book = build_book(scene.both.issuing.authority, 1, now=MOMENT)
    assert [entry.name for entry in book.entries] == ["Phòng Tổ chức"]
    assert build_book(scene.both.issuing.authority, 1, now=MOMENT + 3000 * DAY).entries == ()


def test_a_renewed_certificate_stands_in_it_once(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.both.issuing.renew("Nguyễn Thị Ánh", now=MOMENT)
    (entry,) = build_book(scene.both.issuing.authority, 1, now=MOMENT).search("anh nguyen")
    assert [len(entry.certificates), len(entry.sealing)] == [1, 1]


def test_who_was_revoked_since_is_left_out_when_the_list_is_known(tmp_path: Path) -> None:
    from haidang.crypto.pki.identities import accept_crls

    scene = Scene(tmp_path)
    scene.publish()
    import_book(scene.air_gapped, scene.book, now=MOMENT, root=scene.root)
    book = open_book(scene.air_gapped)
    assert book is not None
    assert book.recipients("Nguyễn Thị Ánh")
    accept_crls(scene.air_gapped, [scene.both.issuing.revoke("Nguyễn Thị Ánh", "keyCompromise", now=MOMENT)])
    book = open_book(scene.air_gapped)
    assert book is not None
    assert not book.recipients("Nguyễn Thị Ánh")
    assert book.recipients("Phòng Tổ chức")


def test_an_older_book_is_refused_unless_asked_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish()
    old = tmp_path / "old.asice"
    shutil.copy(scene.book, old)
    assert scene.publish(MOMENT + DAY).number == 2
    import_book(scene.air_gapped, scene.book, now=MOMENT + DAY, root=scene.root)
    before = scene.air_gapped.address_book.read_bytes()
    with pytest.raises(AuthorityError, match="newer"):
        import_book(scene.air_gapped, old, now=MOMENT + DAY)
    assert scene.air_gapped.address_book.read_bytes() == before
    assert import_book(scene.air_gapped, old, now=MOMENT + DAY, allow_older=True).holds
    assert scene.air_gapped.address_book.read_bytes() == old.read_bytes()


def test_that_it_was_published_is_in_the_log(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish()
    entry = decode_entry(scene.both.issuing.records.entries()[-1][1])
    assert (entry["act"], entry["number"]) == ("addressbook", 1)
    assert audit(scene.both.issuing.records).holds


def test_an_old_book_still_opens_where_it_was_taken(made: Scene, tmp_path: Path) -> None:
    home = Home(tmp_path)
    import_book(home, made.book, now=MOMENT, root=made.root)
    # Opening asks no clock: its lists run out, its age is shown.
    assert open_book(home) is not None


def test_a_book_whose_lists_ran_out_is_not_taken(made: Scene, tmp_path: Path) -> None:
    checked = import_book(Home(tmp_path), made.book, now=MOMENT + 400 * DAY, root=made.root)
    assert not checked.holds
    assert checked.verdict.indication == "INDETERMINATE"


def signed_by(signatory: Signatory, content: bytes, path: Path, name: str = FILE) -> Path:
    stream = io.BytesIO()
    write_container(stream, [Item(name, content, MOMENT)], signatory, now=MOMENT)
    write_whole(path, stream.getvalue())
    return path


class NoStamper:
    """A time stamping authority that is out of reach."""

    async def async_timestamp(self, *_: object) -> object:
        raise TimestampRequestError("out of reach")


def stamped_scene(folder: Path) -> Scene:
    """Return a scene whose book has a timestamp of an authority that both sides trust."""
    scene = Scene(folder)
    small_pki().into(scene.air_gapped, small_pki().signatory(), "x")
    stamper = small_tsa(MOMENT + dt.timedelta(seconds=3)).stamper
    publish(scene.both.issuing, scene.book, now=MOMENT, timestamper=stamper)
    return scene


def test_a_timestamp_proves_when_the_book_was_signed(tmp_path: Path) -> None:
    scene = stamped_scene(tmp_path)
    assert import_book(scene.air_gapped, scene.book, now=MOMENT, root=scene.root).holds
    checked = open_checked(scene.air_gapped)
    assert checked is not None
    assert checked.proof is not None
    assert checked.proof.proven_time == MOMENT + dt.timedelta(seconds=3)
    assert checked.proof.time_authority is not None
    assert checked.proof.time_authority.name == "Dấu thời gian Tỉnh Mẫu"


def test_a_book_without_a_timestamp_proves_no_time(made: Scene, tmp_path: Path) -> None:
    import_book(Home(tmp_path), made.book, now=MOMENT, root=made.root)
    checked = open_checked(Home(tmp_path))
    assert checked is not None
    assert checked.proof is None


def test_newer_lists_of_the_time_authority_do_not_shut_the_book(tmp_path: Path) -> None:
    scene = stamped_scene(tmp_path)
    import_book(scene.air_gapped, scene.book, now=MOMENT, root=scene.root)
    for file, crl in zip(("root.crl", "issuing.crl"), small_pki().crls(now=MOMENT + 90 * DAY), strict=True):
        write_whole(scene.air_gapped.trust / "revocation" / file, crl)
    assert open_book(scene.air_gapped) is not None


def test_a_timestamp_of_a_stranger_is_not_taken_in_silence(tmp_path: Path) -> None:
    scene = stamped_scene(tmp_path)
    checked = import_book(Home(tmp_path / "other"), scene.book, now=MOMENT, root=scene.root)
    assert not checked.holds
    (signature,) = checked.verdict.signatures
    assert [one.code for one in signature.reasons] == ["timestamp-not-believed"]


def test_a_book_that_gets_no_timestamp_takes_no_number_and_leaves_no_file(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    entries = len(scene.both.issuing.records.entries())
    with pytest.raises(SigningError):
        publish(scene.both.issuing, scene.book, now=MOMENT, timestamper=NoStamper())
    assert not scene.book.exists()
    assert len(scene.both.issuing.records.entries()) == entries
    assert scene.publish().number == 1


def test_whoever_may_sign_may_not_vouch(made: Scene, tmp_path: Path) -> None:
    person = load_signatory(made.people.identity("Nguyễn-Thị-Ánh"), PASSPHRASE)
    content = encode_book(build_book(made.both.issuing.authority, 9, now=MOMENT))
    checked = check_book(signed_by(person, content, tmp_path / "b.asice"), made.trust, now=MOMENT)
    assert not checked.holds
    assert [reason.code for reason in checked.verdict.reasons] == ["addressbook-not-by-authority"]


def test_a_book_of_a_stranger_is_not_taken_whatever_it_carries(made: Scene, tmp_path: Path) -> None:
    pki = small_pki()
    stranger = Signatory(pki.issuing.key, pki.issuing.certificate)
    content = encode_book(build_book(made.both.issuing.authority, 9, now=MOMENT))
    checked = check_book(signed_by(stranger, content, tmp_path / "b.asice"), made.trust, now=MOMENT)
    assert not checked.holds


def test_a_container_without_a_book_is_none(made: Scene, tmp_path: Path) -> None:
    issuer = made.both.issuing.issuer()
    path = signed_by(Signatory(issuer.key, issuer.certificate), b"{}", tmp_path / "b.asice", "other.json")
    trust = made.trust.plus(
        authorities=[issuer.certificate], crls=made.both.issuing.authority.crls().values()
    )
    checked = check_book(path, trust, now=MOMENT)
    assert not checked.holds
    assert [reason.code for reason in checked.verdict.reasons] == ["addressbook-missing"]


def test_an_exchanged_book_is_found_when_it_is_opened(made: Scene, tmp_path: Path) -> None:
    home = Home(tmp_path)
    import_book(home, made.book, now=MOMENT, root=made.root)
    with zipfile.ZipFile(home.address_book) as archive:
        content = archive.read(FILE)
    person = load_signatory(made.people.identity("Nguyễn-Thị-Ánh"), PASSPHRASE)
    signed_by(person, content, home.address_book)
    with pytest.raises(AuthorityError, match="does not hold"):
        open_book(home)


BOOK = AddressBook(name="x", number=1, issued=MOMENT, entries=())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        encode_book(BOOK).replace(b'"version": 1', b'"version": 2'),
        encode_book(BOOK).replace(b"+00:00", b"").replace(b'Z"', b'"'),
        encode_book(msgspec.structs.replace(BOOK, authorities=("AAAA",) * (MOST_AUTHORITIES + 1))),
        encode_book(BOOK).replace(b'"number": 1', b'"number": "1"'),
    ],
)
def test_json_that_is_no_book_is_said(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        decode_book(content)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["!", "AAAA", "MIIB"])
def test_certificates_and_lists_that_are_none_are_said(text: str) -> None:
    with pytest.raises(InputError):
        msgspec.structs.replace(BOOK, authorities=(text,)).authority_certificates()
    with pytest.raises(InputError):
        msgspec.structs.replace(BOOK, crls=(text,)).crl_ders()


def test_no_flipped_bit_is_taken(made: Scene, tmp_path: Path) -> None:
    """Not even one of what the zip says beside the book; each byte of seven has its turn."""
    content, path = made.book.read_bytes(), tmp_path / "b.asice"
    path.write_bytes(content)
    assert check_book(path, made.trust, now=MOMENT).holds
    taken = []
    for at in range(0, len(content), 7):
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        with contextlib.suppress(HaidangError):
            if check_book(path, made.trust, now=MOMENT).holds:
                taken.append(at)
    assert taken == []


def test_who_looks_somebody_up_first_can_sign_afterwards(made: Scene, tmp_path: Path) -> None:
    shutil.copytree(made.people.path, tmp_path / "home")
    import_book(Home(tmp_path / "home"), made.book, now=MOMENT, root=made.root)
    # In a process of its own: what a library has loaded before decides.
    program = f"""
from pathlib import Path
from haidang.crypto.addressbook import open_book
from haidang.crypto.home import Home
home = Home(Path({str(tmp_path / "home")!r}))
assert open_book(home)
from haidang.crypto.signers import load_signatory
from haidang.crypto.signing.cades import sign_digest
from tests.crypto.small_pki import MOMENT, PASSPHRASE
signatory = load_signatory(home.identity("Nguyễn-Thị-Ánh"), PASSPHRASE)
assert sign_digest(signatory, bytes(32), "sha256", now=MOMENT)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
