"""Makes the samples of this folder anew: ``python -m tests.crypto.verifying.dss.make``; by hand, not in CI.

EU DSS (a Java program; its version is in ``pom.xml``) signs with keys that live for the run and whose
certificates this project's authority issued, with timestamps of this project's authority and with its CRLs
and OCSP answers. It needs Java 17, Maven and Maven's registry; all servers listen on the loopback alone.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from haidang.crypto.keys import Algorithm, make_key
from haidang.crypto.pki.issuing import (
    NOWHERE,
    Issuer,
    Places,
    Revoked,
    Wanted,
    build_crl,
    issue_certificate,
    subject_name,
)
from haidang.crypto.pki.ocsp_server import OcspServer
from haidang.crypto.pki.profiles import load_profiles
from haidang.crypto.pki.records import Kept
from haidang.crypto.pki.responder import answer, make_responder
from haidang.crypto.signers import Signatory
from haidang.crypto.timestamps.authority import TimestampAuthority
from haidang.crypto.timestamps.server import TimestampServer
from tests.crypto.small_pdf import classic_pdf
from tests.crypto.verifying.dss.running import HERE, run_java

if TYPE_CHECKING:
    from collections.abc import Iterator

YEAR = dt.timedelta(days=365)
LATER = 5 * YEAR
"""When the signers' certificates have ended; a year after signing, the key of the first TSA was stolen."""
SAMPLES = HERE / "samples"
INPUTS = {
    "report.csv": "đơn vị,số vụ\nSở Y tế,3\n".encode(),
    "report.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<report xmlns="urn:example:report"><unit>Sở Y tế'
    '</unit><incidents year="2026">3</incidents></report>\n'.encode(),
    "named.xml": '<report Id="report"><unit>Sở Y tế</unit></report>\n'.encode(),
    "language.xml": '<?xml version="1.0" encoding="UTF-8"?>\n<?shown as="table"?>'
    '<report xmlns="urn:example:report" xmlns:x="urn:example:more" xml:lang="vi">'
    '<unit x:code="1">Sở Y tế</unit></report>\n'.encode(),
    "report.pdf": classic_pdf(),
}


class Authority:
    """A root, an issuing authority, and what it issued."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.kept: dict[str, Kept] = {}
        begin = now - dt.timedelta(days=30)
        profiles = load_profiles()
        root_key, key = make_key(), make_key()
        name = subject_name({"C": "VN", "O": "Tỉnh Mẫu", "CN": "Gốc chứng thực Tỉnh Mẫu"})
        root = issue_certificate(
            None, Wanted(name, root_key.public_key(), profiles["root"]), now=begin, own_key=root_key
        )
        self.root = Issuer(root, root_key)
        name = subject_name({"C": "VN", "O": "Tỉnh Mẫu", "CN": "Cấp phát Tỉnh Mẫu"})
        wanted = Wanted(name, key.public_key(), profiles["issuing"])
        self.issuing = Issuer(issue_certificate(self.root, wanted, now=begin), key)
        self.profiles = profiles

    def issue(
        self, name: str, profile: str, places: Places = NOWHERE, algorithm: Algorithm = "ecdsa-p256"
    ) -> Signatory:
        """Return a new key with its certificate."""
        key = make_key(algorithm)
        subject = subject_name({"C": "VN", "O": "Sở Y tế tỉnh Mẫu", "OU": "Phòng Văn thư", "CN": name})
        wanted = Wanted(subject, key.public_key(), self.profiles[profile])
        certificate = issue_certificate(self.issuing, wanted, now=self.now, places=places)
        serial = f"{certificate.serial_number:x}"
        self.kept[serial] = Kept(serial, "first", b"", profile, name, "", "", "")
        return Signatory(key, certificate, (self.issuing.certificate,))

    def crls(self, now: dt.datetime, *revoked: Revoked) -> Iterator[tuple[str, bytes]]:
        """Yield the names and the DER of both revocation lists."""
        for name, issuer, entries in (("root", self.root, ()), ("issuing", self.issuing, revoked)):
            crl = build_crl(issuer, entries, number=int(now.timestamp()), now=now)
            yield f"{name}.crl", crl.public_bytes(Encoding.DER)


def make(folder: Path) -> None:
    """Write everything that DSS needs to ``folder``, and have it sign."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    authority = Authority(now)
    responder = make_responder(authority.issuing.certificate, *_pair(authority.issue("Trả lời OCSP", "ocsp")))

    def respond(request: bytes) -> bytes:
        moment = dt.datetime.now(dt.UTC)
        return answer(request, [responder], lambda serial: (authority.kept.get(serial), None), now=moment)

    ocsp = OcspServer("127.0.0.1", 0, respond)
    places = Places(ocsp=(f"http://127.0.0.1:{ocsp.port}/",))
    stamps = authority.issue("Dấu thời gian Tỉnh Mẫu", "timestamp", places)
    archive_stamps = authority.issue("Dấu thời gian lưu trữ", "timestamp", places)
    servers = [_tsa(stamps), _tsa(archive_stamps)]
    for name in ("inputs", "signed", "later"):
        (folder / name).mkdir()
    for name, content in INPUTS.items():
        (folder / "inputs" / name).write_bytes(content)
    for name, issuer in (("root", authority.root), ("issuing", authority.issuing)):
        (folder / f"{name}.crt").write_bytes(issuer.certificate.public_bytes(Encoding.DER))
    for name, crl in authority.crls(now):
        (folder / name).write_bytes(crl)
    stolen = Revoked(stamps.certificate.serial_number, now + YEAR, "keyCompromise")
    for name, crl in authority.crls(now + LATER, stolen):
        (folder / "later" / name).write_bytes(crl)
    _keys(folder / "person.p12", authority.issue("Nguyễn Thị Ánh", "person", places), authority)
    _keys(folder / "rsa.p12", authority.issue("Trần Văn Bình", "person", places, "rsa-3072"), authority)
    for server in (ocsp, *servers):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        run_java(
            folder / "build",
            "SignSamples",
            str(folder),
            *(f"http://127.0.0.1:{one.server_address[1]}/" for one in servers),
        )
    finally:
        for server in (ocsp, *servers):
            server.shutdown()
    _keep(folder, now)


def _tsa(signatory: Signatory) -> TimestampServer:
    authority = TimestampAuthority(signatory, clock=lambda: dt.datetime.now(dt.UTC))
    return TimestampServer(authority, ("127.0.0.1", 0))


def _pair(signatory: Signatory) -> tuple[Any, Any]:
    return signatory.certificate, signatory.key


def _keys(path: Path, signatory: Signatory, authority: Authority) -> None:
    chain = [*signatory.authorities, authority.root.certificate]
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"signer", signatory.key, signatory.certificate, chain, BestAvailableEncryption(b"samples")
        )
    )


def _keep(folder: Path, now: dt.datetime) -> None:
    """Copy what is checked in: the samples, what was signed, and what to trust; no key."""
    if SAMPLES.exists():
        shutil.rmtree(SAMPLES)
    shutil.copytree(folder / "signed", SAMPLES)
    for name in INPUTS:
        shutil.copy(folder / "inputs" / name, SAMPLES)
    for kind, name in (("anchors", "root.crt"), ("authorities", "issuing.crt")):
        (SAMPLES / "trust" / kind).mkdir(parents=True)
        shutil.copy(folder / name, SAMPLES / "trust" / kind)
    for place, source in (("trust/revocation", folder), ("later", folder / "later")):
        (SAMPLES / place).mkdir()
        for name in ("root.crl", "issuing.crl"):
            shutil.copy(source / name, SAMPLES / place)
    made = {
        "signed": now.isoformat(),
        "verified": (now + dt.timedelta(hours=1)).isoformat(),
        "later": (now + LATER + dt.timedelta(hours=1)).isoformat(),
    }
    (SAMPLES / "made.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        make(Path(temporary))
