"""Which names the members of a container may have.

A name is refused when unpacking it could write elsewhere than below the chosen folder, when two programs
could take it for different files, or when it shows as something that it is not:

- absolute, with a drive, with ``..`` or ``.`` or an empty part, with a backslash;
- with control characters, or with marks that turn the direction of writing (``U+202E``);
- the same as another in another case or another Unicode normalization (APFS, NTFS and exFAT keep one);
- a file where another name needs a folder.

The names themselves are kept as they are.
"""

from __future__ import annotations

import re
import unicodedata

from haidang.crypto.containers.problems import ContainerError
from haidang.i18n import N_

__all__ = ["LONGEST_NAME", "LONGEST_PART", "NameRegister", "check_name"]

LONGEST_NAME = 2048
"""Bytes of a name, in UTF-8."""
LONGEST_PART = 255
"""Bytes of one part between slashes: what file systems hold."""

_DRIVE = re.compile(r"[A-Za-z]:")
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def check_name(name: str) -> None:
    """Refuse a name that is not safe; one that ends with a slash is a folder's.

    Raises:
        ContainerError: The error says what is wrong with it.
    """
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        raise ContainerError(
            "name-too-long", N_("A name in the container is longer than {n} bytes."), n=LONGEST_NAME
        )
    if _HIDDEN.search(name):
        raise ContainerError(
            "name-hidden-characters",
            N_("The name {name} holds control characters or marks that turn the direction of writing."),
            name=ascii(name),
        )
    if "\\" in name:
        raise ContainerError("name-backslash", N_("The name {name} holds a backslash."), name=name)
    if name.startswith("/") or _DRIVE.match(name):
        raise ContainerError("name-absolute", N_("The name {name} is absolute."), name=name)
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        raise ContainerError("name-traversal", N_("The name {name} leads out of the folder."), name=name)
    if "" in parts or "." in parts:
        raise ContainerError(
            "name-empty-part", N_("The name {name} has an empty part or a single dot."), name=name
        )
    if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_PART for part in parts):
        raise ContainerError(
            "name-too-long", N_("A part of a name in the container is longer than {n} bytes."), n=LONGEST_PART
        )


class NameRegister:
    """The names seen so far: one that collides with another is refused."""

    def __init__(self) -> None:
        """Start with no name."""
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._named: set[str] = set()

    def add(self, name: str) -> None:
        """Check ``name`` and remember it.

        Raises:
            ContainerError: It is not safe, or is another's in disguise.
        """
        check_name(name)
        if name in self._named:
            raise ContainerError("duplicate-name", N_("The name {name} is there twice."), name=name)
        self._named.add(name)
        path = name.removesuffix("/")
        if name.endswith("/"):
            self._folder(path, name)
        else:
            key = _folded(path)
            other = self._files.get(key) or self._folders.get(key)
            if other:
                raise _collision(name, other)
            self._files[key] = name
        self._folder(path.rpartition("/")[0], name)

    def _folder(self, path: str, name: str) -> None:
        """Remember a folder and those above it, which ``name`` is in."""
        while path:
            key = _folded(path)
            if key in self._files:
                raise _collision(name, self._files[key])
            other = self._folders.get(key, path)
            if other != path:
                raise _collision(name, other)
            if key in self._folders:
                return
            self._folders[key] = path
            path = path.rpartition("/")[0]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _collision(name: str, other: str) -> ContainerError:
    return ContainerError(
        "name-collision",
        N_("The names {name} and {other} are one and the same on some systems."),
        name=name,
        other=other,
    )
