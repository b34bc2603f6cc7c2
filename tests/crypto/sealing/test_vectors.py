"""The test vectors of C2SP/CCTV for age: what must open opens, what must not does not, by what they say."""

from __future__ import annotations

import hashlib
import io
import zlib
from pathlib import Path

import pytest

from haidang.crypto.sealing.age_streams import DecryptionFailedError, NoKeyFitsError, decrypting
from haidang.crypto.sealing.keys import make_sealing_key

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "corpora" / "age"
NAMES = sorted(p.name for p in VECTORS.iterdir() if p.suffix != ".md") if VECTORS.is_dir() else []


# Where we deviate.
DEVIATIONS = {
    "armor_whitespace_outside": "refuses white space around the armour",
}
# What a vector expects, and how we say so; some that are malformed for a kind of key that we have not are for
# somebody else.
ERRORS = {
    "no match": NoKeyFitsError,
    "header failure": DecryptionFailedError,
    "HMAC failure": DecryptionFailedError,
    "payload failure": DecryptionFailedError,
    "armor failure": DecryptionFailedError,
}


def decrypted(body: bytes, keys: list[str]) -> bytes:
    out = io.BytesIO()
    with decrypting(io.BufferedReader(io.BytesIO(body)), keys) as stream:
        while piece := stream.read(1000):
            out.write(piece)
    return out.getvalue()


@pytest.mark.skipif(not NAMES, reason="the age vectors of C2SP/CCTV are not beside the repository")
@pytest.mark.parametrize("name", NAMES)
def test_a_vector_opens_or_not_as_it_says(name: str, request: pytest.FixtureRequest) -> None:
    if name in DEVIATIONS:
        request.applymarker(pytest.mark.xfail(reason=DEVIATIONS[name], strict=True))
    head, _, body = (VECTORS / name).read_bytes().partition(b"\n\n")
    told: dict[str, list[str]] = {}
    for line in head.decode().splitlines():
        key, _, value = line.partition(": ")
        told.setdefault(key, []).append(value)
    if told.get("compressed") == ["zlib"]:
        body = zlib.decompress(body)
    keys = [one for one in told.get("identity", []) if one.startswith("AGE-SECRET-KEY-1")]
    (expected,) = told["expect"]
    # Passphrases and hybrid keys do not open sealed files: such a file is one for somebody else.
    if not keys or "passphrase" in told:
        error = DecryptionFailedError if expected.endswith("failure") else NoKeyFitsError
        with pytest.raises(error):
            decrypted(body, keys or [make_sealing_key().reveal()])
    elif expected == "success":
        assert hashlib.sha256(decrypted(body, keys)).hexdigest() == told["payload"][0]
    else:
        with pytest.raises(ERRORS[expected]) as caught:
            decrypted(body, keys)
        assert (caught.type is NoKeyFitsError) == (expected == "no match")
