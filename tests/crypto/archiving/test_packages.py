"""An archive package over thirty years: each test stands at a moment and asks what can still be proven."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from haidang.crypto.archiving.packages import _Digests, _seal, make_package, renew_package
from haidang.crypto.archiving.protection import protection_of
from haidang.crypto.containers.zip_writing import ZipWriter
from haidang.crypto.settings import Horizons
from haidang.crypto.signing.asic import ASIC_E
from haidang.crypto.signing.cades import sign_file
from haidang.crypto.verifying import verify
from haidang.errors import HaidangError, SigningError
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.trust import Trust
    from haidang.crypto.verdicts import DocumentVerdict

YEAR = dt.timedelta(days=365)
RENEWED = MOMENT + 8 * YEAR
"""When the second authority is there, and the first one's timestamps near their end."""
LATER = MOMENT + 14 * YEAR
"""When everything of the first authority has ended."""
FAR = Horizons(quantum=dt.date(2100, 1, 1), classical_112=dt.date(2100, 1, 1))


def _trust(*, with_second: bool = True) -> Trust:
    """Return trust in the authority of today, and in that of eight years later."""
    first = small_pki().trust(now=MOMENT)
    if not with_second:
        return first
    second = small_pki("ecdsa-p384", now=RENEWED).trust(now=RENEWED)
    return first._replace(
        anchors=(*first.anchors, *second.anchors),
        authorities=(*first.authorities, *second.authorities),
        crls=(*first.crls, *second.crls),
    )


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A report that was signed and archived at MOMENT."""
    report = tmp_path / "Báo cáo.csv"
    report.write_bytes(b"units;answered\n12;11\n")
    signature = tmp_path / "Báo cáo.csv.p7s"
    signatory = small_pki().signatory()
    sign_file(report, signature, signatory, now=MOMENT, timestamper=small_tsa(MOMENT).stamper)
    target = tmp_path / "Báo cáo.csv.archive.asice"
    make_package(
        [(report, signature)],
        target,
        trust=_trust(with_second=False),
        timestamper=small_tsa(MOMENT + dt.timedelta(hours=1)).stamper,
        now=MOMENT,
    )
    return target


def _renew(path: Path) -> None:
    stamper = small_tsa(RENEWED, pki=small_pki("ecdsa-p384", now=RENEWED), now=RENEWED).stamper
    renew_package(path, trust=_trust(), timestamper=stamper, now=RENEWED)


def _codes(verdict: DocumentVerdict) -> set[str]:
    found = {reason.code for one in verdict.signatures for reason in one.reasons}
    return found | {reason.code for reason in verdict.reasons}


def _verify(path: Path, now: dt.datetime) -> DocumentVerdict:
    return verify(path, _trust(with_second=now >= RENEWED), now=now)


def test_it_holds_today(package: Path) -> None:
    verdict = _verify(package, MOMENT + dt.timedelta(days=1))
    assert verdict.kind == "archive"
    assert [one.indication for one in verdict.signatures] == ["TOTAL-PASSED"] * 2, verdict.to_json()
    assert verdict.signatures[0].covers == ("documents/Báo cáo.csv",)
    assert verdict.holds


def test_it_holds_after_the_signer_s_certificate_has_ended(package: Path) -> None:
    verdict = _verify(package, MOMENT + 5 * YEAR)
    assert verdict.holds, verdict.to_json()


def test_without_renewal_it_cannot_be_proven_any_more(package: Path) -> None:
    verdict = _verify(package, LATER)
    assert verdict.indication == "INDETERMINATE"
    assert {one.subindication for one in verdict.signatures} <= {"OUT_OF_BOUNDS_NO_POE", "NO_POE"}


def test_renewed_in_time_it_holds_beyond_the_end_of_all_that_it_rested_on(package: Path) -> None:
    _renew(package)
    verdict = _verify(package, LATER)
    assert verdict.holds, verdict.to_json()
    assert len(verdict.signatures) == 3


def test_it_can_be_renewed_again_and_again(package: Path) -> None:
    _renew(package)
    _renew(package)
    verdict = _verify(package, LATER)
    assert verdict.holds, verdict.to_json()
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
    assert "META-INF/ASiCArchiveManifest002.xml" in names
    assert "META-INF/ASiCArchiveManifest.xml" in names
    assert "META-INF/timestamp003.tst" in names


def _rewritten(path: Path, change: dict[str, bytes | None], added: dict[str, bytes] | None = None) -> None:
    """Write the zip anew with members changed, removed (None) or added."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, content in change.items():
        assert name in members
        if content is None:
            del members[name]
        else:
            members[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in (members | (added or {})).items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"documents/Báo cáo.csv": b"units;answered\n12;12\n"}, "file-altered"),
        ({"documents/Báo cáo.csv": None}, "file-missing"),
        ({"META-INF/timestamp001.tst": b"\x30\x00"}, "format"),
        ({"META-INF/timestamp002.tst": b"\x30\x00"}, "format"),
        ({"META-INF/ASiCManifest001.xml": None}, "file-missing"),
        ({"archive.json": b"{}"}, "archive-index"),
    ],
)
def test_what_was_changed_is_never_accepted(
    package: Path, change: dict[str, bytes | None], code: str
) -> None:
    _renew(package)
    _rewritten(package, change)
    verdict = _verify(package, LATER)
    assert not verdict.holds
    assert code in _codes(verdict), verdict.to_json()


@pytest.mark.parametrize("renewed", [False, True])
def test_no_flipped_bit_of_the_zip_around_the_files_is_accepted(
    package: Path,
    renewed: bool,  # noqa: FBT001 -- pytest gives parameters by name
) -> None:
    """In front of the first document and in the directory; each byte of five, or of 17, has its turn."""
    now, step = MOMENT + dt.timedelta(days=1), 5
    if renewed:
        _renew(package)
        now, step = LATER, 17
    assert _verify(package, now).holds
    content, accepted = package.read_bytes(), []
    document, directory = content.index(b"units;answered"), content.index(b"PK\x01\x02")
    for at in [*range(0, document, step), *range(directory, len(content), step)]:
        changed = bytearray(content)
        changed[at] ^= 1 << at // step % 8
        package.write_bytes(changed)
        with contextlib.suppress(HaidangError):
            if _verify(package, now).holds:
                accepted.append(at)
    assert accepted == []


def test_a_package_that_was_packed_anew_is_said_to_be_altered(package: Path) -> None:
    _rewritten(package, {})
    verdict = _verify(package, MOMENT + dt.timedelta(days=1))
    assert {one.indication for one in verdict.signatures} == {"TOTAL-PASSED"}
    assert [reason.code for reason in verdict.reasons] == ["container-altered"]
    assert not verdict.holds


def test_a_file_that_was_slipped_in_is_named(package: Path) -> None:
    _rewritten(package, {}, {"documents/extra.txt": b"also true"})
    verdict = _verify(package, MOMENT)
    assert verdict.indication == "TOTAL-FAILED"
    assert "file-not-covered" in _codes(verdict)


def test_an_index_cannot_give_a_document_the_signature_of_another(package: Path) -> None:
    index = (
        b'{"created":"2026-11-01T08:00:00Z","documents":[{"name":"archive.json"}],"format":"x","version":1}'
    )
    _rewritten(package, {"archive.json": index})
    assert not _verify(package, MOMENT).holds


def test_it_is_said_until_when_it_is_provable_and_what_ends_then(package: Path) -> None:
    found = protection_of(package, FAR, now=MOMENT)
    assert (found.kind, found.state) == ("archive", "kept")
    assert found.stamped == MOMENT + dt.timedelta(hours=1)
    assert found.until is not None
    assert found.due == (found.until - dt.timedelta(days=90)).date()
    assert protection_of(package, FAR, now=found.until - dt.timedelta(days=30)).state == "due"
    assert protection_of(package, FAR, now=found.until + dt.timedelta(days=1)).state == "lapsed"


def test_an_algorithm_can_end_before_the_certificate(package: Path) -> None:
    soon = Horizons(quantum=dt.date(2027, 1, 1))
    found = protection_of(package, soon, now=MOMENT)
    assert found.state == "due"
    assert "quantum" in str(found.why)


def test_what_was_never_archived_is_told_from_what_is_not_signed(tmp_path: Path, package: Path) -> None:
    del package
    assert protection_of(tmp_path / "Báo cáo.csv.p7s", FAR, now=MOMENT).state == "not-kept"
    assert protection_of(tmp_path / "Báo cáo.csv", FAR, now=MOMENT).state == "not-signed"
    assert protection_of(tmp_path / "gone", FAR, now=MOMENT).state == "unreadable"


def test_a_renewal_without_a_timestamp_leaves_the_package_as_it_was(package: Path) -> None:
    before = package.read_bytes()

    class Refusing:
        async def async_timestamp(self, *_: object) -> None:
            raise OSError("no route to host")

    with pytest.raises(SigningError, match="No timestamp"):
        renew_package(package, trust=_trust(), timestamper=Refusing(), now=RENEWED)
    assert package.read_bytes() == before
    assert [one.name for one in package.parent.iterdir() if one.name.endswith(".tmp")] == []


@pytest.mark.parametrize(
    ("kept", "code"),
    [
        ([], "archive-unlisted"),
        ([{"name": "documents/Báo cáo.csv"}], "archive-unlisted"),
    ],
)
def test_a_timestamp_does_not_make_a_document_a_signed_one(
    tmp_path: Path, kept: list[dict[str, str]], code: str
) -> None:
    """Whoever makes a package can have it stamped by an authority that stamps whatever it is given."""
    path = tmp_path / "forged.asice"
    now = MOMENT + dt.timedelta(hours=1)
    index = {"created": now.isoformat(), "documents": kept, "format": "haidang-archive", "version": 1}
    with path.open("wb") as stream:
        writer = ZipWriter(stream)
        writer.add("mimetype", ASIC_E.encode(), now, plain=True)
        digests = _Digests(writer, [])
        digests.add("archive.json", json.dumps(index).encode(), now)
        digests.add("documents/Báo cáo.csv", b"forged", now)
        digests.add("documents/other.p7s", b"of something else", now)
        _seal(digests, "META-INF/ASiCManifest001.xml", 1, small_tsa(now).stamper, now)
    verdict = _verify(path, now)
    assert not verdict.holds
    assert code in _codes(verdict), verdict.to_json()
