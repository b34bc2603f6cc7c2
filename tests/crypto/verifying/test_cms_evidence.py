"""What a signature brings along of certificates and revocation data is used, in each form there is."""

from __future__ import annotations

import hashlib
import io
import warnings

import pytest
from asn1crypto import cms, core
from cryptography.hazmat.primitives.serialization import Encoding

from haidang.crypto.coroutines import finished
from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.trust import Trust
from haidang.crypto.verifying.cms import verify_cms
from haidang.crypto.verifying.pdf import verify_pdf
from tests.crypto.small_pdf import classic_pdf
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

CONTENT = b"a,b\n"
CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"


def root_alone() -> Trust:
    return Trust(anchors=(small_pki().root.certificate,))


def tagged(tag: int, *parts: bytes) -> bytes:
    """Return a constructed value of a short tag: 0x30 for a sequence, 0xA0 and up for explicit tags."""
    content = b"".join(parts)
    length = len(content).to_bytes(4, "big")
    return bytes([tag, 0x84]) + length + content


def with_attributes(signature: bytes, *attributes: tuple[str, bytes]) -> bytes:
    """Return a signature with more unsigned attributes."""
    info = cms.ContentInfo.load(signature)
    signed = info["content"]
    signer = signed["signer_infos"][0]
    kept = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature")
    more = [tagged(0x30, core.ObjectIdentifier(oid).dump(), tagged(0x31, value)) for oid, value in attributes]
    unsigned = tagged(0xA1, *(one.dump() for one in signer["unsigned_attrs"]), *more)
    signers = tagged(0x31, tagged(0x30, *(signer[name].dump() for name in kept), unsigned))
    around = ("version", "digest_algorithms", "encap_content_info", "certificates")
    whole = tagged(0x30, *(signed[name].dump() for name in around), signers)
    return tagged(0x30, info["content_type"].dump(), tagged(0xA0, whole))


def long_form(values: bytes) -> bytes:
    pki = small_pki()
    digest = hashlib.sha256(CONTENT).digest()
    signature = sign_digest(pki.signatory(), digest, "sha256", now=MOMENT, timestamper=small_tsa().stamper)
    issuing = pki.issuing.certificate.public_bytes(Encoding.DER)
    return with_attributes(
        signature, (CERTIFICATE_VALUES, tagged(0x30, issuing)), (REVOCATION_VALUES, values)
    )


def digest_of(name: str) -> bytes:
    return hashlib.new(name, CONTENT).digest()


def test_the_long_form_of_cades_holds_by_the_root_alone() -> None:
    values = tagged(0x30, tagged(0xA0, tagged(0x30, *small_pki().crls())))
    verdict = verify_cms(long_form(values), digest_of, root_alone(), now=MOMENT)
    assert (verdict.indication, verdict.level) == ("TOTAL-PASSED", "CAdES-B-LT")
    without = verify_cms(long_form(tagged(0x30)), digest_of, root_alone(), now=MOMENT)
    assert (without.subindication, without.level) == ("TRY_LATER", "CAdES-B-T")


@pytest.mark.parametrize(
    "values",
    [b"\x04\x01x", b"\x30\x02\xa0\x00", b"\x30\x04\xa0\x02\x04\x00", b"\x30\x05\xa1\x03\x04\x01\x30"],
)
def test_values_that_are_not_sound_are_refused_and_never_crash(values: bytes) -> None:
    verdict = verify_cms(long_form(values), digest_of, root_alone(), now=MOMENT)
    assert not verdict.holds


def test_what_adobe_puts_into_a_signed_attribute_is_used() -> None:
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner

    pki = small_pki()
    meta = PdfSignatureMetadata(
        field_name="Signature1",
        subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED,
        embed_validation_info=True,
        validation_context=pki.trust().context(MOMENT),
        signer_key_usage=set(),
    )
    signer = PdfSigner(meta, pki.signatory().pyhanko_signer(), timestamper=small_tsa().stamper)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signed = finished(signer.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(classic_pdf()))))
    verdict = verify_pdf(signed.getvalue(), root_alone(), now=MOMENT)
    assert verdict.holds, verdict.to_json()
