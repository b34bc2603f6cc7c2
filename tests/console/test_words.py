"""The console speaks Vietnamese and English: its catalogue is complete, and compiled."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from haidang.i18n import LOCALE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babel.messages import Catalog

CONSOLE = LOCALE_FOLDER.parent / "console"
FOLDER = CONSOLE / "locale" / "vi" / "LC_MESSAGES"
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_CALL = re.compile(r"(?:gettext|ngettext|pgettext|npgettext|_)\((?:[^()]|\([^()]*\))*\)")


def catalogue() -> Catalog:
    with (FOLDER / "django.po").open("rb") as file:
        return read_po(file, locale="vi")


def used_messages() -> Iterator[tuple[Path, str]]:
    for path in sorted(CONSOLE.rglob("*.py")):
        with path.open("rb") as file:
            for _line, message, _comments, _context in extract("python", file, keywords=KEYWORDS):
                yield path, message if isinstance(message, str) else message[0]
    for path in sorted([*CONSOLE.rglob("*.html"), *CONSOLE.rglob("templates/**/*.txt")]):
        calls = _CALL.findall(templatize(path.read_text(encoding="utf-8")))
        code = "\n".join(calls).encode()
        for _line, message, _comments, _context in extract("python", BytesIO(code), keywords=KEYWORDS):
            yield path, message if isinstance(message, str) else message[0]


def words(message_string: object) -> list[str]:
    return [message_string] if isinstance(message_string, str) else list(message_string or ())  # type: ignore[call-overload]


def test_every_message_speaks_vietnamese() -> None:
    known = {
        (message.id if isinstance(message.id, str) else message.id[0]): message for message in catalogue()
    }
    missing = {
        (path.relative_to(CONSOLE).as_posix(), used)
        for path, used in used_messages()
        if used not in known or not all(words(known[used].string))
    }
    assert not missing


def test_no_message_is_there_that_nothing_says() -> None:
    used = {message for _path, message in used_messages()}
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue()}
    assert not known - used - {""}


def test_translations_keep_the_placeholders() -> None:
    def placeholders(text: str) -> set[str]:
        return set(re.findall(r"%\([a-z_]+\)[a-z]|{[a-z_]+}", text))

    for message in catalogue():
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        for string in words(message.string):
            assert placeholders(string) == placeholders(ids[-1]), ids


def test_the_compiled_catalogue_is_what_its_source_compiles_to() -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue())
    compiled.seek(0)
    with (FOLDER / "django.mo").open("rb") as file:
        there = said(read_mo(file))
    assert there == said(read_mo(compiled)), "run: pybabel compile -d src/haidang/console/locale -D django"


def said(catalogue: Catalog) -> dict[object, object]:
    """Return ids to texts; those with a plural are lists."""
    return {
        message.id if isinstance(message.id, str) else tuple(message.id): message.string
        for message in catalogue
    }
