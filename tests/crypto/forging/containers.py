"""Containers and sealed files as attackers and accidents make them, each with what it must get.

``containers()`` are for ``haidang verify``, ``sealed_files()`` for ``haidang open``. Everything is made anew
from a small authority of the test's own, at one fixed moment, so that nothing has to be checked in.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pyrage

from haidang.crypto.containers.manifest import Reference, write_manifest
from haidang.crypto.sealing import Recipient, SealOptions, seal
from haidang.crypto.sealing.envelope import ENVELOPE
from haidang.crypto.sealing.keys import make_sealing_key
from haidang.crypto.signing.asic import ASIC_E, MANIFEST, SIGNATURE, Item, write_container
from tests.crypto.small_pki import MOMENT, small_pki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from haidang.crypto.signers import Signatory

__all__ = ["RECEIVER", "STRANGER", "ForgedContainer", "ForgedSeal", "containers", "sealed_files"]

RECEIVER = make_sealing_key()
STRANGER = make_sealing_key()

_XML = b"<?xml version='1.0'?>"


class ForgedContainer(NamedTuple):
    """A container, and what verification must say of it."""

    name: str
    content: bytes
    indication: str
    code: str
    """Code of a reason that must be given; "" where everything holds."""
    suffix: str = ".asice"


class ForgedSeal(NamedTuple):
    """A sealed file, and the error that opening must raise."""

    name: str
    content: bytes
    error: str
    """Class of the error."""
    code: str = ""
    """Its code, where it has one."""


@dataclass
class Entry:
    """One member of a zip, with what its own header and the directory say of it."""

    name: bytes
    content: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    central: dict[str, Any] = field(default_factory=dict)
    packed: bytes | None = None
    in_directory: bool = True


def zipped(
    entries: Sequence[Entry], *, front: bytes = b"", behind: bytes = b"", comment: bytes = b""
) -> bytes:
    """Return a zip that says exactly what it is told to say, true or not."""
    out, offsets = io.BytesIO(), []
    out.write(front)
    for one in entries:
        offsets.append(out.tell())
        data = one.content if one.packed is None else one.packed
        true = _fields(one, data) | one.local
        out.write(
            struct.pack(
                "<4s5H3I2H", b"PK\x03\x04", 20, true["flags"], true["method"], 0, 0x5C21, true["crc"],
                true["compressed"], true["size"], len(true["name"]), len(true["extra"]),
            ) + true["name"] + true["extra"] + data
        )  # fmt: skip
    begin = out.tell()
    listed = [(one, at) for one, at in zip(entries, offsets, strict=True) if one.in_directory]
    for one, offset in listed:
        data = one.content if one.packed is None else one.packed
        true = _fields(one, data) | {"offset": offset, "maker": 3} | one.central
        out.write(
            struct.pack(
                "<4s6H3I5H2I", b"PK\x01\x02", true["maker"] << 8 | 20, 20, true["flags"], true["method"], 0,
                0x5C21, true["crc"], true["compressed"], true["size"], len(true["name"]), len(true["extra"]),
                0, 0, 0, true["mode"] << 16, true["offset"],
            ) + true["name"] + true["extra"]
        )  # fmt: skip
    size = out.tell() - begin
    out.write(
        struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, len(listed), len(listed), size, begin, len(comment))
    )
    out.write(comment + behind)
    return out.getvalue()


def _fields(one: Entry, data: bytes) -> dict[str, Any]:
    return {
        "name": one.name,
        "flags": 0x800,
        "method": 0 if one.packed is None else 8,
        "crc": zlib.crc32(one.content),
        "compressed": len(data),
        "size": len(one.content),
        "extra": b"",
        "mode": 0o040755 if one.name.endswith(b"/") else 0o100644,
    }


def _genuine(signatory: Signatory | None = None) -> list[Entry]:
    """Return the members of a container that holds however it is packed, in their order."""
    signatory = signatory or small_pki().signatory()
    return _packed_by_anybody(_entries(_written(signatory)), signatory)


def _written(signatory: Signatory) -> bytes:
    out = io.BytesIO()
    items = [Item("decision.txt", b"Approved.", MOMENT), Item("annex/table.csv", b"a,b\n1,2\n", MOMENT)]
    write_container(out, items, signatory, now=MOMENT)
    return out.getvalue()


def _packed_by_anybody(entries: Sequence[Entry], signatory: Signatory) -> list[Entry]:
    """Return members as another program makes them: the manifest says nothing of the zip.

    What is forged from ours would be refused for its packing, whatever else is wrong with it.
    """
    import re

    ours = next(one.content for one in entries if one.name == MANIFEST.encode())
    manifest = re.sub(
        rb"<asic:ASiCManifestExtensions>.*</asic:ASiCManifestExtensions>\n", b"", ours, flags=re.DOTALL
    )
    assert manifest != ours
    return _with(
        _with(entries, MANIFEST, content=manifest), SIGNATURE, content=_signature(manifest, signatory)
    )


def _signature(manifest: bytes, signatory: Signatory) -> bytes:
    import hashlib

    from haidang.crypto.signing.cades import sign_digest

    algorithm = signatory.digest
    return sign_digest(signatory, hashlib.new(algorithm, manifest).digest(), algorithm, now=MOMENT)


def _entries(content: bytes) -> list[Entry]:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return [Entry(info.filename.encode(), file.read(info)) for info in file.infolist()]


def _with(entries: Sequence[Entry], name: str, **changes: Any) -> list[Entry]:
    """Return the entries with one of them changed."""
    assert any(one.name == name.encode() for one in entries)
    return [replace(one, **changes) if one.name == name.encode() else one for one in entries]


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _signed_by_manifest(manifest: bytes) -> list[Entry]:
    """Return a container whose manifest is ``manifest``, signed as it is."""
    return [
        Entry(b"mimetype", ASIC_E.encode()),
        Entry(b"decision.txt", b"Approved."),
        Entry(MANIFEST.encode(), manifest),
        Entry(SIGNATURE.encode(), _signature(manifest, small_pki().signatory())),
    ]


def containers() -> Iterator[ForgedContainer]:
    """Yield containers for verification, the genuine one first."""
    yield from _sound()
    yield from _content_changed()
    yield from _names()
    yield from _two_readings()
    yield from _types_and_sizes()
    yield from _manifests()


def _sound() -> Iterator[ForgedContainer]:
    yield ForgedContainer("genuine", zipped(_genuine()), "TOTAL-PASSED", "")
    ours = _written(small_pki().signatory())
    yield ForgedContainer("ours", ours, "TOTAL-PASSED", "")
    yield ForgedContainer("ours-packed-anew", zipped(_entries(ours)), "TOTAL-FAILED", "container-altered")
    xades = [Entry(b"mimetype", ASIC_E.encode()), Entry(b"decision.txt", b"Approved.")]
    xades.append(Entry(b"META-INF/signatures001.xml", b"<asic:XAdESSignatures xmlns:asic='x'/>"))
    yield ForgedContainer("xml-without-a-signature", zipped(xades), "TOTAL-FAILED", "unsigned")
    unsigned = [Entry(b"mimetype", ASIC_E.encode()), Entry(b"decision.txt", b"Approved.")]
    yield ForgedContainer("unsigned", zipped(unsigned), "TOTAL-FAILED", "unsigned")


def _content_changed() -> Iterator[ForgedContainer]:
    genuine = _genuine()
    changed = _with(genuine, "decision.txt", content=b"Rejected.")
    yield ForgedContainer("file-altered", zipped(changed), "TOTAL-FAILED", "file-altered")
    added = [*genuine, Entry(b"extra.txt", b"smuggled")]
    yield ForgedContainer("file-added", zipped(added), "TOTAL-FAILED", "file-not-covered")
    gone = [one for one in genuine if one.name != b"annex/table.csv"]
    yield ForgedContainer("file-taken-out", zipped(gone), "TOTAL-FAILED", "file-missing")
    renamed = [replace(one, name=b"refusal.txt") if one.name == b"decision.txt" else one for one in genuine]
    yield ForgedContainer("file-renamed", zipped(renamed), "TOTAL-FAILED", "file-missing")
    other = _genuine(small_pki().signatory("Kẻ Lạ"))
    swapped = _with(
        genuine, SIGNATURE, content=next(e.content for e in other if e.name == SIGNATURE.encode())
    )
    swapped = _with(swapped, "decision.txt", content=b"Rejected.")
    yield ForgedContainer("signature-swapped", zipped(swapped), "TOTAL-FAILED", "file-altered")
    cut = next(one.content for one in genuine if one.name == SIGNATURE.encode())[:-40]
    yield ForgedContainer("signature-cut", zipped(_with(genuine, SIGNATURE, content=cut)), "TOTAL-FAILED", "")
    bare = [one for one in genuine if one.name != MANIFEST.encode()]
    yield ForgedContainer("manifest-missing", zipped(bare), "TOTAL-FAILED", "manifest-missing")


def _names() -> Iterator[ForgedContainer]:
    genuine = _genuine()
    for name, text, code in (
        ("traversal", "../../etc/cron.d/x", "name-traversal"),
        ("traversal-inside", "a/../../x", "name-traversal"),
        ("absolute", "/etc/passwd", "name-absolute"),
        ("drive", "C:x", "name-absolute"),
        ("backslash", "..\\..\\x", "name-backslash"),
        ("nul", "x.txt\x00.exe", "name-hidden-characters"),
        ("right-to-left", "invoice\u202efdp.exe", "name-hidden-characters"),
        ("empty-part", "a//b", "name-empty-part"),
        ("dot-part", "./decision.txt", "name-empty-part"),
        ("long-part", "x" * 300, "name-too-long"),
        ("duplicate", "decision.txt", "duplicate-name"),
        ("other-case", "DECISION.txt", "name-collision"),
        ("file-under-file", "decision.txt/x", "name-collision"),
    ):
        content = zipped([*genuine, Entry(text.encode(), b"x")])
        yield ForgedContainer(f"name-{name}", content, "TOTAL-FAILED", code)
    composed = [*genuine, Entry("h\u1ee3p.txt".encode(), b"x"), Entry("ho\u031b\u0323p.txt".encode(), b"x")]
    yield ForgedContainer("name-other-normalization", zipped(composed), "TOTAL-FAILED", "name-collision")
    raw = zipped([*genuine, Entry(b"h\xf4p.txt", b"x")])
    yield ForgedContainer("name-not-utf8", raw, "TOTAL-FAILED", "name-not-utf8")


def _two_readings() -> Iterator[ForgedContainer]:
    genuine = _genuine()
    content = zipped(genuine)
    for name, forged, code in (
        ("data-in-front", zipped(genuine, front=b"#!/bin/sh\n"), "not-a-container"),
        ("data-behind", content + b"more", "data-behind"),
        ("zip-behind", content + zipped([Entry(b"decision.txt", b"Rejected.")]), "data-behind"),
        ("zip-in-comment", zipped(genuine, comment=zipped([Entry(b"x", b"x")])), "bad-end"),
        ("cut", content[:-9], "container-cut"),
        ("no-directory", content[: content.index(b"PK\x01\x02")], "container-cut"),
        ("hidden-member", zipped([*genuine, Entry(b"x", b"x", in_directory=False)]), "directory-mismatch"),
    ):
        yield ForgedContainer(name, forged, "TOTAL-FAILED", code)
    for name, central in (
        ("directory-other-name", {"name": b"decision.pdf"}),
        ("directory-other-size", {"size": 3}),
        ("directory-other-checksum", {"crc": 1}),
        ("directory-other-offset", {"offset": 5}),
        ("directory-other-method", {"method": 8}),
    ):
        forged = zipped(_with(genuine, "decision.txt", central=central))
        yield ForgedContainer(name, forged, "TOTAL-FAILED", "directory-mismatch")
    checksum = zipped(_with(genuine, "decision.txt", local={"crc": 1}, central={"crc": 1}))
    yield ForgedContainer("wrong-checksum", checksum, "TOTAL-FAILED", "member-damaged")
    second_name = b"\x75\x70" + struct.pack("<HBI", 9, 1, 0) + b"evil"
    unicode = zipped(_with(genuine, "decision.txt", local={"extra": second_name}))
    yield ForgedContainer("second-name", unicode, "TOTAL-FAILED", "directory-mismatch")


def _types_and_sizes() -> Iterator[ForgedContainer]:
    genuine = _genuine()
    for name, mode, code in (
        ("link", 0o120777, "member-link"),
        ("device", 0o060666, "member-device"),
        ("pipe", 0o010644, "member-device"),
        ("folder-as-file", 0o040755, "member-type-unclear"),
    ):
        entry = Entry(b"x", b"/etc/passwd", central={"mode": mode})
        yield ForgedContainer(f"type-{name}", zipped([*genuine, entry]), "TOTAL-FAILED", code)
    zeros = bytes(64 << 20)
    bomb = Entry(b"bomb", zeros, packed=_deflated(zeros))
    yield ForgedContainer("bomb", zipped([*genuine, bomb]), "TOTAL-FAILED", "expands-too-much")
    encrypted = {"flags": 0x801}
    locked = zipped([*genuine, Entry(b"x", b"x", local=encrypted, central=encrypted)])
    yield ForgedContainer("encrypted-member", locked, "TOTAL-FAILED", "member-encrypted")
    method = {"method": 14}
    lzma = zipped([*genuine, Entry(b"x", b"x", local=method, central=method)])
    yield ForgedContainer("other-method", lzma, "TOTAL-FAILED", "method-not-accepted")


def _manifests() -> Iterator[ForgedContainer]:
    import hashlib

    digest = hashlib.sha256(b"Approved.").digest()
    plain = write_manifest(SIGNATURE, [Reference("decision.txt", digest)])
    bombs = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
    laughs = _XML + b'<!DOCTYPE x [<!ENTITY e0 "ha">' + bombs + b"]>" + plain.partition(b"?>\n")[2]
    outside = _XML + b'<!DOCTYPE x SYSTEM "file:///etc/passwd">' + plain.partition(b"?>\n")[2]
    for name, manifest, code in (
        ("entities", laughs, "manifest-doctype"),
        ("external-entity", outside, "manifest-doctype"),
        ("not-xml", plain[:-20], "manifest-not-xml"),
        ("sha1", plain.replace(b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1"), "digest-not-accepted"),
        ("no-digest", plain.replace(b"<ds:DigestValue>", b"<ds:DigestValue>!"), "manifest-unsound"),
        ("other-root", plain.replace(b"ASiCManifest", b"OtherThing"), "manifest-unsound"),
        ("deep", plain.replace(b"</asic:ASiCManifest>", b"<a>" * 50 + b"</a>" * 50 + b"</asic:ASiCManifest>"),
         "manifest-unsound"),
    ):  # fmt: skip
        yield ForgedContainer(f"manifest-{name}", zipped(_signed_by_manifest(manifest)), "TOTAL-FAILED", code)
    twice = [*_signed_by_manifest(plain), Entry(b"META-INF/ASiCManifest002.xml", plain)]
    yield ForgedContainer("manifest-twice", zipped(twice), "TOTAL-FAILED", "manifest-ambiguous")


def sealed_files(folder: Path) -> Iterator[ForgedSeal]:
    """Yield sealed files for RECEIVER; ``folder`` is for what is made on the way."""
    source = folder / "staff"
    source.mkdir()
    (source / "list.txt").write_bytes(b"names " * 40_000)
    target = folder / "staff.age"
    to = [Recipient("Trần Văn Bình", RECEIVER.recipient)]
    signatory = small_pki().signatory()
    seal(source, target, signatory, to, now=MOMENT)
    genuine = target.read_bytes()
    header = genuine.index(b"\n---") + 1
    body = genuine.index(b"\n", header) + 1
    yield ForgedSeal("genuine", genuine, "")
    yield ForgedSeal("cut-in-header", genuine[: header - 10], "SealError")
    yield ForgedSeal("cut-in-body", genuine[: body + 70_000], "SealError")
    yield ForgedSeal("last-byte-gone", genuine[:-1], "SealError")
    # Whole chunks of 64 KiB: what is left is a row of authentic chunks without the last.
    yield ForgedSeal("last-chunk-gone", genuine[: body + 16 + 2 * 65_552], "SealError")
    yield ForgedSeal("byte-behind", genuine + b"\0", "SealError")
    yield ForgedSeal("bit-flipped", _flipped(genuine, body + 100_000), "SealError")
    yield ForgedSeal("header-mac-flipped", _flipped(genuine, header + 10), "SealError")
    yield ForgedSeal("chunks-swapped", _swapped(genuine, body + 16), "SealError")
    yield ForgedSeal("not-age", b"PK\x03\x04" + genuine, "SealError")
    yield ForgedSeal("empty", b"", "SealError")
    yield ForgedSeal("to-somebody-else", _sealed_to_other(source, folder), "NotForYouError")
    inside = pyrage.decrypt(genuine, [RECEIVER.identity])
    yield from _around(inside, genuine, signatory)


def _around(inside: bytes, genuine: bytes, signatory: Signatory) -> Iterator[ForgedSeal]:
    """Yield what a receiver can make of a sealed file by encrypting it, or something like it, anew."""
    forwarded = pyrage.encrypt(inside, [STRANGER.identity.to_public()])
    yield ForgedSeal("forwarded", forwarded, "RefusedError", "not-a-recipient")
    entries = _packed_by_anybody(_entries(inside), signatory)

    def encrypted(changed: Sequence[Entry]) -> bytes:
        sealed: bytes = pyrage.encrypt(zipped(changed), [RECEIVER.identity.to_public()])
        return sealed

    yield ForgedSeal("packed-by-anybody", encrypted(entries), "")
    yield ForgedSeal("packed-anew", encrypted(_entries(inside)), "RefusedError", "signature-failed")
    content = "content/staff/list.txt"
    yield ForgedSeal("content-altered", encrypted(_with(entries, content, content=b"x")), "RefusedError",
                     "signature-failed")  # fmt: skip
    yield ForgedSeal("content-added", encrypted([*entries, Entry(b"content/staff/x", b"x")]), "RefusedError",
                     "signature-failed")  # fmt: skip
    bare = [one for one in entries if not one.name.startswith(b"META-INF/")]
    yield ForgedSeal("unsigned", encrypted(bare), "RefusedError", "signature-failed")
    renamed = _edited(entries, lambda told: told["recipients"][0].update(key=STRANGER.recipient))
    yield ForgedSeal("recipient-replaced", encrypted(renamed), "RefusedError", "signature-failed")
    later = _edited(entries, lambda told: told.update(expires="2036-01-01T00:00:00Z"))
    yield ForgedSeal("expiry-moved", encrypted(later), "RefusedError", "signature-failed")
    no_envelope = [one for one in entries if one.name != ENVELOPE.encode()]
    yield ForgedSeal("no-envelope", encrypted(no_envelope), "SealError")
    escape = encrypted([*entries, Entry(b"content/../../x", b"x")])
    yield ForgedSeal("path-escapes", escape, "ContainerError", "name-traversal")
    link = Entry(b"content/staff/link", b"/etc/passwd", central={"mode": 0o120777})
    yield ForgedSeal("link-inside", encrypted([*entries, link]), "ContainerError", "member-link")
    text = pyrage.encrypt(b"just text", [RECEIVER.identity.to_public()])
    yield ForgedSeal("plain-text-inside", text, "ContainerError", "not-a-container")
    nested = pyrage.encrypt(genuine, [RECEIVER.identity.to_public()])
    yield ForgedSeal("sealed-twice", nested, "ContainerError", "not-a-container")


def _edited(entries: Sequence[Entry], edit: Callable[[dict[str, Any]], object]) -> list[Entry]:
    told = msgspec.json.decode(next(one.content for one in entries if one.name == ENVELOPE.encode()))
    edit(told)
    return _with(entries, ENVELOPE, content=msgspec.json.encode(told))


def _sealed_to_other(source: Path, folder: Path) -> bytes:
    target = folder / "other.age"
    other = [Recipient("Ai đó", STRANGER.recipient)]
    seal(source, target, small_pki().signatory(), other, now=MOMENT, options=SealOptions())
    return target.read_bytes()


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _swapped(content: bytes, at: int) -> bytes:
    size = 65_552
    first, second = content[at : at + size], content[at + size : at + 2 * size]
    return content[:at] + second + first + content[at + 2 * size :]
