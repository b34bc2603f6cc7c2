from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import TYPE_CHECKING

from haidang.crypto.home import Home
from haidang.crypto.trust import load_trust
from haidang.crypto.verifying import verify
from tests.crypto.forging.corpus import write_corpus

if TYPE_CHECKING:
    from pathlib import Path


def test_every_document_of_the_corpus_gets_its_verdict(
    tmp_path: Path,
) -> None:
    index = write_corpus(tmp_path / "corpus")
    assert json.loads((tmp_path / "corpus" / "index.json").read_text()) == index
    counts = Counter(one["indication"] for one in index)
    assert counts["TOTAL-FAILED"] + counts["INDETERMINATE"] >= 60
    assert counts["TOTAL-PASSED"] > 0, "a verifier that accepts nothing must fail, too"
    wrong = []
    for one in index:
        place = tmp_path / "corpus" / one["name"]
        trust = load_trust(Home(place / "home").trust)
        verdict = verify(place / one["file"], trust, now=dt.datetime.fromisoformat(one["at"]))
        codes = {reason.code for reason in verdict.reasons}
        codes |= {reason.code for signature in verdict.signatures for reason in signature.reasons}
        if verdict.indication != one["indication"] or (one["code"] and one["code"] not in codes):
            wrong.append((one["name"], one["indication"], one["code"], verdict.indication, sorted(codes)))
    assert not wrong
