"""The key ceremony: any three of five sheets give the key back, and nothing else does."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from shamir_mnemonic.wordlist import WORDLIST

from haidang.crypto.keys import key_id
from haidang.crypto.passphrases import Passphrase
from haidang.crypto.pki.ceremony import (
    MOST_SHARES,
    WORDS,
    Share,
    check_shares,
    check_words,
    forget,
    needed,
    read_share,
    restore,
    split,
)
from haidang.crypto.pki.keyring import open_keys
from haidang.crypto.pki.sheets import Occasion, share_sheet
from haidang.errors import KeyAccessError
from haidang.i18n import translator
from tests.crypto.pki.authorities import authorities
from tests.crypto.small_pki import MOMENT, PASSPHRASE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authorities(tmp_path_factory.mktemp("ceremony")).folder / "goc"


@pytest.fixture(scope="module")
def shares(root: Path) -> list[str]:
    return [" ".join(share.words) for share in split(root, PASSPHRASE)]


def test_any_three_of_five_open_the_key(root: Path, shares: list[str]) -> None:
    assert [len(share.split()) for share in shares] == [WORDS] * 5
    assert needed(shares[0]) == 3
    for three in itertools.permutations(shares, 3):
        check_shares(root, three)
    check_shares(root, shares)


def test_two_are_too_few_and_one_twice_is_no_two(root: Path, shares: list[str]) -> None:
    with pytest.raises(KeyAccessError, match="too few"):
        check_shares(root, shares[:2])
    with pytest.raises(KeyAccessError, match="twice"):
        check_shares(root, [shares[0], shares[0], shares[1]])
    with pytest.raises(KeyAccessError):
        check_shares(root, [])


def test_shares_of_two_ceremonies_do_not_mix(root: Path, shares: list[str]) -> None:
    others = [" ".join(share.words) for share in split(root, PASSPHRASE)]
    with pytest.raises(KeyAccessError, match="do not belong together"):
        check_shares(root, [*shares[:2], others[2]])


def test_shares_of_another_key_are_told_by_the_key_itself(tmp_path: Path, shares: list[str]) -> None:
    other = authorities(tmp_path).folder / "capphat"
    with pytest.raises(KeyAccessError, match="do not open the key"):
        check_shares(other, shares[:3])


def test_a_wrong_passphrase_of_the_shares_is_found_although_slip39_cannot(root: Path) -> None:
    secret = Passphrase(b"them mot mat khau")
    three = [" ".join(share.words) for share in split(root, PASSPHRASE, share_passphrase=secret)][:3]
    check_shares(root, three, secret)
    for wrong in (None, Passphrase(b"mot mat khau khac")):
        with pytest.raises(KeyAccessError, match="do not open the key"):
            check_shares(root, three, wrong)
    with pytest.raises(KeyAccessError, match="SLIP-39"):
        split(root, PASSPHRASE, share_passphrase=Passphrase("mật khẩu".encode()))


@pytest.mark.parametrize(("threshold", "count"), [(1, 5), (6, 5), (0, 0), (2, MOST_SHARES + 1)])
def test_numbers_that_are_no_ceremony_are_refused(threshold: int, count: int, root: Path) -> None:
    with pytest.raises(KeyAccessError, match="cannot be split"):
        split(root, PASSPHRASE, threshold=threshold, count=count)


def test_a_restored_key_has_a_new_passphrase(root: Path, shares: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "goc"
    shutil.copytree(root, folder)
    forget(folder)
    with pytest.raises(KeyAccessError, match="shares alone"):
        open_keys(folder, PASSPHRASE)
    new = Passphrase(b"mat khau moi")
    keys = restore(folder, shares[1:4], new)
    assert key_id(open_keys(folder, new).first) == key_id(keys.first)
    with pytest.raises(KeyAccessError):
        open_keys(folder, PASSPHRASE)


def test_shares_that_do_not_open_it_change_nothing(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "goc"
    shutil.copytree(root, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    other = authorities(tmp_path / "other").folder / "capphat"
    three = [" ".join(share.words) for share in split(other, PASSPHRASE)][:3]
    with pytest.raises(KeyAccessError):
        restore(folder, three, Passphrase(b"mat khau moi"))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_four_letters_of_each_word_are_enough(shares: list[str]) -> None:
    short = " ".join(word[:4] for word in shares[0].split()).upper()
    assert read_share(f"1. {short}\n", 1) == shares[0]


def test_a_wrong_word_is_named_by_its_place_and_never_said(shares: list[str]) -> None:
    words = shares[0].split()
    with pytest.raises(KeyAccessError, match="Word 7 of share 2") as caught:
        read_share(" ".join([*words[:6], "xyzzy", *words[7:]]), 2)
    assert "xyzzy" not in caught.value.diagnostics()
    assert not any(word in caught.value.diagnostics().split() for word in words)


def test_every_exchanged_word_is_found(shares: list[str]) -> None:
    rng = random.Random(39)
    words = shares[0].split()
    for place in range(WORDS):
        other = rng.choice([word for word in WORDLIST if word != words[place]])
        with pytest.raises(KeyAccessError, match="do not fit together"):
            read_share(" ".join([*words[:place], other, *words[place + 1 :]]), 1)
    for wrong in ("", words[0], " ".join(words[:-1]), " ".join([*words, words[0]]), "a" * 5000):
        with pytest.raises(KeyAccessError):
            read_share(wrong, 1)


def test_a_column_with_a_word_too_few_is_said() -> None:
    with pytest.raises(KeyAccessError, match="1 words were typed instead of 11"):
        check_words("academic", 1, count=11)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_sheet_is_one_page_with_all_its_words(lang: str, shares: list[str], tmp_path: Path) -> None:
    share = Share(2, 5, 3, tuple(shares[1].split()))
    name = "Nguyễn Thị Ánh Dương (Phó Chánh Văn phòng)"
    long_name = "Ủy ban nhân dân thành phố trực thuộc tỉnh có một cái tên rất dài"
    occasion = Occasion(
        long_name, "Gốc chứng thực", "AB:" * 15 + "AB " + "CD:" * 15 + "CD", MOMENT.date(), holder=name
    )
    pdf = share_sheet(share, occasion, translator(lang))
    if not shutil.which("pdfinfo") or not shutil.which("pdftotext"):
        pytest.skip("pdfinfo and pdftotext are not installed")
    (tmp_path / "sheet.pdf").write_bytes(pdf)
    info = subprocess.run(["pdfinfo", tmp_path / "sheet.pdf"], capture_output=True, text=True, check=True)
    assert "Pages:           1\n" in info.stdout
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "sheet.pdf", "-"], capture_output=True, text=True, check=True
    )
    for number, word in enumerate(share.words, 1):
        assert f"{number}. {word}" in " ".join(text.stdout.split())
    assert name in " ".join(text.stdout.split())


def test_a_share_shows_nothing_of_itself(shares: list[str]) -> None:
    share = Share(1, 5, 3, tuple(shares[0].split()))
    assert share.words[0] not in repr(share) + str(share)
