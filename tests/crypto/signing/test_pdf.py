from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from haidang.crypto.certificates import write_certificates
from haidang.crypto.marking.labels import Label
from haidang.crypto.passphrases import Passphrase
from haidang.crypto.pdfs import UnreadablePdfError
from haidang.crypto.signing.pdf import LEVELS, Details, sign_pdf, sign_pdf_bytes
from haidang.crypto.verifying.options import Options
from haidang.crypto.verifying.pdf import verify_pdf
from haidang.errors import InputError, SigningError
from tests.crypto.forging.pdf_documents import base_document, encrypted_document, handmade, signed_base
from tests.crypto.small_pdf import appended, classic_pdf, hybrid_pdf, pages_of, stream, stream_pdf
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.signing.pdf import Level

LATER = MOMENT + dt.timedelta(days=1)


def signed(content: bytes, level: Level = "B-T", **options: Any) -> bytes:
    pki = small_pki()
    known: dict[str, Any] = {
        "signatory": pki.signatory(),
        "now": MOMENT,
        "timestamper": small_tsa().stamper,
        "trust": pki.trust(),
        **options,
    }
    return sign_pdf_bytes(content, known.pop("signatory"), level=level, **known)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("document", [classic_pdf, stream_pdf, hybrid_pdf, base_document])
def test_each_level_holds_on_each_kind_of_file(level: Level, document: Any) -> None:
    content = signed(document(), level)
    verdict = verify_pdf(content, small_pki().trust(), now=LATER)
    assert verdict.holds, verdict.to_json()
    assert verdict.signatures[0].level == f"PAdES-{level}"
    assert verdict.signatures[0].claimed_time == MOMENT
    assert content.startswith(document())


@pytest.mark.parametrize("algorithm", ["ecdsa-p384", "rsa-3072"])
def test_other_keys_sign_as_well(algorithm: Any) -> None:
    content = signed(classic_pdf(), signatory=small_pki().signatory(algorithm=algorithm, name=algorithm))
    assert verify_pdf(content, small_pki().trust(), now=LATER).holds


def test_several_people_sign_one_document() -> None:
    pki = small_pki()
    content = classic_pdf()
    for name in ("Nguyễn Thị Ánh", "Trần Văn Bình", "Lê Thị Cúc"):
        content = signed(content, "B-LTA", signatory=pki.signatory(name))
    verdict = verify_pdf(content, pki.trust(), now=LATER)
    assert verdict.holds
    people = [one.signer.name for one in verdict.signatures if one.signer and one.level != "RFC3161"]
    assert people == ["Nguyễn Thị Ánh", "Trần Văn Bình", "Lê Thị Cúc"]


def test_a_signature_of_level_lta_outlives_its_certificate_and_that_of_its_authority() -> None:
    pki = small_pki()
    person = pki.signatory()
    revoked = pki.trust(
        [person.certificate], when=MOMENT + dt.timedelta(days=30), now=MOMENT + dt.timedelta(days=40)
    )
    content = signed(classic_pdf(), "B-LTA", signatory=person)
    verdict = verify_pdf(content, revoked, now=MOMENT + dt.timedelta(days=50))
    assert verdict.signatures[0].holds, verdict.to_json()
    short = signed(classic_pdf(), "B-B", signatory=person)
    assert not verify_pdf(short, revoked, now=MOMENT + dt.timedelta(days=50)).holds


def test_an_encrypted_document_is_signed_with_its_password() -> None:
    password = Passphrase(b"correct horse")
    content = signed(encrypted_document(), "B-LTA", details=Details(password=password))
    trust = small_pki().trust()
    assert verify_pdf(content, trust, now=LATER, options=Options(password=password)).holds
    assert [one.code for one in verify_pdf(content, trust, now=LATER).reasons] == ["pdf-password"]


@pytest.mark.parametrize("password", [None, Passphrase(b"wrong")])
def test_an_encrypted_document_is_not_signed_without_its_password(password: Passphrase | None) -> None:
    with pytest.raises(UnreadablePdfError) as caught:
        signed(encrypted_document(), details=Details(password=password))
    assert caught.value.code == "pdf-password"


def test_the_marking_is_signed_and_read_back() -> None:
    content = signed(
        classic_pdf(), details=Details(labels=(Label("tlp", "AMBER"), Label("own", "LƯU HÀNH NỘI BỘ")))
    )
    verdict = verify_pdf(content, small_pki().trust(), now=LATER)
    assert verdict.holds
    assert verdict.marking == {"labels": "TLP:AMBER; LƯU HÀNH NỘI BỘ"}


def test_an_empty_field_of_a_form_is_signed_and_no_other() -> None:
    objects = pages_of(catalog=b"/AcroForm << /Fields [30 0 R] >>")
    objects[30] = b"<< /FT /Sig /T (Chief) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /P 4 0 R /F 132 >>"
    content = signed(classic_pdf(objects), details=Details(field="Chief"))
    verdict = verify_pdf(content, small_pki().trust(), now=LATER)
    assert [one.evidence["field"] for one in verdict.signatures] == ["Chief"]
    with pytest.raises(SigningError, match="signed already"):
        signed(content, details=Details(field="Chief"))


def test_a_signature_that_forbids_changes_is_respected() -> None:
    with pytest.raises(SigningError, match="forbids every change"):
        signed(handmade(extra=b"", permission=1))
    assert verify_pdf(signed(handmade(extra=b"", permission=2)), small_pki().trust(), now=LATER).holds


def test_a_document_whose_earlier_signature_is_broken_is_not_signed() -> None:
    changed = appended(signed_base(), {5: stream(b"BT ET")})
    with pytest.raises(SigningError, match="would not hold"):
        signed(changed)
    altered = signed_base().replace(b"1 000 000 dong", b"9 000 000 dong", 1)
    with pytest.raises(SigningError, match="would not hold"):
        signed(altered)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"not a PDF", classic_pdf()[:300]])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadablePdfError) as caught:
        signed(content)
    assert caught.value.code == "pdf-broken"


def test_a_certificate_that_ended_does_not_sign() -> None:
    with pytest.raises(SigningError, match="valid from"):
        signed(classic_pdf(), now=MOMENT + dt.timedelta(days=1100))


def test_a_revoked_certificate_does_not_sign_for_years() -> None:
    pki = small_pki()
    person = pki.signatory()
    trust = pki.trust([person.certificate], when=MOMENT - dt.timedelta(days=1))
    with pytest.raises(SigningError, match="do not stand up"):
        signed(classic_pdf(), "B-LT", signatory=person, trust=trust)


def test_what_a_level_needs_is_said() -> None:
    with pytest.raises(SigningError, match="needs a time stamping authority"):
        signed(classic_pdf(), "B-T", timestamper=None)
    with pytest.raises(SigningError, match="needs certificates"):
        signed(classic_pdf(), "B-LT", trust=None)


def test_no_timestamp_means_no_signature(tmp_path: Path) -> None:
    from pyhanko.sign.timestamps.api import TimeStamper

    class Silent(TimeStamper):
        async def async_request_tsa_response(self, req: Any) -> Any:  # noqa: ARG002 -- pyHanko's signature
            raise OSError("no route to host")

    silent: Any = Silent
    source = tmp_path / "a.pdf"
    source.write_bytes(classic_pdf())
    with pytest.raises(SigningError, match="No timestamp could be had: no route to host"):
        sign_pdf(
            source, tmp_path / "b.pdf", small_pki().signatory(), now=MOMENT, level="B-T", timestamper=silent()
        )
    assert [one.name for one in tmp_path.iterdir()] == ["a.pdf"]


def test_a_file_may_be_signed_in_its_place_and_is_kept_where_it_must_not_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(classic_pdf())
    sign_pdf(path, path, small_pki().signatory(), now=MOMENT, level="B-B")
    first = path.read_bytes()
    assert verify_pdf(first, small_pki().trust(), now=LATER).holds
    with pytest.raises(Exception, match="is there already"):
        sign_pdf(path, path, small_pki().signatory(), now=MOMENT, level="B-B", replace=False)
    assert path.read_bytes() == first
    with pytest.raises(InputError):
        sign_pdf(tmp_path / "none.pdf", path, small_pki().signatory(), now=MOMENT, level="B-B")


def test_only_the_lists_of_the_chains_concerned_are_taken_along() -> None:
    other = small_pki("ecdsa-p384")
    trust = small_pki().trust().plus(crls=other.crls())
    content = signed(classic_pdf(), "B-LT", trust=trust)
    found = re.search(rb"/CRLs\s*\[([^\]]*)\]", content)
    assert found is not None
    assert len(re.findall(rb"\d+ 0 R", found[1])) <= 4


@pytest.fixture(scope="module")
def nss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of NSS that believes the root."""
    if not shutil.which("pdfsig") or not shutil.which("certutil"):
        pytest.skip("pdfsig or certutil is not installed")
    folder = tmp_path_factory.mktemp("nss")
    write_certificates([small_pki().root.certificate], folder / "root.pem")
    base = ["certutil", "-d", f"sql:{folder}"]
    subprocess.run([*base, "-N", "--empty-password"], check=True, capture_output=True)
    add = ["-A", "-n", "root", "-t", "CT,C,C", "-i", str(folder / "root.pem")]
    subprocess.run([*base, *add], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("level", LEVELS)
def test_pdfsig_accepts_it(level: Level, nss: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(signed_base(level))
    done = subprocess.run(
        ["pdfsig", "-nssdir", f"sql:{nss}", str(path)], capture_output=True, text=True, check=False
    )
    first = done.stdout.partition("Signature #2")[0]
    assert "Signature Validation: Signature is Valid." in first, done.stdout + done.stderr
    assert "Signer Certificate Common Name: Nguyễn Thị Ánh" in first
    if level in {"B-B", "B-T"}:  # of the others, the evidence follows the signature
        assert "Total document signed" in first


def test_pdfsig_does_not_accept_a_changed_one(nss: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(signed_base().replace(b"1 000 000 dong", b"9 000 000 dong", 1))
    done = subprocess.run(
        ["pdfsig", "-nssdir", f"sql:{nss}", str(path)], capture_output=True, text=True, check=False
    )
    assert "Digest Mismatch" in done.stdout


@pytest.mark.parametrize("level", LEVELS)
def test_qpdf_finds_nothing_wrong(level: Level, tmp_path: Path) -> None:
    if not shutil.which("qpdf"):
        pytest.skip("qpdf is not installed")
    path = tmp_path / "a.pdf"
    path.write_bytes(signed_base(level))
    done = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyhanko_itself_believes_a_signature_with_all_its_evidence() -> None:
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature

    one = PdfFileReader(io.BytesIO(signed_base("B-LT"))).embedded_regular_signatures[0]
    status: Any = validate_pdf_signature(one, small_pki().trust().context(LATER))
    assert status.bottom_line, status.pretty_print_details()
