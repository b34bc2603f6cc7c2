"""The log's tree: RFC 6962's own vectors, and a plain twin that does what the definition says."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto.keys import make_key
from haidang.crypto.merkle import (
    Checkpoint,
    Tree,
    consistency_proof,
    hash_leaf,
    inclusion_proof,
    read_checkpoint,
    root_hash,
    sign_checkpoint,
    verify_consistency,
    verify_inclusion,
)
from haidang.errors import VerificationError

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.keys import Algorithm

# The eight leaves of the reference implementation's tests, and the roots of the trees of the first n.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
# (index, size) → audit path, of the same tests.
PATHS = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
}


@pytest.mark.parametrize("size", ROOTS)
def test_roots_are_those_of_the_standards_tests(size: int) -> None:
    assert Tree(LEAVES[:size]).root().hex() == ROOTS[size]
    assert root_hash([hash_leaf(one) for one in LEAVES[:size]]).hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_audit_paths_are_those_of_the_standards_tests(index: int, size: int) -> None:
    leaves = [hash_leaf(one) for one in LEAVES[:size]]
    proof = inclusion_proof(leaves, index)
    assert tuple(one.hex() for one in proof) == PATHS[index, size]
    verify_inclusion(leaves[index], index, size, proof, bytes.fromhex(ROOTS[size]))


def naive_root(entries: list[bytes]) -> bytes:
    """The definition, word by word: no peaks, no shared work."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


entries = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


@settings(max_examples=60)
@given(entries, st.data())
def test_every_entry_is_proven_and_nothing_else_is(found: list[bytes], data: st.DataObject) -> None:
    leaves = [hash_leaf(one) for one in found]
    root = Tree(found).root()
    assert root == naive_root(found)
    index = data.draw(st.integers(0, len(found) - 1))
    proof = inclusion_proof(leaves, index)
    verify_inclusion(leaves[index], index, len(found), proof, root)
    for wrong in (hash_leaf(b"\x00" * 9), root):
        if wrong != leaves[index]:
            with pytest.raises(VerificationError):
                verify_inclusion(wrong, index, len(found), proof, root)
    for other in ([*proof, root], proof[:-1] if proof else [root]):
        with pytest.raises(VerificationError):
            verify_inclusion(leaves[index], index, len(found), other, root)


@settings(max_examples=60)
@given(entries, st.data())
def test_a_tree_goes_on_from_its_beginnings_and_from_nothing_else(
    found: list[bytes], data: st.DataObject
) -> None:
    leaves = [hash_leaf(one) for one in found]
    first = data.draw(st.integers(0, len(found)))
    proof = consistency_proof(leaves, first)
    old, new = naive_root(found[:first]), naive_root(found)
    verify_consistency(first, len(found), proof, old, new)
    if first:
        altered = list(found)
        altered[data.draw(st.integers(0, first - 1))] = b"other than any"
        with pytest.raises(VerificationError):
            verify_consistency(first, len(found), proof, naive_root(altered[:first]), new)
        others = [hash_leaf(one) for one in altered]
        with pytest.raises(VerificationError):
            verify_consistency(first, len(found), consistency_proof(others, first), old, naive_root(altered))
    with pytest.raises(VerificationError):
        verify_consistency(first, len(found), [*proof, new], old, new)


ORIGIN = "haidang/test"


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-3072", "ml-dsa-65"])
def test_a_checkpoint_is_read_back_with_its_key_and_with_no_other(algorithm: Algorithm) -> None:
    key = make_key(algorithm)
    checkpoint = Checkpoint(ORIGIN, 8, bytes.fromhex(ROOTS[8]))
    note = sign_checkpoint(checkpoint, key)
    assert read_checkpoint(note, key.public_key(), ORIGIN) == checkpoint
    with pytest.raises(VerificationError):
        read_checkpoint(note, make_key(algorithm).public_key(), ORIGIN)
    with pytest.raises(VerificationError):
        read_checkpoint(note, key.public_key(), "haidang/other")
    with pytest.raises(VerificationError):
        read_checkpoint(note.replace(b"\n8\n", b"\n9\n"), key.public_key(), ORIGIN)


def test_a_witness_may_sign_beside() -> None:
    key = make_key()
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), key)
    text, _, signature = note.partition(b"\n\n")
    line = "— witness.example.vn/w " + base64.b64encode(bytes(68)).decode() + "\n"
    both = text + b"\n\n" + line.encode() + signature
    assert read_checkpoint(both, key.public_key(), ORIGIN).size == 0


def test_openssl_accepts_the_signature_of_a_checkpoint(tmp_path: Path) -> None:
    key = make_key()
    note = sign_checkpoint(Checkpoint(ORIGIN, 8, bytes.fromhex(ROOTS[8])), key)
    body, _, line = note.partition(b"\n\n")
    (tmp_path / "body").write_bytes(body + b"\n")
    (tmp_path / "signature").write_bytes(base64.b64decode(line.split(b" ")[2])[4:])
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "body"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout == "Verified OK\n"


KEY = make_key()
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 8, bytes.fromhex(ROOTS[8])), KEY)


@settings(max_examples=150)
@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_flipped_bit_is_accepted(bit: int) -> None:
    altered = bytearray(NOTE)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(VerificationError):
        read_checkpoint(bytes(altered), KEY.public_key(), ORIGIN)


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_plain_words(content: bytes) -> None:
    with pytest.raises(VerificationError):
        read_checkpoint(content, KEY.public_key(), ORIGIN)


def test_a_huge_note_is_refused() -> None:
    with pytest.raises(VerificationError):
        read_checkpoint(NOTE + b"\n" * (1 << 20), KEY.public_key(), ORIGIN)
