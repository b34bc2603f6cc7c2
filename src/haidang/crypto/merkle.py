"""A log that cannot be cut or rewritten unseen: a Merkle tree after RFC 6962, with signed checkpoints.

Rules:

- Leaves and nodes are hashed apart (``0x00``, ``0x01``; RFC 6962, section 2.1, which RFC 9162 keeps), so that
  no node passes for a leaf.
- A checkpoint (C2SP ``tlog-checkpoint``) says how many entries there are and what their root is; it is a
  signed note (C2SP ``signed-note``). Whoever keeps an old checkpoint sees that entries before it were
  altered, taken away or cut off: the tree of as many entries has another root, or has not as many.
- ECDSA signatures have the note's type ``0x02`` (key ID: SHA-256 of the SubjectPublicKeyInfo); other keys
  have ``0xff`` and the algorithm's name, as the specification reserves it.
- A note from elsewhere is not trusted before its signature held: its size and its counts are bounded.

Example::

    tree = Tree()
    for entry in entries:
        tree.append(entry)
    note = sign_checkpoint(Checkpoint("haidang/audit", tree.size, tree.root()), key)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.extra import needs_extra
from haidang.crypto.keys import algorithm_of, digest_of, sign
from haidang.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from haidang.crypto.keys import SigningKey

__all__ = [
    "Checkpoint",
    "Tree",
    "consistency_proof",
    "hash_leaf",
    "inclusion_proof",
    "read_checkpoint",
    "root_hash",
    "sign_checkpoint",
    "verify_consistency",
    "verify_inclusion",
]

_EMPTY = hashlib.sha256().digest()
_LONGEST_NOTE = 1 << 20
_MOST_SIGNATURES = 64
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_NAME = re.compile(r"[^\s+]{1,256}")


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def _hash_node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that entries are appended to; it holds one hash for each bit of its size."""

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        """Begin with ``entries``."""
        self.size = 0
        self._peaks: list[bytes] = []
        for entry in entries:
            self.append(entry)

    @classmethod
    def resumed(cls, size: int, peaks: bytes) -> Tree:
        """Return the tree of ``size`` entries whose ``peaks`` were kept, to be appended to.

        Raises:
            VerificationError: There are not as many peaks as such a tree has.
        """
        if size < 0 or len(peaks) != 32 * size.bit_count():
            raise _no_proof("inclusion")
        tree = cls()
        tree.size = size
        tree._peaks = [peaks[start : start + 32] for start in range(0, len(peaks), 32)]
        return tree

    @property
    def peaks(self) -> bytes:
        """What has to be kept to go on: the hashes of the whole subtrees, the largest first."""
        return b"".join(self._peaks)

    def append(self, entry: bytes) -> None:
        """Add one entry."""
        self.append_leaf(hash_leaf(entry))

    def append_leaf(self, leaf: bytes) -> None:
        """Add one entry of which the hash is known."""
        node, size = leaf, self.size
        # Each one at the end of the size in binary is a whole subtree that pairs with the new one.
        while size & 1:
            node = _hash_node(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of what was appended so far."""
        if not self._peaks:
            return _EMPTY
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = _hash_node(peak, node)
        return node


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of leaves (MTH of RFC 6962, section 2.1)."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else _EMPTY
    split = _split(len(leaves))
    return _hash_node(root_hash(leaves[:split]), root_hash(leaves[split:]))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of leaf ``index`` (PATH of RFC 6962, section 2.1.1)."""
    if len(leaves) <= 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root_hash(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root_hash(leaves[:split])]


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Return the proof that the tree of ``first`` leaves is the beginning of this one (section 2.1.2)."""
    return _subproof(leaves, first, whole=True) if 0 < first < len(leaves) else []


def _subproof(leaves: Sequence[bytes], first: int, *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [root_hash(leaves)]
    split = _split(len(leaves))
    if first <= split:
        return [*_subproof(leaves[:split], first, whole=whole), root_hash(leaves[split:])]
    return [*_subproof(leaves[split:], first - split, whole=False), root_hash(leaves[:split])]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that ``leaf`` (a hash) is entry ``index`` of the tree (RFC 9162, section 2.1.3.2).

    Raises:
        VerificationError: It is not.
    """
    if not 0 <= index < size:
        raise _no_proof("inclusion")
    number, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise _no_proof("inclusion")
        if number & 1 or number == last:
            node = _hash_node(sibling, node)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            node = _hash_node(node, sibling)
        number, last = number >> 1, last >> 1
    if last or node != root:
        raise _no_proof("inclusion")


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> None:
    """Check that the first tree is the beginning of the second (RFC 9162, section 2.1.4.2).

    Raises:
        VerificationError: It is not.
    """
    if not 0 <= first <= second:
        raise _no_proof("consistency")
    if first in {0, second}:
        if proof or (first and first_root != second_root) or (not first and first_root != _EMPTY):
            raise _no_proof("consistency")
        return
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        raise _no_proof("consistency")
    number, last = first - 1, second - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise _no_proof("consistency")
        if number & 1 or number == last:
            old, new = _hash_node(sibling, old), _hash_node(sibling, new)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            new = _hash_node(new, sibling)
        number, last = number >> 1, last >> 1
    if last or old != first_root or new != second_root:
        raise _no_proof("consistency")


class Checkpoint(NamedTuple):
    """How far a log had come."""

    origin: str
    """Which log: the name of its key, without spaces and plus signs."""
    size: int
    root: bytes

    def body(self) -> bytes:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """Return the checkpoint as a signed note."""
    body = checkpoint.body()
    signature = _note_id(checkpoint.origin, key) + sign(key, body, digest_of(key))
    return body + f"\n— {checkpoint.origin} {base64.b64encode(signature).decode()}\n".encode()


def read_checkpoint(note: bytes, public_key: Any, origin: str) -> Checkpoint:
    """Return the checkpoint in a signed note, once its signature by ``public_key`` held.

    Raises:
        VerificationError: It is no checkpoint of this log, or its signature does not hold.
    """
    text, separator, signatures = note[: _LONGEST_NOTE + 1].rpartition(b"\n\n")
    if len(note) > _LONGEST_NOTE or not separator:
        raise _no_checkpoint()
    body = text + b"\n"
    checkpoint = _parsed(body)
    if checkpoint.origin != origin:
        raise VerificationError(
            f"the checkpoint is of another log: {checkpoint.origin}",
            hint="Name a checkpoint that this authority made.",
        )
    expected = _note_id(origin, public_key)
    lines = signatures.split(b"\n")
    if lines.pop() or len(lines) > _MOST_SIGNATURES:
        raise _no_checkpoint()
    for line in lines:
        try:
            mark, name, encoded = line.decode().split(" ")
            raw = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise _no_checkpoint() from None
        # What others signed beside (witnesses) is neither needed nor looked at.
        if mark == "—" and name == origin and raw[:4] == expected and _holds(public_key, raw[4:], body):
            return checkpoint
    raise VerificationError(
        "the checkpoint is not signed with the key of this log",
        hint="It was altered, or another authority made it.",
    )


def _parsed(body: bytes) -> Checkpoint:
    try:
        origin, size, encoded, *_ = body.decode().split("\n")
        root = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise _no_checkpoint() from None
    if not _SIZE.fullmatch(size) or len(root) != 32 or not _KEY_NAME.fullmatch(origin):
        raise _no_checkpoint()
    return Checkpoint(origin, int(size), root)


def _note_id(name: str, key: Any) -> bytes:
    with needs_extra():
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    public = key.public_key() if hasattr(key, "public_key") else key
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    algorithm = algorithm_of(public)
    if algorithm.startswith("ecdsa"):
        return hashlib.sha256(spki).digest()[:4]
    kind = b"\xffhaidang/" + algorithm.encode()
    return hashlib.sha256(name.encode() + b"\n" + kind + spki).digest()[:4]


def _holds(public_key: Any, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    digest = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[
        digest_of(public_key)
    ]
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, data, ec.ECDSA(digest))
        elif isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, padding.PKCS1v15(), digest)
        else:
            public_key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _split(size: int) -> int:
    """Return the largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _no_proof(kind: str) -> VerificationError:
    return VerificationError(
        f"the proof of {kind} does not hold", hint="The log was altered, or the proof is of another log."
    )


def _no_checkpoint() -> VerificationError:
    return VerificationError(
        "this is no checkpoint of a log", hint="Name a file that haidang pki log checkpoint wrote."
    )
