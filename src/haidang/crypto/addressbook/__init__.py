"""Who is who: units and people with their certificates and sealing keys, as an authority vouches for them.

The book is one file, an ASiC-E container with ``addressbook.json`` that the authority signed; it carries the
certificates and revocation lists that a machine without a network needs to check it, and everything else::

    publish(authority, Path("so.asice"), now=now)                # where the authority is
    import_book(home, Path("so.asice"), now=now)                 # where it is used
    open_book(home, now=now).recipients("Phòng Văn thư")         # whom a file is sealed to
"""

from __future__ import annotations

from haidang.crypto.addressbook.book import AddressBook, Entry, SealingRecipient
from haidang.crypto.addressbook.importing import (
    CheckedBook,
    check_book,
    import_book,
    open_book,
    open_checked,
)
from haidang.crypto.addressbook.publishing import build_book, publish

__all__ = [
    "AddressBook",
    "CheckedBook",
    "Entry",
    "SealingRecipient",
    "build_book",
    "check_book",
    "import_book",
    "open_book",
    "open_checked",
    "publish",
]
