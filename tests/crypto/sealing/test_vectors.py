"""The test vectors of C2SP/CCTV for age: what must open opens, what must not does not, by what they say."""

from __future__ import annotations

import hashlib
import io
import zlib
from pathlib import Path

import pyrage
import pytest

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "corpora" / "age"
NAMES = sorted(p.name for p in VECTORS.iterdir() if p.suffix != ".md") if VECTORS.is_dir() else []


# Where the age crate below pyrage deviates; none of it opens what was altered: the header's MAC holds.
DEVIATIONS = {
    "stanza_missing_body": "accepts a stanza of the drafts before age v1, without a final short line",
    "stanza_missing_final_line": "accepts a stanza of the drafts before age v1, without a final short line",
    "armor_whitespace_outside": "refuses white space around the armour",
}


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
    # Passphrases and hybrid keys do not open sealed files: such a file is one for somebody else.
    ours = bool(keys) and "passphrase" not in told
    identities = [pyrage.x25519.Identity.from_str(one) for one in keys] or [pyrage.x25519.Identity.generate()]
    released = io.BytesIO()
    if ours and told["expect"] == ["success"]:
        pyrage.decrypt_io(io.BytesIO(body), released, identities)
    else:
        with pytest.raises((pyrage.DecryptError, OSError)):
            pyrage.decrypt_io(io.BytesIO(body), released, identities)
    if ours and "payload" in told:
        assert hashlib.sha256(released.getvalue()).hexdigest() == told["payload"][0]
    if not ours:
        assert not released.getvalue()
