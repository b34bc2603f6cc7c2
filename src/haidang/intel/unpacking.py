"""What feeds are wrapped in: gzip, and a zip of one file, as abuse.ch and others give their full lists.

Input is not trusted: what comes out is bounded by ``intel_file_bytes``, whatever the wrapping claims.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING

from haidang.errors import InputError

if TYPE_CHECKING:
    from haidang.limits import Limits

__all__ = ["ungzipped", "unpacked"]

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_AS_GZIP = 16 + zlib.MAX_WBITS
_STEP = 1 << 20
_JUNK = ("__MACOSX/", ".DS_Store")


def unpacked(data: bytes, limits: Limits, where: str) -> bytes:
    """Return what is inside gzip or a zip of one file; anything else as it is.

    Raises:
        InputError: It is damaged or too large, or a zip of several files.
    """
    if data.startswith(_GZIP):
        return ungzipped(data, limits, where)
    return _unzipped(data, limits, where) if data.startswith(_ZIP) else data


def ungzipped(data: bytes, limits: Limits, where: str) -> bytes:
    """Return what is inside gzip, of one part or several; see ``unpacked`` for errors."""
    parts: list[bytes] = []
    left = limits.intel_file_bytes
    try:
        while data:
            one = zlib.decompressobj(_AS_GZIP)
            while not one.eof:
                part = one.decompress(data, min(_STEP, left + 1))
                data = one.unconsumed_tail
                left -= len(part)
                if left < 0:
                    raise InputError(f"{where}: larger than {limits.intel_file_bytes} bytes, expanded")
                if not part and not data and not one.eof:
                    raise InputError(f"{where}: the gzip ends early")
                parts.append(part)
            data = one.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise InputError(f"{where}: the gzip is damaged: {error}") from None
    return b"".join(parts)


def _unzipped(data: bytes, limits: Limits, where: str) -> bytes:
    most = limits.intel_file_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [
                one
                for one in archive.infolist()
                if not one.is_dir() and not one.filename.startswith(_JUNK[0]) and _JUNK[1] not in one.filename
            ]
            if "[Content_Types].xml" in archive.namelist():
                raise InputError(
                    f"{where}: an Office document", hint="Save its table as CSV (UTF-8) and add that."
                )
            if len(members) != 1:
                raise InputError(
                    f"{where}: a zip of {len(members)} files; indicators come in a zip of one",
                    hint="Unpack it and name the files. A pack is taken in by haidang intel import.",
                )
            with archive.open(members[0]) as stream:
                found = stream.read(most + 1)
    except zipfile.BadZipFile as error:
        raise InputError(f"{where}: {error}") from None
    except (NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error) as error:
        raise InputError(
            f"{where}: the zip is damaged, has a password or is of an unknown kind: {error}"
        ) from None
    if len(found) > most:
        raise InputError(f"{where}: larger than {most} bytes, expanded")
    return found
