"""What the fields of a zip's headers say, and which of it is refused."""

from __future__ import annotations

import stat
import struct
from typing import TYPE_CHECKING

from haidang.crypto.containers.problems import ContainerError
from haidang.crypto.containers.zip_headers import DEFLATED, STORED
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "check_method",
    "check_type",
    "decoded_name",
    "extra_fields",
    "mismatch",
    "modified_in",
    "put_large",
]

_ENCRYPTED, _PATCHED, _STRONG, _MASKED = 1, 0x20, 0x40, 0x2000
_FULL = 0xFFFFFFFF
_UNIX_MAKERS = {3, 19}
_FOLDER_ATTRIBUTE = 0x10


def check_method(name: str, method: int, flags: int) -> None:
    """Refuse a member that is encrypted, or packed otherwise than stored or deflated."""
    if flags & (_ENCRYPTED | _PATCHED | _STRONG | _MASKED):
        raise ContainerError("member-encrypted", N_("{name} is encrypted inside the container."), name=name)
    if method not in {STORED, DEFLATED}:
        raise ContainerError(
            "method-not-accepted",
            N_("{name} is packed with method {method}; only stored and deflated are accepted."),
            name=name,
            method=method,
        )


def check_type(name: str, maker: int, attributes: int) -> None:
    """Refuse a member that is neither a file nor a folder, or not clearly one of them."""
    folder = name.endswith("/")
    kind = stat.S_IFMT(attributes >> 16) if maker in _UNIX_MAKERS else 0
    if kind == stat.S_IFLNK:
        raise ContainerError("member-link", N_("{name} is a link."), name=name)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ContainerError("member-device", N_("{name} is a device, a pipe or a socket."), name=name)
    wrong = kind == (stat.S_IFREG if folder else stat.S_IFDIR)
    if wrong or (attributes & _FOLDER_ATTRIBUTE and not folder):
        raise ContainerError(
            "member-type-unclear", N_("{name} is a file by its name and a folder by its type, or not."),
            name=name,
        )  # fmt: skip


def decoded_name(raw: bytes, extra: Mapping[int, bytes]) -> str:
    """Return a name, which must be UTF-8, and the same wherever it stands."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise ContainerError(
            "name-not-utf8", N_("The name {name} is not UTF-8."), name=ascii(raw.decode("latin-1"))
        ) from None
    # Info-ZIP's second spelling of a name (APPNOTE 4.6.9), which some programs use and others do not.
    if 0x7075 in extra and extra[0x7075][5:] != raw:
        raise mismatch(name)
    return name


def extra_fields(data: bytes) -> dict[int, bytes]:
    """Return the extra fields by their kind; of several of a kind the first."""
    fields: dict[int, bytes] = {}
    position = 0
    while position + 4 <= len(data):
        kind, size = struct.unpack_from("<2H", data, position)
        body = data[position + 4 : position + 4 + size]
        if len(body) < size or (kind == 1 and kind in fields):
            raise _bad_extra()
        fields.setdefault(kind, body)
        position += 4 + size
    return fields


def put_large(field: bytes, numbers: list[int]) -> list[int]:
    """Put in the numbers that did not fit their fields (APPNOTE 4.5.3)."""
    position = 0
    for index, number in enumerate(numbers):
        if number == _FULL:
            if position + 8 > len(field):
                raise _bad_extra()
            (numbers[index],) = struct.unpack_from("<Q", field, position)
            position += 8
    return numbers


def modified_in(extra: Mapping[int, bytes]) -> int | None:
    """Return the extended timestamp (APPNOTE 4.6, id 0x5455) in seconds since 1970, where it is there."""
    stamp = extra.get(0x5455, b"")
    return int(struct.unpack_from("<i", stamp, 1)[0]) if len(stamp) >= 5 and stamp[0] & 1 else None


def mismatch(name: str) -> ContainerError:
    """Return the error for what stands twice and differs."""
    return ContainerError(
        "directory-mismatch",
        N_("The directory of the container and {name} itself contradict each other."),
        name=name,
    )


def _bad_extra() -> ContainerError:
    return ContainerError("extra-field-damaged", N_("An extra field in the container is damaged."))
