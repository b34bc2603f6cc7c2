"""What EU DSS signed (``dss/``): each sample gets its exact verdict, no altered copy of it is believed."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from asn1crypto import cms, parser

from haidang.crypto.coroutines import finished
from haidang.crypto.trust import Trust, load_trust
from haidang.crypto.verifying import Options, verify
from tests.crypto.small_pdf import appended, stream
from tests.crypto.small_pki import small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haidang.crypto.verdicts import DocumentVerdict

SAMPLES = Path(__file__).parent / "dss" / "samples"
MADE = {
    name: dt.datetime.fromisoformat(one)
    for name, one in json.loads((SAMPLES / "made.json").read_text()).items()
}
NOT_SIGNED = {"language.xml", "made.json", "named.xml", "report.csv", "report.pdf", "report.xml"}
BOTH = ("report.csv", "report.xml")
PERSON, RSA = "Nguyễn Thị Ánh", "Trần Văn Bình"


class Expected(NamedTuple):
    """What is said of a sample on the day that it was signed."""

    kind: str
    level: str
    covers: tuple[str, ...] = ()
    signer: str = PERSON
    notes: frozenset[str] = frozenset()


PDF_NOTES = {
    "b": frozenset({"unchanged"}),
    "t": frozenset({"unchanged"}),
    "lt": frozenset({"changed-as-allowed"}),
    "lta": frozenset({"changed-as-allowed"}),
}
SIGNED = {
    "report.csv.lta.p7s": Expected("cms", "CAdES-B-LTA"),
    "enveloping-lta.p7m": Expected("cms", "CAdES-B-LTA"),
    "cades-lta.asice": Expected("asic-e", "ASiC-E/CAdES-B-LTA", BOTH),
    "pades-t-pss.pdf": Expected("pdf", "PAdES-B-T", signer=RSA, notes=PDF_NOTES["t"]),
    "report.csv.t-rsa.p7s": Expected("cms", "CAdES-B-T", signer=RSA),
    "cades-t.asics": Expected("asic-s", "ASiC-S/CAdES-B-T", ("report.csv",)),
    "cades-several-t.asics": Expected("asic-s", "ASiC-S/CAdES-B-T", ("package.zip",)),
}
for _level, _notes in PDF_NOTES.items():
    SIGNED[f"pades-{_level}.pdf"] = Expected("pdf", f"PAdES-B-{_level.upper()}", notes=_notes)
for _level in ("b", "t", "lt"):
    SIGNED[f"report.csv.{_level}.p7s"] = Expected("cms", f"CAdES-B-{_level.upper()}")
    SIGNED[f"enveloping-{_level}.p7m"] = Expected("cms", f"CAdES-B-{_level.upper()}")
    SIGNED[f"cades-{_level}.asice"] = Expected("asic-e", f"ASiC-E/CAdES-B-{_level.upper()}", BOTH)
for _level in ("b", "t", "lt", "lta"):
    SIGNED[f"enveloped-{_level}.xml"] = Expected("xml", f"XAdES-B-{_level.upper()}", ("/",))
    SIGNED[f"xades-{_level}.asice"] = Expected("asic-e", f"ASiC-E/XAdES-B-{_level.upper()}", BOTH)
SIGNED["xades-t.asics"] = Expected("asic-s", "ASiC-S/XAdES-B-T", ("report.csv",))
SIGNED["enveloped-older-t.xml"] = Expected("xml", "XAdES-B-T", ("/",))
SIGNED["enveloped-inclusive-t.xml"] = Expected("xml", "XAdES-B-T", ("/",))
SIGNED["enveloped-t-rsa.xml"] = Expected("xml", "XAdES-B-T", ("/",), signer=RSA)
SIGNED["detached-t.xml"] = Expected("xml", "XAdES-B-T", ("report.csv",))
SIGNED["internally-detached-t.xml"] = Expected(
    "xml", "XAdES-B-T", ("#report",), notes=frozenset({"frame-not-covered"})
)
SIGNED["enveloping-t.xml"] = Expected("xml", "XAdES-B-T", ("#OBJECT",))


def test_every_sample_is_expected_to_be_something() -> None:
    assert {one.name for one in SAMPLES.iterdir() if one.is_file()} == set(SIGNED) | NOT_SIGNED


@cache
def trust() -> Trust:
    return load_trust(SAMPLES / "trust")


def verdict_on(path: Path, at: str = "verified", believed: Trust | None = None) -> DocumentVerdict:
    beside = path.name.startswith("report.csv.") or path.name == "detached-t.xml"
    options = Options(content=SAMPLES / "report.csv") if beside else Options()
    return verify(path, trust() if believed is None else believed, now=MADE[at], options=options)


def without_evidence() -> Trust:
    """Return trust in the root alone: a signature must bring everything else along."""
    return trust()._replace(authorities=(), crls=())


def later() -> Trust:
    """Return what is known in five years: the signers' certificates ended, the first TSA's key was stolen."""
    return trust()._replace(crls=tuple(one.read_bytes() for one in sorted((SAMPLES / "later").iterdir())))


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_what_dss_signed_holds(name: str) -> None:
    expected = SIGNED[name]
    verdict = verdict_on(SAMPLES / name)
    first = verdict.signatures[0]
    assert (verdict.kind, verdict.indication, first.subindication) == (expected.kind, "TOTAL-PASSED", "")
    covers = tuple("#OBJECT" if one.startswith("#o-") else one for one in first.covers)  # DSS's id of it
    assert (first.level, covers) == (expected.level, expected.covers)
    assert first.signer is not None
    assert first.signer.name == expected.signer
    assert {reason.code for reason in (*first.reasons, *verdict.reasons)} == expected.notes
    claimed = first.claimed_time
    assert claimed is not None
    assert abs(claimed - MADE["signed"]) < dt.timedelta(minutes=5)
    if expected.level.endswith("-B-B"):
        assert first.proven_time is None
    else:
        assert first.proven_time is not None
        assert abs(first.proven_time - MADE["signed"]) < dt.timedelta(minutes=5)
        assert first.time_authority is not None
        assert first.time_authority.name == "Dấu thời gian Tỉnh Mẫu"


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_only_what_brings_its_evidence_along_holds_by_the_root_alone(name: str) -> None:
    verdict = verdict_on(SAMPLES / name, believed=without_evidence())
    first = verdict.signatures[0]
    if first.level.endswith(("-LT", "-LTA")):
        assert first.holds
    else:
        assert (first.indication, first.subindication) == ("INDETERMINATE", "TRY_LATER")


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_in_five_years_only_an_archive_timestamp_still_proves(name: str) -> None:
    """The certificates have ended, and whoever stole the key of the first TSA may stamp any time."""
    verdict = verdict_on(SAMPLES / name, at="later", believed=later())
    first = verdict.signatures[0]
    if "lta" in name:
        assert verdict.holds
        assert "certificate-expired-since" in {reason.code for reason in first.reasons}
    else:
        assert (first.indication, first.subindication) == ("INDETERMINATE", "OUT_OF_BOUNDS_NO_POE")


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_nothing_of_it_holds_without_the_root(name: str) -> None:
    first = verdict_on(SAMPLES / name, believed=Trust()).signatures[0]
    assert (first.indication, first.subindication) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")


@pytest.mark.parametrize("name", sorted(SIGNED))
def test_a_changed_byte_changes_nothing_that_counts(name: str, tmp_path: Path) -> None:
    """Most changed bytes are refused; what still holds says the same of who, what and when."""
    content = (SAMPLES / name).read_bytes()
    genuine = verdict_on(SAMPLES / name).signatures[0]
    path = tmp_path / name
    refused = 0
    positions = range(3, len(content), max(1, len(content) // 20))
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 0x04
        path.write_bytes(changed)
        verdict = verdict_on(path)
        if not verdict.holds:
            refused += 1
            continue
        one = verdict.signatures[0]
        assert (one.signer, one.claimed_time, one.covers) == (
            genuine.signer,
            genuine.claimed_time,
            genuine.covers,
        )
        assert one.proven_time in {None, genuine.proven_time}
    # The padding of a PDF's signatures, and evidence that is not needed on the day, may change.
    assert refused >= len(positions) // 4, (refused, len(positions))


def test_an_answer_of_a_key_on_a_curve_that_nobody_knows_is_not_believed(tmp_path: Path) -> None:
    content = (SAMPLES / "enveloping-lt.p7m").read_bytes()
    curve, unknown = b"\x2a\x86\x48\xce\x3d\x03\x01\x07", b"\x2a\x86\x48\xce\x3d\x07\x01\x07"
    first, *answers = content.split(b"OCSP")
    assert answers
    path = tmp_path / "unknown-curve.p7m"
    path.write_bytes(b"OCSP".join([first, *(one.replace(curve, unknown, 1) for one in answers)]))
    (one,) = verdict_on(path, believed=without_evidence()).signatures
    assert one.indication == "INDETERMINATE"


@pytest.mark.parametrize("name", sorted(one for one in SIGNED if one.endswith(".p7s")))
def test_a_signature_is_of_its_document_alone(name: str, tmp_path: Path) -> None:
    other = tmp_path / "report.csv"
    other.write_bytes((SAMPLES / "report.csv").read_bytes().replace(b"3", b"9"))
    verdict = verify(SAMPLES / name, trust(), now=MADE["verified"], options=Options(content=other))
    (one,) = verdict.signatures
    assert (one.indication, one.subindication) == ("TOTAL-FAILED", "HASH_FAILURE")


@pytest.mark.parametrize("name", sorted(one for one in SIGNED if one.endswith(".p7m")))
def test_content_inside_cannot_be_exchanged(name: str, tmp_path: Path) -> None:
    content = (SAMPLES / name).read_bytes()
    assert content.count(b",3\n") == 1
    path = tmp_path / name
    path.write_bytes(content.replace(b",3\n", b",9\n"))
    (one,) = verdict_on(path).signatures
    assert (one.indication, one.subindication) == ("TOTAL-FAILED", "HASH_FAILURE")


@pytest.mark.parametrize("name", sorted(one for one in SIGNED if one.endswith(".xml")))
def test_xml_that_is_altered_or_added_to_fails(name: str, tmp_path: Path) -> None:
    content = (SAMPLES / name).read_bytes()
    last = content.rindex(b"</")
    path = tmp_path / name
    for changed in (
        content.replace("Sở Y tế".encode(), "Sở Xây dựng".encode()),
        content[:last] + b"<paid/>" + content[last:],
        content[:last] + b"paid" + content[last:],
        b"<file>" + content[content.index(b"?>") + 2 :] + b"<paid/></file>",
    ):
        path.write_bytes(changed)
        assert changed == content or verdict_on(path).indication == "TOTAL-FAILED"


def packed(members: list[tuple[str, bytes]]) -> bytes:
    """Return a container as an attacker packs it anew."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name, content in members:
            file.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


def unpacked(name: str) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(SAMPLES / name) as file:
        return [(one, file.read(one)) for one in file.namelist()]


def _document_replaced(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [
        (name, b"changed" if name in {"report.csv", "package.zip"} else content) for name, content in members
    ]


def _document_added(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [*members, ("extra.txt", b"smuggled")]


def _document_removed(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [one for one in members if one[0] not in {"report.csv", "package.zip"}]


def _signed_renamed(members: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The document is kept where the signature finds it, and another takes its place for the reader."""
    renamed = [(f"old/{name}" if name == "report.csv" else name, content) for name, content in members]
    return [*renamed, ("report.csv", b"shown")]


FORGERIES: dict[str, Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]] = {
    "document-replaced": _document_replaced,
    "document-added": _document_added,
    "document-removed": _document_removed,
    "signed-renamed": _signed_renamed,
}


@pytest.mark.parametrize("name", sorted(one for one in SIGNED if ".asic" in one))
@pytest.mark.parametrize("forgery", sorted(FORGERIES))
def test_a_container_that_is_packed_anew_fails(name: str, forgery: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(packed(unpacked(name)))
    assert verdict_on(path).holds, "packed anew without a change"
    path.write_bytes(packed(FORGERIES[forgery](unpacked(name))))
    assert verdict_on(path).indication == "TOTAL-FAILED"


def wrapped_manifests() -> Iterator[tuple[str, list[tuple[str, bytes]], str]]:
    """Yield containers in which the signed manifest is kept and another one leads the reader."""
    members = dict(unpacked("cades-t.asice"))
    manifest = members["META-INF/ASiCManifest001.xml"]
    forged = manifest.replace(b"report.csv", b"shown.csv")
    first = {**members, "META-INF/ASiCManifest000.xml": forged, "shown.csv": members["report.csv"]}
    yield "two manifests", list(first.items()), "manifest-ambiguous"
    second = {**members, "META-INF/ASiCManifest001.xml": forged, "shown.csv": members["report.csv"]}
    second["META-INF/old.xml"] = manifest
    del second["report.csv"]
    yield "another manifest", list(second.items()), "content-changed"


@pytest.mark.parametrize("case", list(wrapped_manifests()), ids=lambda case: case[0])
def test_a_container_with_an_exchanged_manifest_fails(
    case: tuple[str, list[tuple[str, bytes]], str], tmp_path: Path
) -> None:
    path = tmp_path / "cades-t.asice"
    path.write_bytes(packed(case[1]))
    verdict = verdict_on(path)
    assert verdict.indication == "TOTAL-FAILED"
    assert case[2] in {reason.code for one in verdict.signatures for reason in one.reasons}


@pytest.mark.parametrize("name", sorted(one for one in SIGNED if one.endswith(".pdf")))
def test_a_page_that_is_rewritten_after_signing_fails(name: str, tmp_path: Path) -> None:
    content = (SAMPLES / name).read_bytes()
    path = tmp_path / name
    other = stream(b"BT /F1 18 Tf 72 720 Td (Another report) Tj ET")
    path.write_bytes(appended(content, {5: other}))
    verdict = verdict_on(path)
    assert verdict.indication == "TOTAL-FAILED"
    assert verdict.signatures[0].subindication == "HASH_FAILURE"


@pytest.mark.parametrize("name", sorted(one for one in SIGNED if one.endswith(".pdf")))
def test_a_page_that_is_altered_in_place_fails(name: str, tmp_path: Path) -> None:
    content = (SAMPLES / name).read_bytes()
    assert content.count(b"Bao cao") == 1
    path = tmp_path / name
    path.write_bytes(content.replace(b"Bao cao", b"Ban sao"))
    verdict = verdict_on(path)
    assert verdict.indication == "TOTAL-FAILED"
    assert verdict.signatures[0].subindication == "HASH_FAILURE"


@pytest.mark.parametrize("name", sorted(one for one in SIGNED if one.endswith(".pdf")))
def test_a_signature_that_is_wrapped_fails(name: str, tmp_path: Path) -> None:
    """The second part of what is signed is moved behind what an attacker puts before it (SWA)."""
    content = (SAMPLES / name).read_bytes()
    at = content.index(b"/ByteRange [") + len(b"/ByteRange [")
    end = content.index(b"]", at)
    _, first, second, length = (int(one) for one in content[at:end].split())
    smuggled = b"\n5 0 obj\n%s\nendobj\n" % stream(b"BT /F1 18 Tf 72 720 Td (Another) Tj ET")
    moved = b"0 %d %d %d" % (first, second + len(smuggled), length)
    assert len(moved) <= end - at
    head = content[:at] + moved.ljust(end - at) + content[end:second]
    path = tmp_path / name
    path.write_bytes(head + smuggled + content[second:])
    assert verdict_on(path).indication == "TOTAL-FAILED"


def with_attributes(change: Callable[[list[cms.CMSAttribute]], list[cms.CMSAttribute]]) -> bytes:
    """Return a signature with an archive timestamp, with other unsigned attributes."""
    info = cms.ContentInfo.load((SAMPLES / "report.csv.lta.p7s").read_bytes())
    signer = info["content"]["signer_infos"][0]
    # As octets: asn1crypto encodes no attribute of which the name was added after it first looked at one.
    octets = b"".join(one.dump() for one in change(list(signer["unsigned_attrs"])))
    signer["unsigned_attrs"] = cms.CMSAttributes.load(parser.emit(0, 1, 17, octets))
    der: bytes = info.dump()
    return der


@pytest.mark.parametrize("at", ["verified", "later"])
def test_what_an_archive_timestamp_is_of_cannot_be_taken_away(at: str, tmp_path: Path) -> None:
    path = tmp_path / "report.csv.lta.p7s"
    stamp = "1.2.840.113549.1.9.16.2.14"
    path.write_bytes(with_attributes(lambda held: [one for one in held if one["type"].dotted != stamp]))
    (one,) = verdict_on(path, at, later() if at == "later" else trust()).signatures
    assert not one.holds
    assert "unsigned_attrs" in str(one.reasons[-1].message)


def test_an_archive_timestamp_proves_nothing_of_what_was_added_since(tmp_path: Path) -> None:
    """Whoever has the key of an authority of which the certificate ended may stamp any time."""
    signature = cms.ContentInfo.load((SAMPLES / "report.csv.lta.p7s").read_bytes())
    value = signature["content"]["signer_infos"][0]["signature"].native
    digest = hashlib.sha256(value).digest()
    token = finished(small_tsa(days=365).stamper.async_timestamp(digest, "sha256"))
    attribute = cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [token]})
    path = tmp_path / "report.csv.lta.p7s"
    path.write_bytes(with_attributes(lambda held: [attribute, *held]))
    other = small_pki().trust()
    both = later()._replace(
        anchors=(*later().anchors, *other.anchors),
        authorities=(*later().authorities, *other.authorities),
        crls=(*later().crls, *other.crls),
    )
    (one,) = verdict_on(path, "later", both).signatures
    assert (one.indication, one.subindication) == ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE")
