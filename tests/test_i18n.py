"""The language of the reader, and the catalogues."""

from __future__ import annotations

import ast
import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from haidang.errors import ConfigurationError
from haidang.i18n import LOCALE_FOLDER, choose_language, translator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages import Catalog
    from babel.messages.catalog import Message

LANGUAGES = ("vi", "en")


def catalogue(lang: str) -> Catalog:
    with (LOCALE_FOLDER / lang / "LC_MESSAGES" / "haidang.po").open("rb") as file:
        return read_po(file, locale=lang)


def used_messages() -> Iterator[str | tuple[str, ...]]:
    package = LOCALE_FOLDER.parent
    # Messages are marked by the names that the translator goes by; see haidang.i18n.
    keywords = {**DEFAULT_KEYWORDS, "translate": None}
    for _file, _line, message, _comments, _context in extract_from_dir(
        package, keywords=keywords, directory_filter=_is_not_the_console
    ):
        yield message


def _is_not_the_console(folder: str) -> bool:
    """The console speaks through Django's catalogues, which tests/console/test_words.py looks at."""
    name = Path(folder).name
    return name != "console" and not name.startswith((".", "_"))


def strings(message: Message) -> list[str]:
    found = message.string
    return [found] if isinstance(found, str) else list(found or ())


def texts(catalogue: Catalog) -> dict[str, list[str]]:
    return {str(message.id): strings(message) for message in catalogue if message.id}


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"{[a-z_]*[^}]*}|%\([a-z]+\)[a-z]", text))


@pytest.mark.parametrize(
    ("flag", "environ", "lang"),
    [
        ("vi", {"LANG": "en_US.UTF-8"}, "vi"),
        ("en", {"LANG": "vi_VN"}, "en"),
        (None, {}, "en"),
        (None, {"LANG": "vi_VN.UTF-8"}, "vi"),
        (None, {"LANG": "vi"}, "vi"),
        (None, {"LANG": "fr_FR.UTF-8"}, "en"),
        (None, {"LC_ALL": "en_GB.UTF-8", "LANG": "vi_VN.UTF-8"}, "en"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "vi_VN", "LANG": "en_US"}, "vi"),
        (None, {"LANGUAGE": "fr:vi:en", "LANG": "en_US.UTF-8"}, "vi"),
        (None, {"LANGUAGE": "vi", "LC_ALL": "C"}, "en"),
        (None, {"LC_ALL": "C.UTF-8", "LANG": "vi_VN"}, "en"),
        (None, {"LANG": "view"}, "en"),
    ],
)
def test_flag_wins_over_environment_and_environment_is_read_as_gettext_does(
    flag: str | None, environ: dict[str, str], lang: str
) -> None:
    assert choose_language(flag, environ) == lang


def test_refuses_a_language_without_catalogue() -> None:
    with pytest.raises(ConfigurationError):
        choose_language("fr", {})


def test_unknown_language_speaks_english() -> None:
    assert translator("fr").lang == "en"


def test_empty_message_does_not_show_the_header() -> None:
    assert translator("vi")("") == ""


@pytest.mark.parametrize("lang", LANGUAGES)
def test_compiled_catalogue_is_what_its_source_compiles_to(lang: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue(lang))
    compiled.seek(0)
    with (LOCALE_FOLDER / lang / "LC_MESSAGES" / "haidang.mo").open("rb") as file:
        there = read_mo(file)
    found, expected = texts(there), texts(read_mo(compiled))
    assert found == expected, "run: pybabel compile -d src/haidang/locale -D haidang"


def test_no_message_hides_in_an_f_string() -> None:
    # Python before 3.12 reads an f-string as one token, in which the search for messages finds none.
    hidden = [
        f"{path.name}:{call.lineno}"
        for path in LOCALE_FOLDER.parent.rglob("*.py")
        for outer in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(outer, ast.JoinedStr)
        for call in ast.walk(outer)
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant)
        if ast.unparse(call.func).rpartition(".")[2] in {"_", "N_", "translate", "ngettext"}
    ]
    assert not hidden


def test_every_message_of_the_source_speaks_vietnamese() -> None:
    known = {message.id: message for message in catalogue("vi")}
    for used in set(used_messages()):
        assert used in known, f"no Vietnamese for {used!r}"
        assert all(strings(known[used])), f"empty Vietnamese for {used!r}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_translations_keep_the_placeholders(lang: str) -> None:
    for message in catalogue(lang):
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        for string in strings(message):
            assert placeholders(string) == placeholders(ids[-1]), message.id


def test_catalogue_has_no_stale_messages() -> None:
    used = set(used_messages())
    stale = [m.id for m in catalogue("vi") if m.id and m.id not in used]
    assert not stale
