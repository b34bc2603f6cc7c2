from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import re
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.crypto import pdfs
from haidang.crypto.certificates import write_certificates
from haidang.crypto.passphrases import Passphrase
from haidang.crypto.pdfs import LARGEST_PDF, UnreadablePdfError, open_pdf, reading
from haidang.crypto.signing.pdf import LEVELS, Details, Level, sign_pdf_bytes
from haidang.crypto.verifying import verify
from haidang.crypto.verifying._pdf_changes import MOST_SAID
from haidang.crypto.verifying.options import Options
from haidang.crypto.verifying.pdf import recognises, verify_pdf
from tests.crypto.forging.pdf import forged_pdfs
from tests.crypto.forging.pdf_documents import (
    base_document,
    encrypted_document,
    handmade,
    signed_base,
    signed_document,
)
from tests.crypto.forging.pdf_parts import der_of, object_of, parts_of, with_contents
from tests.crypto.forging.pdf_verdicts import LATER, Forged
from tests.crypto.small_pdf import appended, classic_pdf, pages_of, stream
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

FORGED = list(forged_pdfs())


def codes(verdict: Any) -> list[str]:
    found = [reason.code for reason in verdict.reasons]
    return found + [reason.code for one in verdict.signatures for reason in one.reasons]


@pytest.mark.parametrize("forged", FORGED, ids=lambda one: one.name)
def test_every_forged_file_gets_the_verdict_that_it_must_get(forged: Forged) -> None:
    started = time.process_time()
    verdict = verify_pdf(forged.content, forged.trust, now=forged.now)
    assert not verdict.holds
    assert verdict.indication == forged.indication
    assert not forged.subindication or forged.subindication in [
        one.subindication for one in verdict.signatures
    ]
    assert forged.code in codes(verdict), verdict.to_json()
    assert time.process_time() - started < 20


def test_there_are_enough_of_them_and_no_two_are_alike() -> None:
    assert len(FORGED) >= 60
    assert len({one.name for one in FORGED}) == len(FORGED)
    assert len({(one.content, one.trust, one.now) for one in FORGED}) == len(FORGED)


def accepted_flips(whole: bytes, places: range) -> list[int]:
    """Return at which of these places a bit can be flipped unnoticed: the first bit, then the second, …"""
    trust = small_pki().trust()
    assert verify_pdf(whole, trust, now=LATER).holds
    accepted = []
    for number, at in enumerate(places):
        changed = bytearray(whole)
        changed[at] ^= 1 << number % 8
        if verify_pdf(bytes(changed), trust, now=LATER).holds:
            accepted.append(at)
    return accepted


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LT", "B-LTA"])
def test_no_bit_can_be_flipped(level: str) -> None:
    whole = signed_base(level)
    assert accepted_flips(whole, range(0, len(whole), 199)) == []


def test_no_bit_of_the_evidence_behind_a_signature_can_be_flipped() -> None:
    whole = signed_base("B-LT")
    _, _, end = parts_of(whole)
    assert len(whole) - end > 3000
    assert accepted_flips(whole, range(end, len(whole), 61)) == []


def test_evidence_that_was_altered_or_taken_away_is_said_to_be() -> None:
    whole = signed_base("B-LT")
    _, _, end = parts_of(whole)
    altered = whole[:end] + whole[end:].replace(b"/BaseVersion /1.7", b"/BaseVersion /1.6", 1)
    assert altered != whole
    for changed in (altered, whole[:end]):
        verdict = verify_pdf(changed, small_pki().trust(), now=LATER)
        assert (verdict.signatures[0].indication, verdict.signatures[0].subindication) == (
            "TOTAL-FAILED",
            "HASH_FAILURE",
        )
        assert verdict.signatures[0].reasons[0].code == "evidence-altered"


PASSWORD = Passphrase(b"correct horse")


def encrypted(level: Level, *, code: bool) -> bytes:
    pki = small_pki()
    return sign_pdf_bytes(
        encrypted_document(code=code),
        pki.signatory(),
        now=MOMENT,
        level=level,
        timestamper=None if level == "B-B" else small_tsa().stamper,
        trust=pki.trust(),
        details=Details(password=PASSWORD),
    )


def verified_with_password(content: bytes) -> Any:
    return verify_pdf(content, small_pki().trust(), now=LATER, options=Options(password=PASSWORD))


def test_no_bit_of_the_evidence_of_an_encrypted_document_can_be_flipped() -> None:
    whole = encrypted("B-LT", code=False)
    assert verified_with_password(whole).holds
    _, _, end = parts_of(whole)
    for number, at in enumerate(range(end, len(whole), 171)):
        changed = bytearray(whole)
        changed[at] ^= 1 << number % 8
        assert not verified_with_password(bytes(changed)).holds, at


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_of_an_authentication_code_is_free_either(level: Level) -> None:
    whole = encrypted(level, code=True)
    verdict = verified_with_password(whole)
    assert verdict.holds, verdict.to_json()
    assert not verdict.reasons  # the range of the code's own is none of a signature that was taken out
    # The CMS of the newest code, in hexadecimal, and what stands before it.
    began = whole.upper().rindex(b"060B2A864886F70D0109100102")
    refused = set()
    for number, at in enumerate(range(began - 20, began + 720, 7)):
        for bit in (number % 8, 5):  # bit 5: the other case of a digit
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            verdict = verified_with_password(bytes(changed))
            assert not verdict.holds, (at, bit)
            refused.update(codes(verdict))
    if level == "B-LT":
        assert "damaged-beside" in refused


@pytest.mark.parametrize("level", ["B-B", "B-LT", "B-LTA"])
def test_an_authentication_code_has_the_versions_of_the_standard(level: Level) -> None:
    whole = encrypted(level, code=True)
    began = whole.upper().rindex(b"060B2A864886F70D0109100102")
    version = whole.index(b"020100", began)
    changed = whole[: version + 5] + b"1" + whole[version + 6 :]
    assert codes(verified_with_password(changed))[0] == "damaged-beside"


def test_certificates_of_a_document_timestamp_cannot_be_made_to_look_like_revocation_lists() -> None:
    whole = signed_base("B-LTA")
    began = whole.rindex(b"/Contents <")
    at = re.compile(rb"A082[0-9A-F]{4}3082").search(whole, began + 200)
    assert at is not None
    changed = whole[: at.start()] + b"A1" + whole[at.start() + 2 :]
    verdict = verify_pdf(changed, small_pki().trust(), now=LATER)
    assert verdict.signatures[-1].reasons[0].code == "damaged-beside", verdict.to_json()


@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_no_bit_of_a_signature_can_be_flipped_either(data: st.DataObject) -> None:
    signed = signed_base("B-T")
    der = bytearray(der_of(signed))
    used = len(bytes(der).rstrip(b"\0"))
    der[data.draw(st.integers(0, used - 1))] ^= 1 << data.draw(st.integers(0, 7))
    verdict = verify_pdf(with_contents(signed, bytes(der)), small_pki().trust(), now=LATER)
    assert not verdict.holds


@given(junk=st.binary(max_size=200), where=st.integers(0, 4000))
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_junk_anywhere_is_a_verdict_and_never_a_crash(junk: bytes, where: int) -> None:
    content = signed_base("B-B")
    verdict = verify_pdf(
        content[:where] + junk + content[where + len(junk) :], small_pki().trust(), now=LATER
    )
    assert not verdict.holds or content[where : where + len(junk)] == junk
    verify_pdf(b"%PDF-1.4\n" + junk, small_pki().trust(), now=LATER)


@pytest.mark.parametrize("at", [0, 9, 100, 1000, 3000, 5000, 8000, 12000])
def test_a_file_that_was_cut_is_not_accepted(at: int) -> None:
    assert (
        not verify_pdf(signed_base()[: -at or None][: -at or None], small_pki().trust(), now=LATER).holds
        or at == 0
    )


def test_a_form_that_may_be_filled_in_is_and_it_is_said_what_was_written() -> None:
    signed = handmade(extra=b"", permission=2)
    filled = {10: object_of(signed, 10).replace(b"/V (1 000 000)", b"/V (9 000 000)")}
    verdict = verify_pdf(appended(signed, filled), small_pki().trust(), now=LATER)
    assert verdict.holds
    said = {one.code: str(one.message) for one in verdict.signatures[0].reasons}
    assert said["field-filled"] == "The field Amount was changed from “1 000 000” to “9 000 000”."
    assert "changed-as-allowed" in said


def test_what_changed_is_said_and_bounded() -> None:
    signed = signed_document(classic_pdf(pages_of([b"BT ET"] * 40)))
    changed = appended(signed, {5 + 2 * n: stream(b"BT (%d) Tj ET" % n) for n in range(40)})
    verdict = verify_pdf(changed, small_pki().trust(), now=LATER)
    assert codes(verdict).count("page-content-changed") == MOST_SAID
    assert "more-changed" in codes(verdict)


def test_a_later_signature_and_evidence_are_no_change() -> None:
    once = signed_document(base_document(), level="B-LT")
    twice = signed_document(once, level="B-LTA")
    verdict = verify_pdf(twice, small_pki().trust(), now=LATER)
    assert verdict.holds
    assert [one.level for one in verdict.signatures] == ["PAdES-B-LTA", "PAdES-B-LTA", "RFC3161"]
    assert all(one.proven_time == MOMENT for one in verdict.signatures)


def test_a_timestamp_is_needed_where_one_is_asked_for() -> None:
    trust, options = small_pki().trust(), Options(need_timestamp=True)
    assert verify_pdf(signed_base("B-T"), trust, now=LATER, options=options).holds
    assert not verify_pdf(signed_base("B-B"), trust, now=LATER, options=options).holds


def test_a_timestamp_of_the_document_alone_proves_when_it_was_there() -> None:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.signers.pdf_signer import PdfTimeStamper

    writer = IncrementalPdfFileWriter(io.BytesIO(classic_pdf()))
    stamped = PdfTimeStamper(small_tsa().stamper).timestamp_pdf(writer, "sha256").getvalue()
    verdict = verify_pdf(stamped, small_pki().trust(), now=LATER)
    assert verdict.holds, verdict.to_json()
    assert [(one.level, one.proven_time) for one in verdict.signatures] == [("RFC3161", MOMENT)]
    altered = stamped.replace(b"So Y te", b"So X te", 1)
    assert "timestamp-of-other" in codes(verify_pdf(altered, small_pki().trust(), now=LATER))


@pytest.mark.parametrize("subfilter", ["ADOBE_PKCS7_DETACHED", "PADES"])
@pytest.mark.parametrize("certify", [True, False])
def test_signatures_that_pyhanko_makes_by_itself_hold(subfilter: str, certify: bool) -> None:  # noqa: FBT001
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
    from pyhanko.sign.fields import SigSeedSubFilter

    pki = small_pki()
    person = pki.signatory()
    key = person.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    ders = [one.public_bytes(Encoding.DER) for one in (person.certificate, *person.authorities)]
    from asn1crypto import keys, x509
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    store: Any = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    store.register_multiple([x509.Certificate.load(one) for one in ders])
    signer = SimpleSigner(x509.Certificate.load(ders[0]), keys.PrivateKeyInfo.load(key), store)
    meta = PdfSignatureMetadata(field_name="Sig", certify=certify, subfilter=SigSeedSubFilter[subfilter])
    writer = IncrementalPdfFileWriter(io.BytesIO(classic_pdf()))
    content = sign_pdf(
        writer, meta, signer, timestamper=small_tsa(dt.datetime.now(dt.UTC)).stamper
    ).getvalue()
    verdict = verify_pdf(content, pki.trust(), now=dt.datetime.now(dt.UTC))
    assert verdict.holds, verdict.to_json()
    assert verdict.signatures[0].level == ("PAdES-B-T" if subfilter == "PADES" else "CMS")


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "rsa-3072"])
@pytest.mark.parametrize("options", [[], ["-cades"]])
def test_a_signature_of_openssl_inside_a_pdf_holds(
    algorithm: Any, options: list[str], tmp_path: Path
) -> None:
    pki = small_pki(algorithm)
    person = pki.signatory()
    pem = person.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    write_certificates([person.certificate], tmp_path / "cert.pem")
    write_certificates(list(person.authorities), tmp_path / "more.pem")
    draft = handmade(extra=b"").replace(b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached")
    first, second, end = parts_of(draft)
    shift = len(b"/ETSI.CAdES.detached") - len(b"/adbe.pkcs7.detached")
    first, second, length = first - shift, second - shift, end - second
    ranges = b"/ByteRange [0 %-10d %-10d %-10d]" % (first, second, length)
    draft = re.sub(rb"/ByteRange \[[^]]*\]", ranges, draft)
    table = draft.rindex(b"\nxref") + 1
    draft = re.sub(rb"startxref\n\d+\n%%EOF\n$", b"startxref\n%d\n%%%%EOF\n" % table, draft)
    (tmp_path / "data").write_bytes(draft[:first] + draft[second : second + length])
    command = ["openssl", "cms", "-sign", "-binary", "-in", "data", "-outform", "DER", "-out", "sig"]
    command += [
        "-signer",
        "cert.pem",
        "-inkey",
        "key.pem",
        "-certfile",
        "more.pem",
        "-md",
        "sha256",
        *options,
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    verdict = verify_pdf(
        with_contents(draft, (tmp_path / "sig").read_bytes()), pki.trust(), now=dt.datetime.now(dt.UTC)
    )
    assert verdict.holds, verdict.to_json()
    assert verdict.signatures[0].level == "CMS"


def test_the_file_as_a_whole_is_verified_and_recognised(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(signed_base())
    assert recognises(signed_base()[:1024])
    assert recognises(b"junk\n%PDF-1.4")
    assert not recognises(b"PK\x03\x04")
    assert verify(path, small_pki().trust(), now=LATER).holds


def test_a_pdf_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LARGEST_PDF >= 100 << 20
    monkeypatch.setattr(pdfs, "LARGEST_PDF", 1000)
    assert codes(verify_pdf(signed_base(), small_pki().trust(), now=LATER)) == ["pdf-too-large"]


def _wear_out() -> str:
    reader_content = io.BytesIO(signed_base())
    try:
        with reading(0.2):
            reader = open_pdf(reader_content.getvalue())
            while True:
                reader.stream.seek(0)
                reader.stream.read(1)
    except UnreadablePdfError as error:
        return error.code


def test_reading_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _wear_out() == "pdf-too-complex"
    monkeypatch.setattr(pdfs, "LONGEST_READING", 0.2)
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(_wear_out()))
    thread.start()
    thread.join(20)
    assert found == ["pdf-too-complex"]


def test_verification_loads_nothing_that_could_use_a_network() -> None:
    program = (
        "import sys, io, json, datetime as dt\n"
        "from haidang.crypto.trust import Trust\n"
        "from haidang.crypto.verifying.pdf import verify_pdf\n"
        "verify_pdf(sys.stdin.buffer.read(), Trust(), now=dt.datetime.now(dt.UTC))\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=signed_base("B-LTA"), capture_output=True, check=True
    )
    loaded = set(json.loads(done.stdout))
    assert "pyhanko.pdf_utils.reader" in loaded
    assert not loaded & {"aiohttp", "requests", "pyhanko.sign.signers.pdf_signer", "pkcs11", "typst"}


def test_the_lean_pyhanko_is_whole_for_whoever_asks_for_more() -> None:
    program = (
        "from haidang.crypto.lean import lean_pyhanko\n"
        "lean_pyhanko()\n"
        "from pyhanko.sign import signers, PdfSigner, sign_pdf\n"
        "from pyhanko.sign.timestamps import TimeStamper, HTTPTimeStamper\n"
        "import pyhanko.sign.validation.ades\n"
        "assert signers.PdfSigner is PdfSigner\n"
        "assert issubclass(HTTPTimeStamper, TimeStamper)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_digest_is_over_what_the_ranges_say() -> None:
    from haidang.crypto.verifying._pdf_structure import Placed
    from haidang.crypto.verifying.pdf import _digest

    content = bytes(range(256))
    found = _digest(content, Placed(10, 20, 256, b"", ""))("sha256")
    assert found == hashlib.sha256(content[:10] + content[20:]).digest()
