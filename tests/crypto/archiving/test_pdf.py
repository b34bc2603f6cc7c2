from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from haidang.crypto.archiving.pdf import keep_pdf
from haidang.crypto.archiving.protection import protection_of
from haidang.crypto.settings import Horizons
from haidang.crypto.signing.pdf import sign_pdf
from haidang.crypto.verifying import verify
from haidang.errors import SigningError
from tests.crypto.small_pdf import classic_pdf
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

YEAR = dt.timedelta(days=365)
RENEWED = MOMENT + 8 * YEAR
LATER = MOMENT + 14 * YEAR
FAR = Horizons(quantum=dt.date(2100, 1, 1), classical_112=dt.date(2100, 1, 1))


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    path = tmp_path / "decision.pdf"
    path.write_bytes(classic_pdf())
    sign_pdf(
        path, path, small_pki().signatory(), now=MOMENT, level="B-T", timestamper=small_tsa(MOMENT).stamper
    )
    return path


def test_a_signed_pdf_is_provable_after_its_certificate_has_ended(signed: Path) -> None:
    trust = small_pki().trust()
    assert protection_of(signed, FAR, now=MOMENT).state == "not-kept"
    keep_pdf(signed, signed, trust=trust, timestamper=small_tsa(MOMENT).stamper, replace=True)
    assert protection_of(signed, FAR, now=MOMENT).state == "kept"
    verdict = verify(signed, trust, now=MOMENT + 5 * YEAR)
    assert verdict.holds, verdict.to_json()


def test_renewed_by_another_authority_it_outlives_the_first(signed: Path) -> None:
    first = small_pki().trust()
    keep_pdf(signed, signed, trust=first, timestamper=small_tsa(MOMENT).stamper, replace=True)
    before = signed.read_bytes()
    second = small_pki("ecdsa-p384", now=RENEWED)
    late = second.trust(now=RENEWED)
    both = first._replace(
        anchors=(*first.anchors, *late.anchors),
        authorities=(*first.authorities, *late.authorities),
        crls=(*first.crls, *late.crls),
    )
    stamper = small_tsa(RENEWED, pki=second, now=RENEWED).stamper
    keep_pdf(signed, signed, trust=both, timestamper=stamper, replace=True)
    assert signed.read_bytes().startswith(before)
    verdict = verify(signed, both, now=LATER)
    assert verdict.holds, verdict.to_json()


def test_what_is_not_signed_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "plain.pdf"
    path.write_bytes(classic_pdf())
    with pytest.raises(SigningError, match="not signed"):
        keep_pdf(path, path, trust=small_pki().trust(), timestamper=small_tsa().stamper, replace=True)
    assert path.read_bytes() == classic_pdf()
