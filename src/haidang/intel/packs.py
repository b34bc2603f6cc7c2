"""Packs: rules and indicators in one signed zip, for networks that reach no other.

    manifest.json       what the pack is called, when it was made, and every other file with size and SHA-256
    manifest.sig        Ed25519 signature over "haidang pack 1", a line feed, and the bytes of the manifest
    rules/…             rule files as they were
    intel/NAME.json     a source with its indicators, or a warninglist as it came

- Nothing of a pack is looked at before the signature over its manifest holds for a key that the user trusts;
  nothing but what the manifest names, with its size and digest, is used. What is not so raises.
- Names are checked, and bytes counted while they are expanded: a pack is a zip that others made.
- Keys are PEM files; the private one is written with mode 0600, and refused when others can read it.

``cryptography`` is needed (the extra ``[crypto]``); a missing one is said in plain words.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from haidang.errors import ConfigurationError, InputError, OutputError, VerificationError
from haidang.extras import needs
from haidang.intel.model import KINDS, TLP, Indicator
from haidang.intel.observables import normalised
from haidang.intel.store import Source  # noqa: TC001 - likewise
from haidang.intel.warninglists import read_warninglist

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from haidang.limits import Limits

__all__ = ["PACK_NAME", "Manifest", "Pack", "make_keys", "make_pack", "open_pack"]

_MANIFEST = "manifest.json"
_SIGNATURE = "manifest.sig"
_CONTEXT = b"haidang pack 1\n"
_FORMAT = "haidang-pack"
_LARGEST_MANIFEST = 16 << 20
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._ ()+@,=-]{0,120}")
PACK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_STEP = 1 << 20
_FAR = 1 << 40
"""Seconds from 1970, either way, beyond which no indicator begins or ends."""


class _File(msgspec.Struct, frozen=True):
    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True):
    """What a pack says of itself."""

    format: str
    version: int
    name: str
    created: int
    """Seconds since 1970."""
    files: dict[str, _File]


class _PackedSource(msgspec.Struct, frozen=True):
    source: Source
    indicators: list[Indicator] = []
    warninglist: bytes | None = None


class Pack(NamedTuple):
    """A pack that was verified."""

    manifest: Manifest
    rules: dict[str, bytes]
    """Path below ``rules/`` to content."""
    sources: list[tuple[Source, list[Indicator] | bytes]]
    """With their indicators, or the list itself for a warninglist."""


def _ed25519() -> Any:
    with needs("crypto"):
        from cryptography.hazmat.primitives.asymmetric import ed25519
    return ed25519


def make_keys(path: Path) -> Path:
    """Write a new private key to ``path`` (0600) and its public key beside it (``.pub``); return the latter.

    Raises:
        ConfigurationError: cryptography is missing.
        OutputError: A file is there already, or cannot be written.
    """
    from_key = _ed25519().Ed25519PrivateKey.generate()
    from cryptography.hazmat.primitives import serialization as form

    private = from_key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = from_key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    beside = path.with_name(path.name + ".pub")
    _write_new(path, private, 0o600)
    _write_new(beside, public, 0o644)
    return beside


def _write_new(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor, not a path
            stream.write(data)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}") from None


def _private_key(path: Path) -> Any:
    ed25519 = _ed25519()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        state = path.stat()
        if os.name == "posix" and stat.S_IMODE(state.st_mode) & 0o077:
            raise ConfigurationError(f"{path}: others may read this key", hint=f"chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise ConfigurationError(f"{path}: not a private key without a password") from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ConfigurationError(f"{path}: not an Ed25519 key")
    return key


def _public_key(path: Path) -> Any:
    ed25519 = _ed25519()
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise ConfigurationError(f"{path}: not a public key") from None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise ConfigurationError(f"{path}: not an Ed25519 key")
    return key


def make_pack(
    name: str,
    rules: Mapping[str, bytes],
    sources: Iterable[tuple[Source, list[Indicator] | bytes]],
    key: Path,
    now: int,
) -> bytes:
    """Return a signed pack; the same content gives the same bytes.

    Raises:
        ConfigurationError: The name or the key is wrong, a path of a rule cannot be packed, or cryptography
            is missing.
    """
    if not PACK_NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is no name for a pack", hint="Use letters, digits and hyphens.")
    signing = _private_key(key)
    files = {f"rules/{path}": data for path, data in rules.items()}
    for source, body in sources:
        # Where it came from and with which secrets is not the receiver's business.
        bare = msgspec.structs.replace(
            source,
            location="",
            user="",
            password_file="",
            token_file="",
            token_header="",
            added_after="",
            refused=(),
            events={},
        )
        packed = (
            _PackedSource(bare, warninglist=body) if isinstance(body, bytes) else _PackedSource(bare, body)
        )
        files[f"intel/{source.name}.json"] = msgspec.json.encode(packed)
    for path in files:
        if not _is_safe(path):
            raise ConfigurationError(f"{path}: a file of this name cannot be packed")
    listed = {
        path: _File(hashlib.sha256(data).hexdigest(), len(data)) for path, data in sorted(files.items())
    }
    manifest = msgspec.json.encode(Manifest(_FORMAT, 1, name, now, listed))
    signature = base64.b64encode(signing.sign(_CONTEXT + manifest)) + b"\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in ((_MANIFEST, manifest), (_SIGNATURE, signature), *sorted(files.items())):
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def open_pack(path: Path, trusted: Path, limits: Limits) -> Pack:
    """Return what is in a pack, after everything in it was verified.

    Raises:
        InputError: It cannot be read.
        VerificationError: It is not signed by the trusted key, or not what was signed.
        ConfigurationError: The key is wrong, or cryptography is missing.
    """
    key = _public_key(trusted)
    try:
        with zipfile.ZipFile(path) as archive:
            return _opened(archive, key, limits, str(path))
    except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    except (NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error) as error:
        raise VerificationError(f"{path}: the zip is damaged or of an unknown kind: {error}") from None


def _opened(archive: zipfile.ZipFile, key: Any, limits: Limits, where: str) -> Pack:
    from cryptography.exceptions import InvalidSignature

    members = archive.infolist()
    if len(members) > limits.intel_pack_files:
        raise VerificationError(f"{where}: more than {limits.intel_pack_files} files")
    by_name = {member.filename: member for member in members}
    if len(by_name) != len(members):
        raise VerificationError(f"{where}: a name occurs twice")
    if _MANIFEST not in by_name or _SIGNATURE not in by_name:
        raise VerificationError(f"{where}: not a pack: it has no signed manifest")
    raw = _expanded(archive, by_name[_MANIFEST], _LARGEST_MANIFEST, where)
    try:
        signature = base64.b64decode(
            _expanded(archive, by_name[_SIGNATURE], 1024, where).strip(), validate=True
        )
        key.verify(signature, _CONTEXT + raw)
    except (InvalidSignature, binascii.Error):
        raise VerificationError(
            f"{where}: the signature does not hold for the key that you trust",
            hint="Do not use this pack; ask whoever made it, by another way.",
        ) from None
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except msgspec.MsgspecError as error:
        raise VerificationError(f"{where}: the manifest cannot be read: {error}") from None
    if manifest.format != _FORMAT or manifest.version != 1 or not PACK_NAME.fullmatch(manifest.name):
        raise VerificationError(f"{where}: a pack of a kind that this version does not know")
    return _checked(archive, by_name, manifest, limits, where)


def _checked(
    archive: zipfile.ZipFile,
    members: Mapping[str, zipfile.ZipInfo],
    manifest: Manifest,
    limits: Limits,
    where: str,
) -> Pack:
    strangers = set(members) ^ {_MANIFEST, _SIGNATURE, *manifest.files}
    if strangers:
        raise VerificationError(f"{where}: not what was signed: {', '.join(sorted(strangers)[:5])}")
    if sum(file.size for file in manifest.files.values()) > limits.intel_pack_bytes:
        raise VerificationError(f"{where}: more than {limits.intel_pack_bytes} bytes, expanded")
    rules: dict[str, bytes] = {}
    sources: list[tuple[Source, list[Indicator] | bytes]] = []
    for path, file in manifest.files.items():
        if not _is_safe(path):
            raise VerificationError(f"{where}: {path!r} is no name of a file in a pack")
        data = _expanded(archive, members[path], file.size, where)
        if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
            raise VerificationError(f"{where}: {path} is not what was signed")
        if path.startswith("rules/"):
            rules[path.removeprefix("rules/")] = data
            continue
        try:
            packed = msgspec.json.decode(data, type=_PackedSource)
        except msgspec.MsgspecError as error:
            raise VerificationError(f"{where}: the content of {path} cannot be read: {error}") from None
        if path != f"intel/{packed.source.name}.json" or not all(map(_is_sound, packed.indicators)):
            raise VerificationError(f"{where}: {path} holds what no indicator is")
        sources.append((packed.source, _body(packed, f"{where}: {path}")))
    return Pack(manifest, rules, sources)


def _body(packed: _PackedSource, where: str) -> list[Indicator] | bytes:
    """Return the indicators of a source, or the list itself, which every scan would have to read."""
    if (packed.source.kind == "warninglist") is not (packed.warninglist is not None):
        raise VerificationError(f"{where} is not what its kind says")
    if packed.warninglist is None:
        return packed.indicators
    try:
        read_warninglist(packed.warninglist, where)
    except InputError as error:
        raise VerificationError(error.message) from None
    return packed.warninglist


def _expanded(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int, where: str) -> bytes:
    """Return the content of a member, at most ``most`` bytes whatever its header claims."""
    parts = []
    size = 0
    with archive.open(member) as stream:
        while part := stream.read(min(_STEP, most - size + 1)):
            size += len(part)
            if size > most:
                raise VerificationError(f"{where}: {member.filename} is larger than it says")
            parts.append(part)
    return b"".join(parts)


def _is_sound(one: Indicator) -> bool:
    """Return whether an indicator is as a feed would have given it; who signs can be wrong."""
    return (
        one.kind in KINDS
        and (one.kind != "network" or normalised("network", one.value) == one.value)
        and -1 <= one.confidence <= 100
        and one.tlp in {"", *TLP}
        and all(-_FAR <= moment <= _FAR for moment in (one.valid_from, one.valid_until) if moment is not None)
    )


def _is_safe(path: str) -> bool:
    """Return whether a path stays below ``rules`` or ``intel``, on every system."""
    top, *rest = path.split("/")
    if top not in {"rules", "intel"} or not rest or len(path) > 1024:
        return False
    if top == "intel" and (len(rest) != 1 or not rest[0].endswith(".json")):
        return False
    return all(_PART.fullmatch(part) and ".." not in part and not part.endswith((".", " ")) for part in rest)
