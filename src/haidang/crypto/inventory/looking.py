"""Folders → assets. What is in a file is told by its content; nothing is unlocked, and no link is followed.

Files come from anybody: one that cannot be parsed is named and passed over; sizes and counts are bounded.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import stat
from collections import Counter
from typing import TYPE_CHECKING, Any

from haidang.crypto.certificates import certificate_facts
from haidang.crypto.embedded import signatures_in
from haidang.crypto.extra import needs_extra
from haidang.crypto.inventory.model import Asset, Inventory
from haidang.crypto.keys import algorithm_of, key_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cryptography import x509

    from haidang.crypto.inventory.model import Kind

__all__ = ["find_assets"]

_LARGEST = 256 << 20
"""Larger files are PDFs or containers that only their head is looked at of."""
_HEAD = 4096
_MOST_FILES = 1_000_000
_MOST_BLOCKS = 2000

_NOTHING = "nothing in it can be read"
_EXPECTED = {
    **dict.fromkeys(
        (".cer", ".crl", ".crt", ".csr", ".der", ".key", ".p7b", ".p7m", ".p7s", ".pem"), _NOTHING
    ),
    **dict.fromkeys((".p12", ".pfx", ".jks"), "a locked store: only its passphrase shows what is in it"),
}
"""Suffixes of files in which something should be, and what to say where nothing is."""

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.{0,2000000}?)-----END \1-----", re.DOTALL)
_AGE = b"age-encryption.org/v1\n"
_AGE_STANZA = re.compile(rb"^-> ([!-~]{1,64})", re.MULTILINE)
_AGE_SECRET = re.compile(rb"AGE-SECRET-KEY-(PQ-)?1")
_AGE_NAMES = {"X25519": "x25519", "ssh-ed25519": "x25519", "ssh-rsa": "rsa", "p256tag": "ecdsa-p256"}


def find_assets(paths: Iterable[Path]) -> Inventory:
    """Return what is in ``paths``, folders with all that is below them; concerns are not judged yet."""
    assets: list[Asset] = []
    unread: list[tuple[str, str]] = []
    files = 0
    for path in _files(paths, unread):
        files += 1
        try:
            found = _assets_of(path)
            assets.extend(found)
            if not found and path.suffix.lower() in _EXPECTED:
                unread.append((str(path), _EXPECTED[path.suffix.lower()]))
        except OSError as error:
            unread.append((str(path), error.strerror or str(error)))
        except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
            unread.append((str(path), f"damaged: {type(error).__name__}"))
    return Inventory(tuple(_joined(assets)), (), tuple(unread), files)


def _files(paths: Iterable[Path], unread: list[tuple[str, str]]) -> Iterator[Path]:
    count = 0
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(
            path, onerror=lambda error: unread.append((str(error.filename), error.strerror or str(error)))
        ):
            folders.sort()
            for name in sorted(names):
                count += 1
                if count > _MOST_FILES:
                    unread.append((folder, f"more than {_MOST_FILES} files"))
                    return
                yield path.__class__(folder, name)


def _assets_of(path: Path) -> list[Asset]:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        return []
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        if head.startswith(_AGE):
            return _sealed(path, head + stream.read(1 << 20))
        if status.st_size > _LARGEST or not _may_hold(head, path):
            return []
        content = head + stream.read(_LARGEST)
    shared = bool(status.st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    return _of_content(content, path, shared=shared)


def _may_hold(head: bytes, path: Path) -> bool:
    """Return whether the head of a file is that of something with keys, certificates or signatures."""
    return (
        b"-----BEGIN" in head
        or head.startswith((b"%PDF-", b"PK\x03\x04"))
        or (head[:1] == b"{" and b'"haidang-secret"' in head)
        or _AGE_SECRET.search(head) is not None
        or (head[:1] == b"\x30" and len(head) > 64)
        or path.name == "token.json"
    )


def _of_content(content: bytes, path: Path, *, shared: bool) -> list[Asset]:
    if content.startswith((b"%PDF-", b"PK\x03\x04")):
        return [one for info in signatures_in(path) for one in _cms(info, str(path))]
    if content[:1] == b"{":
        return _locked(content, path, shared=shared)
    if b"-----BEGIN" in content:
        return _pem(content, path, shared=shared)
    if _AGE_SECRET.search(content):
        algorithm = "mlkem768x25519" if b"AGE-SECRET-KEY-PQ-1" in content else "x25519"
        return [Asset("private-key", str(path), "age", algorithm, protection="none", open_to_others=shared)]
    return _der(content, path)


def _pem(content: bytes, path: Path, *, shared: bool) -> list[Asset]:
    found: list[Asset] = []
    for number, block in enumerate(_PEM.finditer(content)):
        if number == _MOST_BLOCKS:
            break
        label = block[1].decode()
        if label.endswith("PRIVATE KEY"):
            found.append(_private_key(label, block[0], path, shared=shared))
        elif label in {"CERTIFICATE", "CMS", "PKCS7", "X509 CRL", "CERTIFICATE REQUEST", "PUBLIC KEY"}:
            try:
                der = base64.b64decode(re.sub(rb"\s+", b"", block[2]), validate=True)
            except binascii.Error:
                continue
            found.extend(_der(der, path))
    return found


def _private_key(label: str, pem: bytes, path: Path, *, shared: bool) -> Asset:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    protection, algorithm, identifier = "none", "", ""
    load = load_ssh_private_key if label == "OPENSSH PRIVATE KEY" else load_pem_private_key
    try:
        key = load(pem, None)
        algorithm, identifier = algorithm_of(key), key_id(key)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        protection = _encryption(label, pem)
    return Asset(
        "private-key",
        str(path),
        "",
        algorithm,
        key_id=identifier,
        protection=protection,
        open_to_others=shared,
    )


def _encryption(label: str, pem: bytes) -> str:
    """Return what protects an encrypted key, e.g. ``pbkdf2-2048``."""
    from asn1crypto import keys
    from asn1crypto import pem as asn1_pem

    if label == "OPENSSH PRIVATE KEY":
        return "bcrypt"
    if label != "ENCRYPTED PRIVATE KEY":
        return "md5"
    try:
        scheme = keys.EncryptedPrivateKeyInfo.load(asn1_pem.unarmor(pem)[2])["encryption_algorithm"]
        if scheme["algorithm"].native == "pbes2":
            derivation = scheme["parameters"]["key_derivation_func"]
            kind = derivation["algorithm"].native
            if kind == "pbkdf2":
                return f"pbkdf2-{derivation['parameters']['iteration_count'].native}"
            return str(kind)
        return str(scheme["algorithm"].native)
    except (ValueError, TypeError, KeyError):
        return "unknown"


def _der(content: bytes, path: Path) -> list[Asset]:
    """Return what one DER value is; nothing where it is none of the kinds that are known."""
    where = str(path)
    for parse in (_as_certificate, _as_public_key, _as_crl, _as_request):
        asset = parse(content, where)
        if asset is not None:
            return [asset]
    info = _as_cms(content)
    return [] if info is None else _cms(info, where)


def _as_cms(content: bytes) -> Any:
    """Return a ``cms.ContentInfo``, that of the token where ``content`` is a timestamp's answer, or None."""
    with needs_extra():
        from asn1crypto import cms, tsp
    try:
        info = cms.ContentInfo.load(content, strict=True)
        if info["content_type"].native == "signed_data":
            return info
    except (ValueError, TypeError, KeyError, OverflowError):
        pass
    try:
        answer = tsp.TimeStampResp.load(content, strict=True)
        return answer["time_stamp_token"] if answer["status"]["status"].native else None
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _as_certificate(content: bytes, where: str) -> Asset | None:
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(content)
    except ValueError:
        return None
    return _certificate(certificate, where)


def _certificate(certificate: x509.Certificate, where: str, kind: Kind = "certificate") -> Asset:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    facts = certificate_facts(certificate)
    try:
        digest = certificate.signature_hash_algorithm
        name = digest.name if digest is not None else ""
    except UnsupportedAlgorithm:
        name = ""
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        authority = basic.ca
    except (x509.ExtensionNotFound, ValueError):
        authority = False
    try:
        identifier = key_id(certificate.public_key())
    except (UnsupportedAlgorithm, ValueError):
        identifier = ""
    return Asset(
        kind,
        where,
        ", ".join(filter(None, (facts.name, facts.unit, facts.organisation))) or facts.subject,
        facts.algorithm,
        digest=name,
        begins=facts.not_before,
        ends=facts.not_after,
        key_id=identifier,
        issuer=facts.issuer,
        serial=facts.serial,
        authority=authority,
    )


def _as_public_key(content: bytes, where: str) -> Asset | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(content)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return Asset("public-key", where, "", algorithm_of(key), key_id=key_id(key))


def _as_crl(content: bytes, where: str) -> Asset | None:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        crl = x509.load_der_x509_crl(content)
        digest = crl.signature_hash_algorithm
    except ValueError:
        return None
    except UnsupportedAlgorithm:
        digest = None
    return Asset(
        "crl",
        where,
        crl.issuer.rfc4514_string(),
        "",
        digest=digest.name if digest is not None else "",
        begins=crl.last_update_utc,
        ends=crl.next_update_utc,
    )


def _as_request(content: bytes, where: str) -> Asset | None:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        request = x509.load_der_x509_csr(content)
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    name = request.subject.rfc4514_string()
    return Asset("request", where, name, algorithm_of(key), key_id=key_id(key))


def _cms(info: Any, where: str) -> list[Asset]:
    """Return the signatures of a CMS, each with its signer's certificate, and timestamps as such."""
    from cryptography import x509

    if info["content_type"].native != "signed_data":
        return []
    signed = info["content"]
    is_token = signed["encap_content_info"]["content_type"].native == "tst_info"
    certificates = [
        x509.load_der_x509_certificate(choice.chosen.dump())
        for choice in (signed["certificates"] or ())
        if choice.name == "certificate"
    ]
    found: list[Asset] = []
    for signer in signed["signer_infos"]:
        sid = signer["sid"].chosen
        serial = getattr(sid, "native", None)
        number = serial.get("serial_number") if isinstance(serial, dict) else None
        mine = [one for one in certificates if one.serial_number == number]
        digest = str(signer["digest_algorithm"]["algorithm"].native)
        kind: Kind = "timestamp" if is_token else "signature"
        if mine:
            found.append(_certificate(mine[0], where, kind)._replace(digest=digest))
        else:
            found.append(Asset(kind, where, "", "", digest=digest))
    return found


def _sealed(path: Path, head: bytes) -> list[Asset]:
    header = head.partition(b"\n--- ")[0]
    counts = Counter(match[1].decode() for match in _AGE_STANZA.finditer(header))
    return [
        Asset("sealed-file", str(path), f"{count} × {kind}", _AGE_NAMES.get(kind, kind.lower()))
        for kind, count in counts.items()
        # Stanzas that age adds so that readers get used to unknown ones.
        if not kind.endswith("-grease")
    ]


def _locked(content: bytes, path: Path, *, shared: bool) -> list[Asset]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return []
    if not isinstance(data, dict):
        return []
    if data.get("format") == "haidang-secret":
        kind = data.get("kind")
        return [
            Asset(
                "private-key",
                str(path),
                str(kind),
                "x25519" if kind == "age" else "",
                key_id=str(data.get("key_id", "")),
                protection=str(data.get("kdf", "")),
                open_to_others=shared,
            )
        ]
    if path.name == "token.json" and "module" in data:
        return [Asset("private-key", str(path), str(data.get("token", "")), "", protection="token")]
    return []


def _joined(assets: list[Asset]) -> list[Asset]:
    """Return the assets; a locked key gets algorithm and name of the certificate that has its public part."""
    certificates = {one.key_id: one for one in assets if one.kind == "certificate" and one.key_id}
    joined = []
    for one in assets:
        holder = certificates.get(one.key_id) if one.kind == "private-key" else None
        if holder is not None:
            joined.append(one._replace(algorithm=one.algorithm or holder.algorithm, name=holder.name))
        else:
            joined.append(one)
    return joined
