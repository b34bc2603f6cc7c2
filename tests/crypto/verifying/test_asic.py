from __future__ import annotations

import asyncio
import hashlib
import io
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from haidang.crypto.containers.manifest import Reference, write_manifest
from haidang.crypto.containers.zip_writing import ZipWriter
from haidang.crypto.signing.asic import ASIC_E, MANIFEST, SIGNATURE, Item, write_container
from haidang.crypto.signing.cades import sign_digest
from haidang.crypto.trust import Trust
from haidang.crypto.verifying.asic import recognises, verified_contents, verify_file
from haidang.crypto.verifying.wording import verdict_lines
from tests.crypto.small_pki import MOMENT, small_pki
from tests.crypto.small_tsa import small_tsa

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.crypto.verdicts import DocumentVerdict

ASIC_S = "application/vnd.etsi.asic-s+zip"
TOKEN = "META-INF/timestamp.tst"


def container(path: Path, **files: bytes) -> Path:
    """Write a container signed by the test authority's person."""
    pki = small_pki()
    items = [Item(name.replace("_", "."), content, MOMENT) for name, content in files.items()]
    with path.open("wb") as stream:
        write_container(stream, items, pki.signatory(), now=MOMENT)
    return path


def test_a_signed_container_holds_and_names_what_is_covered(tmp_path: Path) -> None:
    path = container(tmp_path / "c.asice", report_txt=b"hello", table_csv=b"a,b\n")
    assert recognises(path.read_bytes()[:100])
    verdict, kept = verified_contents(path, small_pki().trust(), now=MOMENT, wanted={"report.txt"})
    assert verdict.holds, verdict.to_json()
    assert verdict.signatures[0].covers == ("report.txt", "table.csv")
    assert kept == {"report.txt": b"hello"}


def test_openssl_verifies_the_signature_over_the_manifest(tmp_path: Path) -> None:
    path = container(tmp_path / "c.asice", report_txt=b"hello")
    with zipfile.ZipFile(path) as file:
        (tmp_path / "manifest").write_bytes(file.read(MANIFEST))
        (tmp_path / "signature").write_bytes(file.read(SIGNATURE))
    from haidang.crypto.certificates import write_certificates

    write_certificates([small_pki().root.certificate], tmp_path / "root.pem")
    command = (
        "openssl cms -verify -cades -binary -inform DER -in signature -content manifest -CAfile root.pem"
    )
    done = subprocess.run(
        [*command.split(), "-attime", str(int(MOMENT.timestamp())), "-purpose", "any", "-out", "/dev/null"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_file_that_is_added_is_named_as_not_covered(tmp_path: Path) -> None:
    path = container(tmp_path / "c.asice", report_txt=b"hello")
    content = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(content, "a") as file:
        file.writestr("extra.txt", "smuggled")
    path.write_bytes(content.getvalue())
    verdict = verify_file(path, small_pki().trust(), now=MOMENT)
    assert verdict.indication == "TOTAL-FAILED"
    assert [reason.code for reason in verdict.reasons] == ["file-not-covered"]
    assert "extra.txt" in str(verdict.reasons[0].message)


FILES = {"report.txt": b"hello", "table.csv": b"a,b\n"}


def stamped(
    path: Path,
    files: dict[str, bytes],
    *,
    kind: str = ASIC_E,
    over: bytes | None = None,
    more: dict[str, bytes] | None = None,
) -> Path:
    """Write a container with a timestamp in place of a signature, ASiC-S where there is no manifest."""
    members = {"mimetype": kind.encode(), **files}
    if kind == ASIC_E:
        references = [Reference(name, hashlib.sha256(content).digest()) for name, content in files.items()]
        what = write_manifest(TOKEN, references, mime="application/vnd.etsi.timestamp-token")
        members[MANIFEST] = what
    else:
        what = next(iter(files.values()))
    token = asyncio.run(small_tsa().stamper.async_timestamp(hashlib.sha256(over or what).digest(), "sha256"))
    members[TOKEN] = token.dump()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, **(more or {})}.items():
            archive.writestr(name, content)
    return path


def judged(path: Path, *, trust: Trust | None = None) -> DocumentVerdict:
    return verify_file(path, trust or small_pki().trust(), now=MOMENT)


@pytest.mark.parametrize(("kind", "files"), [(ASIC_E, FILES), (ASIC_S, {"report.txt": b"hello"})])
def test_a_timestamp_in_place_of_a_signature_proves_a_time_and_that_nobody_signed(
    kind: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    verdict = judged(stamped(tmp_path / "c.zip", files, kind=kind))
    (stamp,) = verdict.signatures
    assert (stamp.indication, stamp.level, stamp.proven_time) == ("TOTAL-PASSED", "RFC3161", MOMENT)
    assert stamp.covers == tuple(files)
    assert [reason.code for reason in verdict.reasons] == ["timestamp-alone"]
    assert str(MOMENT) in str(verdict.reasons[0].message)
    assert not verdict.holds
    said = list(verdict_lines(verdict, str))
    assert said[0].endswith("not signed")
    assert any("unchanged since it was stamped" in line for line in said)


def test_a_file_that_was_altered_after_the_timestamp_is_named(tmp_path: Path) -> None:
    path = stamped(tmp_path / "c.asice", FILES)
    # The zip's own check sums are right: whoever alters a file makes a sound container of it.
    with zipfile.ZipFile(path) as archive:
        members = {one.filename: archive.read(one) for one in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, was in members.items():
            archive.writestr(name, b"hullo" if name == "report.txt" else was)
    (stamp,) = judged(path).signatures
    assert (stamp.subindication, stamp.proven_time) == ("HASH_FAILURE", None)
    assert [reason.code for reason in stamp.reasons] == ["file-altered"]


def test_a_timestamp_of_something_else_proves_nothing(tmp_path: Path) -> None:
    for kind in (ASIC_E, ASIC_S):
        verdict = judged(stamped(tmp_path / "c.zip", {"a": b"1"}, kind=kind, over=b"other"))
        (stamp,) = verdict.signatures
        assert [reason.code for reason in stamp.reasons] == ["timestamp-of-other"]
        assert "no timestamp that is believed" in str(verdict.reasons[0].message)


def test_a_timestamp_of_an_unknown_authority_is_not_believed(tmp_path: Path) -> None:
    (stamp,) = judged(stamped(tmp_path / "c.asice", FILES), trust=Trust()).signatures
    assert (stamp.indication, stamp.proven_time) == ("INDETERMINATE", None)


def test_a_file_that_no_timestamp_covers_is_named(tmp_path: Path) -> None:
    verdict = judged(stamped(tmp_path / "c.asice", FILES, more={"extra.txt": b"smuggled"}))
    assert [reason.code for reason in verdict.reasons] == ["timestamp-alone", "file-not-covered"]


def test_a_timestamp_without_a_manifest_or_over_two_files_is_of_nothing(tmp_path: Path) -> None:
    (stamp,) = judged(stamped(tmp_path / "c.asics", FILES, kind=ASIC_S)).signatures
    assert [reason.code for reason in stamp.reasons] == ["not-one-file"]
    path = stamped(tmp_path / "c.asice", FILES, more={"META-INF/timestamp9.tst": b"x"})
    assert [one.indication for one in judged(path).signatures] == ["TOTAL-PASSED", "TOTAL-FAILED"]


@pytest.mark.parametrize("token", [b"", b"\x30\x80", b"x" * 99])
def test_what_is_no_timestamp_is_said(token: bytes, tmp_path: Path) -> None:
    path = stamped(tmp_path / "c.asics", {"a": b"1"}, kind=ASIC_S)
    with zipfile.ZipFile(path) as archive:
        members = {one.filename: archive.read(one) for one in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, token if name == TOKEN else content)
    (stamp,) = judged(path).signatures
    assert stamp.indication == "TOTAL-FAILED"


def test_a_timestamp_covers_no_file_on_the_signer_s_behalf(tmp_path: Path) -> None:
    signed = container(tmp_path / "s.asice", report_txt=b"hello")
    stamp = stamped(tmp_path / "t.asice", {"extra.txt": b"smuggled"})
    with zipfile.ZipFile(stamp) as archive, zipfile.ZipFile(signed, "a") as into:
        into.writestr("META-INF/ASiCManifest9.xml", archive.read(MANIFEST))
        into.writestr(TOKEN, archive.read(TOKEN))
        into.writestr("extra.txt", b"smuggled")
    verdict = judged(signed)
    assert [one.indication for one in verdict.signatures] == ["TOTAL-PASSED", "TOTAL-PASSED"]
    assert [reason.code for reason in verdict.reasons] == ["file-not-covered"]
    assert not verdict.holds


def test_a_sound_signature_beside_a_wrong_timestamp_does_not_pass_in_silence(tmp_path: Path) -> None:
    signed = container(tmp_path / "s.asice", report_txt=b"hello")
    stamp = stamped(tmp_path / "t.asice", {"report.txt": b"hello"}, over=b"other")
    with zipfile.ZipFile(stamp) as archive, zipfile.ZipFile(signed, "a") as into:
        into.writestr("META-INF/ASiCArchiveManifest.xml", archive.read(MANIFEST))
        into.writestr(TOKEN, archive.read(TOKEN))
    verdict = judged(signed)
    assert [one.indication for one in verdict.signatures] == ["TOTAL-PASSED", "TOTAL-FAILED"]
    assert not verdict.holds


def test_no_flipped_bit_of_a_container_is_accepted(tmp_path: Path) -> None:
    """Of each byte one bit, what no file is made of as well: times, versions, attributes, padding.

    The signature has a test of its own; here, a few bytes of it have their turn.
    """
    path = tmp_path / "c.asice"
    items = [
        Item("Thư mục/", b"", MOMENT),
        Item("Thư mục/đã lưu.txt", b"stored", MOMENT),
        Item("streamed.txt", iter([b"in", b"pieces"]), MOMENT),
    ]
    with path.open("wb") as stream:
        write_container(stream, items, small_pki().signatory(), now=MOMENT)
    assert judged(path).holds
    content, accepted = path.read_bytes(), []
    signature = members_of(path)[SIGNATURE]
    begin = content.index(signature)
    for at in range(len(content)):
        if begin <= at < begin + len(signature) and at % 20:
            continue
        changed = bytearray(content)
        changed[at] ^= 1 << at % 8
        path.write_bytes(changed)
        if judged(path).holds:
            accepted.append(at)
    assert accepted == []


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {one.filename: archive.read(one) for one in archive.infolist()}


def packed(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Pack a container as another program does."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else method)
    return path


def signed(files: dict[str, bytes], manifest_name: str, signature_name: str) -> dict[str, bytes]:
    """Return a manifest that says nothing of the zip around it, and its signature."""
    references = [Reference(name, hashlib.sha256(content).digest()) for name, content in files.items()]
    manifest = write_manifest(signature_name, references)
    digest = hashlib.sha256(manifest).digest()
    signature = sign_digest(small_pki().signatory(), digest, "sha256", now=MOMENT)
    return {manifest_name: manifest, signature_name: signature}


def test_a_container_that_was_packed_anew_is_said_to_be_altered(tmp_path: Path) -> None:
    path = container(tmp_path / "c.asice", report_txt=b"hello")
    packed(path, members_of(path))
    verdict = judged(path)
    assert (verdict.indication, verdict.signatures[0].indication) == ("TOTAL-FAILED", "TOTAL-PASSED")
    assert [reason.code for reason in verdict.reasons] == ["container-altered"]
    assert judged(path, trust=Trust()).indication == "TOTAL-FAILED"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_container_of_another_program_is_not_asked_for_our_form(method: int, tmp_path: Path) -> None:
    members = {"mimetype": ASIC_E.encode(), **FILES, **signed(FILES, MANIFEST, SIGNATURE)}
    assert judged(packed(tmp_path / "c.asice", members, method)).holds


def test_a_container_that_we_wrote_before_manifests_said_so_holds_as_it_did(tmp_path: Path) -> None:
    path = tmp_path / "c.asice"
    with path.open("wb") as stream:
        writer = ZipWriter(stream)
        writer.add("mimetype", ASIC_E.encode(), MOMENT, plain=True)
        for name, content in {**FILES, **signed(FILES, MANIFEST, SIGNATURE)}.items():
            writer.add(name, content, MOMENT)
        writer.close()
    assert judged(path).holds
    packed(path, members_of(path))
    assert judged(path).holds


def test_who_adds_a_signature_may_write_the_zip_anew(tmp_path: Path) -> None:
    path = container(tmp_path / "c.asice", **{name.replace(".", "_"): one for name, one in FILES.items()})
    members = members_of(path)
    members |= signed(FILES, "META-INF/ASiCManifest002.xml", "META-INF/signature002.p7s")
    verdict = judged(packed(path, members))
    assert verdict.holds, verdict.to_json()
    assert len(verdict.signatures) == 2


def test_who_adds_what_does_not_hold_gains_nothing_by_it(tmp_path: Path) -> None:
    """A signature or timestamp that lets the form be another must hold itself."""
    path = container(tmp_path / "c.asice", report_txt=b"hello")
    members = members_of(path)
    for name in ("META-INF/signature002.p7s", "META-INF/signatures.xml", TOKEN, "META-INF/other.xml"):
        assert not judged(packed(path, members | {name: b"x"})).holds, name
