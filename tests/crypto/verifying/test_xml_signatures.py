"""XML signatures: what is signed holds, and no forgery of it is believed."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from haidang.crypto.verifying import Options, _xml_reading, _xml_references, verify, xml_signatures
from haidang.crypto.verifying._xml_references import Surroundings
from haidang.crypto.verifying.chains import chains_for
from haidang.crypto.verifying.signer_infos import unsound
from haidang.crypto.verifying.xml_signatures import judge_xml, recognises
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa
from tests.crypto.small_xades import DS, ENVELOPED, EXCLUSIVE, Ref, Wish, canonical, signature_of, signed_xml

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.verdicts import DocumentVerdict

NOW = MOMENT + dt.timedelta(days=1)
DOCUMENT = "<report><unit>Sở Y tế</unit><sum>3</sum></report>".encode()
PART = b'<decision Id="d1"><sum>3</sum></decision>'


def verdict_on(tmp_path: Path, document: bytes, options: Options = Options()) -> DocumentVerdict:  # noqa: B008
    path = tmp_path / "document.xml"
    path.write_bytes(document)
    return verify(path, small_pki().trust(), now=NOW, options=options)


def found(tmp_path: Path, content: bytes) -> tuple[str, str, set[str]]:
    verdict = verdict_on(tmp_path, content)
    assert verdict.kind == "xml"
    codes = {reason.code for reason in verdict.reasons}
    codes |= {reason.code for one in verdict.signatures for reason in one.reasons}
    return verdict.indication, "".join(one.subindication for one in verdict.signatures), codes


def with_part(more: bytes = b"", **options: str) -> bytes:
    """Return a document of which a part is signed."""
    signature = signature_of([Ref("#d1", canonical(etree.fromstring(PART)), **options)])
    return b"<file>" + PART + more + b"<signatures>" + signature + b"</signatures></file>"


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "rsa-3072"])
def test_an_enveloped_signature_holds_and_says_who_and_when(tmp_path: Path, algorithm: str) -> None:
    signatory = small_pki().signatory(f"Người ký {algorithm}", algorithm=algorithm)  # type: ignore[arg-type]
    verdict = verdict_on(tmp_path, signed_xml(DOCUMENT, Wish(stamper=small_tsa().stamper), signatory))
    (one,) = verdict.signatures
    assert verdict.holds, verdict.to_json()
    assert (one.level, one.covers, one.reasons, verdict.reasons) == ("XAdES-B-T", ("/",), (), ())
    assert one.signer is not None
    assert one.signer.name == f"Người ký {algorithm}"
    assert (one.claimed_time, one.proven_time) == (MOMENT, MOMENT)


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
def test_a_signature_with_pss_holds(tmp_path: Path, digest: str) -> None:
    signatory = small_pki().signatory("Người ký RSA", algorithm="rsa-3072")
    assert verdict_on(tmp_path, signed_xml(DOCUMENT, Wish(pss=True, digest=digest), signatory)).holds


def test_plain_xml_signature_holds_without_a_claim_of_time(tmp_path: Path) -> None:
    (one,) = verdict_on(tmp_path, signed_xml(DOCUMENT, Wish(properties=False))).signatures
    assert (one.indication, one.level, one.claimed_time) == ("TOTAL-PASSED", "XMLDSig", None)


def test_parts_that_are_signed_hold_and_their_frame_is_named(tmp_path: Path) -> None:
    verdict = verdict_on(tmp_path, with_part())
    assert verdict.holds
    assert [reason.code for reason in verdict.reasons] == ["frame-not-covered"]
    assert verdict.signatures[0].covers == ("#d1",)


def test_a_second_signature_over_all_holds_beside_the_first(tmp_path: Path) -> None:
    subtract = (
        '<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2">'
        '<f:XPath xmlns:f="http://www.w3.org/2002/06/xmldsig-filter2" Filter="subtract">'
        f'/descendant::ds:Signature</f:XPath></ds:Transform><ds:Transform Algorithm="{EXCLUSIVE}"/>'
    )
    plain = canonical(etree.fromstring(DOCUMENT))
    both = b"".join(signature_of([Ref("", plain, subtract)], Wish(properties=False)) for _ in range(2))
    verdict = verdict_on(tmp_path, DOCUMENT.replace(b"</report>", both + b"</report>"))
    assert [one.indication for one in verdict.signatures] == ["TOTAL-PASSED"] * 2
    assert verdict.holds


def test_a_detached_signature_is_of_the_file_beside_it_or_named(tmp_path: Path) -> None:
    content = signature_of([Ref("b%C3%A1o%20c%C3%A1o.csv", b"a,b\n", "")])
    missing = verdict_on(tmp_path, content)
    assert (missing.indication, missing.signatures[0].subindication) == (
        "INDETERMINATE",
        "SIGNED_DATA_NOT_FOUND",
    )
    beside = tmp_path / "báo cáo.csv"
    beside.write_bytes(b"a,b\n")
    verdict = verdict_on(tmp_path, content)
    assert verdict.holds
    assert verdict.signatures[0].covers == ("báo cáo.csv",)
    other = tmp_path / "other.csv"
    other.write_bytes(b"a,c\n")
    assert verdict_on(tmp_path, content, Options(content=other)).signatures[0].subindication == "HASH_FAILURE"
    by_document = verify(
        beside, small_pki().trust(), now=NOW, options=Options(signature=tmp_path / "document.xml")
    )
    assert by_document.holds


def test_a_signature_of_something_else_is_none_of_the_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "signature.xml").write_bytes(signed_xml(DOCUMENT))
    other = tmp_path / "other.csv"
    other.write_bytes(b"a,c\n")
    verdict = verify(
        other, small_pki().trust(), now=NOW, options=Options(signature=tmp_path / "signature.xml")
    )
    assert verdict.indication == "TOTAL-FAILED"
    assert verdict.signatures[0].reasons[0].code == "content-changed"


@pytest.mark.parametrize(
    "uri", ["../secret.csv", "/etc/hostname", "file:///etc/hostname", "http://a/b", ".."]
)
def test_no_file_of_another_folder_is_looked_at(tmp_path: Path, uri: str) -> None:
    (tmp_path / "secret.csv").write_bytes(b"a")
    (tmp_path / "inner").mkdir()
    verdict = verdict_on(tmp_path / "inner", signature_of([Ref(uri, b"a", "")]))
    assert verdict.signatures[0].subindication == "SIGNED_DATA_NOT_FOUND"


def _altered() -> dict[str, tuple[bytes, str, str, str]]:
    """Return forgeries by name: content, indication, subindication, and a reason that must be given."""
    signed = signed_xml(DOCUMENT)
    part = with_part()
    failed = "TOTAL-FAILED"
    stranger = small_pki("ecdsa-p384").signatory("Nguyễn Thị Ánh")
    other = small_pki().signatory("Người khác")
    properties = re.search(rb"<xades:SigningTime>[^<]*", signed)
    assert properties is not None
    value = re.search(rb"<ds:DigestValue>", signed)
    assert value is not None
    object_of = b'<ds:Object Id="o1"><b>hidden</b></ds:Object></ds:Signature>'
    plain_part = b"<decision><sum>9</sum></decision>"
    rsa = small_pki().signatory("RSA", algorithm="rsa-3072")
    xpath = (
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>{}</ds:XPath>'
        f'</ds:Transform><ds:Transform Algorithm="{EXCLUSIVE}"/>'
    )

    def transformed(transforms: str) -> bytes:
        signature = signature_of([Ref("", canonical(etree.fromstring(DOCUMENT)), transforms)])
        return DOCUMENT.replace(b"</report>", signature + b"</report>")

    return {
        "element altered": (signed.replace(b"<sum>3", b"<sum>9"), failed, "HASH_FAILURE", "content-changed"),
        "element added": (
            signed.replace(b"<sum>", b"<paid/><sum>"), failed, "HASH_FAILURE", "content-changed"
        ),
        "unsigned sibling": (with_part(more=b"<decision>9</decision>"), failed, "", "element-not-covered"),
        "empty unsigned sibling": (with_part(more=b"<approved/>"), failed, "", "element-not-covered"),
        "unsigned attribute of the frame": (
            part.replace(b"<file>", b'<file sum="9">'), failed, "", "element-not-covered"
        ),
        "unsigned text in the frame": (
            part.replace(b"<signatures>", b"sum: 9<signatures>"), failed, "", "element-not-covered"
        ),
        "unsigned instruction": (
            b'<?xml-stylesheet href="x.xsl"?>' + part, failed, "", "element-not-covered"
        ),
        "instruction before what is signed as a whole": (
            signed.replace(b"<report>", b'<?xml-stylesheet href="x.xsl"?><report>'),
            failed, "HASH_FAILURE", "content-changed",
        ),
        "wrapped: two of one id": (
            with_part(more=PART.replace(b"3", b"9")), failed, "FORMAT_FAILURE", "reference-ambiguous"
        ),
        "wrapped: ids that differ in case": (
            with_part(more=PART.replace(b"3", b"9").replace(b"Id=", b"ID=")),
            failed, "FORMAT_FAILURE", "reference-ambiguous",
        ),
        "wrapped: moved into the signature": (
            part.replace(PART, plain_part).replace(
                b"</ds:Signature>", b"<ds:Object>" + PART + b"</ds:Object></ds:Signature>"
            ),
            failed, "", "element-not-covered",
        ),
        "wrapped: moved into a sibling": (
            part.replace(PART, plain_part + b"<old>" + PART + b"</old>"), failed, "", "element-not-covered"
        ),
        "what is referred to is gone": (
            part.replace(PART, plain_part), failed, "FORMAT_FAILURE", "reference-ambiguous"
        ),
        "object added to the signature": (
            signed.replace(b"</ds:Signature>", object_of), failed, "", "element-not-covered"
        ),
        "text added to the signature": (
            signed.replace(b"</ds:Signature>", b"9</ds:Signature>"), failed, "FORMAT_FAILURE", "format"
        ),
        "entity bomb": (
            b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + DOCUMENT.replace(b"3", b"&b;")
            + b"<!-- http://www.w3.org/2000/09/xmldsig# -->",
            failed, "FORMAT_FAILURE", "xml-doctype",
        ),
        "external entity": (
            b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + signed.split(b"?>", 1)[1].strip(),
            failed, "FORMAT_FAILURE", "xml-doctype",
        ),
        "not well-formed": (signed[:-9], failed, "FORMAT_FAILURE", "format"),
        "signing time altered": (
            signed.replace(properties[0], properties[0].replace(b"2026", b"2025")),
            failed, "HASH_FAILURE", "content-changed",
        ),
        "properties not signed": (
            signed_xml(DOCUMENT, Wish(properties_signed=False)),
            failed, "FORMAT_FAILURE", "properties-not-signed",
        ),
        "properties taken out": (
            re.sub(rb"<ds:Object><xades:Q.*?</ds:Object>", b"", signed),
            failed, "FORMAT_FAILURE", "reference-ambiguous",
        ),
        "properties twice": (
            re.sub(rb"(<ds:Object><xades:Q.*?</ds:Object>)", rb"\1\1", signed),
            failed, "FORMAT_FAILURE", "reference-ambiguous",
        ),
        "properties of another signature": (
            signed.replace(b'Target="#sig"', b'Target="#other"'), failed, "FORMAT_FAILURE", "format"
        ),
        "signed properties alone": (
            b"<report>" + signature_of([]) + b"</report>", failed, "FORMAT_FAILURE", "format"
        ),
        "certificate exchanged": (
            signed_xml(DOCUMENT, Wish(certificate=other.certificate)),
            "INDETERMINATE", "NO_SIGNING_CERTIFICATE_FOUND", "certificate-exchanged",
        ),
        "certificate exchanged in a plain one": (
            signed_xml(DOCUMENT, Wish(certificate=other.certificate, properties=False)),
            failed, "SIG_CRYPTO_FAILURE", "signature-wrong",
        ),
        "signed by a stranger of the same name": (
            signed_xml(DOCUMENT, signatory=stranger),
            "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "issuer-unknown",
        ),
        "value altered": (
            re.sub(rb"(<ds:SignatureValue[^>]*>)....", rb"\1AAAA", signed),
            failed, "SIG_CRYPTO_FAILURE", "signature-wrong",
        ),
        "comment in a digest": (
            signed.replace(b"<ds:DigestValue>", b"<ds:DigestValue><!-- c -->", 1),
            failed, "FORMAT_FAILURE", "format",
        ),
        "SHA-1 in the signature": (
            signed_xml(DOCUMENT, Wish(digest="sha1"), rsa),
            "INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", "algorithm-weak",
        ),
        "SHA-1 in a reference": (
            with_part(digest="sha1"),
            "INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", "algorithm-weak",
        ),
        "HMAC": (
            signed_xml(DOCUMENT, Wish(method="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")),
            "INDETERMINATE", "CRYPTO_CONSTRAINTS_FAILURE", "algorithm-not-accepted",
        ),
        "method of another kind of key": (
            signed_xml(DOCUMENT, Wish(method="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")),
            failed, "SIG_CRYPTO_FAILURE", "signature-wrong",
        ),
        "XPath that leaves something out": (
            transformed(xpath.format("not(ancestor-or-self::sum or ancestor-or-self::ds:Signature)")),
            "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "transform-not-accepted",
        ),
        "XSLT": (
            transformed('<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>'),
            "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "transform-not-accepted",
        ),
        "canonical form before the signature is left out": (
            transformed(f'<ds:Transform Algorithm="{EXCLUSIVE}"/><ds:Transform Algorithm="{ENVELOPED}"/>'),
            "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "transform-not-accepted",
        ),
        "manifest": (
            with_part(kind=f"{DS}Manifest"),
            "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "transform-not-accepted",
        ),
        "timestamp of another signature": (
            _with_stamp_of_another(),
            "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", "timestamp-not-believed",
        ),
    }  # fmt: skip


def _with_stamp_of_another() -> bytes:
    wish = Wish(stamper=small_tsa().stamper)
    one, other = signed_xml(DOCUMENT, wish), signed_xml(DOCUMENT.replace(b"3", b"4"), wish)
    token = re.compile(rb"<xades:EncapsulatedTimeStamp>[^<]*")
    return token.sub(lambda _: token.findall(other)[0], one)


FORGED = _altered()


@pytest.mark.parametrize("name", FORGED)
def test_each_forgery_gets_its_verdict(tmp_path: Path, name: str) -> None:
    content, indication, subindication, code = FORGED[name]
    said = found(tmp_path, content)
    assert (said[0], said[1]) == (indication, subindication), said
    assert code in said[2], said


def test_comments_are_named_since_no_signature_covers_them(tmp_path: Path) -> None:
    verdict = verdict_on(tmp_path, signed_xml(DOCUMENT).replace("Sở".encode(), "S<!-- -->ở".encode()))
    assert verdict.holds
    assert [reason.code for reason in verdict.reasons] == ["comments-not-covered"]


def test_an_ended_certificate_is_believed_with_a_timestamp_and_a_list_of_its_time_alone(
    tmp_path: Path,
) -> None:
    signatory = small_pki().signatory(days=30)
    path = tmp_path / "document.xml"
    later = MOMENT + dt.timedelta(days=60)
    for stamper, subindication in ((None, "OUT_OF_BOUNDS_NO_POE"), (small_tsa().stamper, "")):
        path.write_bytes(signed_xml(DOCUMENT, Wish(stamper=stamper), signatory))
        (one,) = verify(path, small_pki().trust(), now=later).signatures
        assert one.subindication == subindication


def test_a_revoked_signer_is_not_believed(tmp_path: Path) -> None:
    signatory = small_pki().signatory()
    path = tmp_path / "document.xml"
    path.write_bytes(signed_xml(DOCUMENT, signatory=signatory))
    trust = small_pki().trust([signatory.certificate], when=MOMENT - dt.timedelta(days=1))
    (one,) = verify(path, trust, now=NOW).signatures
    assert (one.indication, one.subindication) == ("TOTAL-FAILED", "REVOKED")


def nothing_around() -> Surroundings:
    return Surroundings(
        lambda *_: None, lambda _: unsound("missing"), lambda _: unsound("altered"), lambda _: iter(())
    )


SIGNED = signed_xml(DOCUMENT, Wish(stamper=small_tsa().stamper))
CHAINS = chains_for(small_pki().trust())


def content_of(document: bytes) -> bytes:
    """Return the canonical form of a document without its signatures."""
    root = etree.fromstring(document)
    for one in list(root.iter(f"{{{DS}}}Signature")):
        one.getparent().remove(one)
    return canonical(root)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SIGNED) * 8 - 1))
def test_no_flipped_bit_changes_what_is_believed(bit: int) -> None:
    changed = bytearray(SIGNED)
    changed[bit // 8] ^= 1 << bit % 8
    verdict = judge_xml(bytes(changed), CHAINS, now=NOW, around=nothing_around())
    errors = [reason for reason in verdict.reasons if reason.severity == "error"]
    if verdict.signatures and all(one.holds for one in verdict.signatures) and not errors:
        assert content_of(bytes(changed)) == content_of(SIGNED)
        genuine = judge_xml(SIGNED, CHAINS, now=NOW, around=nothing_around()).signatures[0]
        (one,) = verdict.signatures
        assert (one.signer, one.claimed_time) == (genuine.signer, genuine.claimed_time)
        assert one.proven_time in {None, genuine.proven_time}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(SIGNED)), st.integers(0, 60))
def test_no_mutated_document_makes_it_crash(noise: bytes, begin: int, length: int) -> None:
    changed = SIGNED[:begin] + noise + SIGNED[begin + length :]
    judge_xml(changed, CHAINS, now=NOW, around=nothing_around())


@pytest.mark.parametrize(
    ("module", "limit", "value"),
    [
        (_xml_reading, "DEEPEST", 2),
        (_xml_reading, "MOST_NODES", 9),
        (_xml_reading, "MOST_ATTRIBUTES", 0),
        (_xml_reading, "MOST_NAMESPACES", 0),
        (_xml_reading, "LARGEST_XML", 99),
        (_xml_references, "MOST_REFERENCES", 1),
        (_xml_references, "MOST_WORK", 99),
        (xml_signatures, "MOST_SIGNATURES", 0),
    ],
)
def test_each_bound_is_kept(monkeypatch: pytest.MonkeyPatch, module: Any, limit: str, value: int) -> None:
    monkeypatch.setattr(module, limit, value)
    (one,) = judge_xml(SIGNED, CHAINS, now=NOW, around=nothing_around()).signatures
    assert (one.indication, one.subindication) == ("TOTAL-FAILED", "FORMAT_FAILURE")


def test_canonical_xml_of_a_part_has_the_namespaces_around_it() -> None:
    root = _xml_reading.read_xml(
        b'<a xmlns="urn:x" xmlns:y="urn:y"><b Id="1"> <!-- c -->\r\n<c y:d="2"/></b></a>'
    )
    inclusive = b'<b xmlns="urn:x" xmlns:y="urn:y" Id="1"> \n<c y:d="2"></c></b>'
    assert _xml_reading.canonical(root[0], _xml_reading.CANONICAL_XML) == inclusive
    exclusive = b'<b xmlns="urn:x" Id="1"> \n<c xmlns:y="urn:y" y:d="2"></c></b>'
    assert _xml_reading.canonical(root[0], EXCLUSIVE) == exclusive
    assert _xml_reading.canonical(root[0], EXCLUSIVE, "y") == inclusive


def test_a_part_inherits_language_and_space_alone() -> None:
    root = _xml_reading.read_xml(b'<a xml:lang="vi"><b xml:lang="en"><c/></b><d xml:base="u"><e/></d></a>')
    said = b'<c xml:lang="en"></c>'
    assert _xml_reading.canonical(root[0][0], _xml_reading.CANONICAL_XML) == said
    assert _xml_reading.canonical(root[0][0], EXCLUSIVE) == b"<c></c>"
    with pytest.raises(_xml_reading.XmlRefusedError, match="not accepted"):
        _xml_reading.canonical(root[1][0], _xml_reading.CANONICAL_XML)


def test_xml_is_recognised_by_a_signature_that_stands_far_behind(tmp_path: Path) -> None:
    path = tmp_path / "document.xml"
    path.write_bytes(b"<a>" + b" " * (1 << 20) + signature_of([Ref("#a", b"")]) + b"</a>")
    assert recognises(path.read_bytes()[:4096], path) == 85
    path.write_bytes(DOCUMENT)
    assert recognises(DOCUMENT, path) == 0
    assert recognises(b"\x00\x01", path) == 0
