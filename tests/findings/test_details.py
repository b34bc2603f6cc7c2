"""Details, reasons and notices in Vietnamese: every text of the source has one, and is found again."""

from __future__ import annotations

import re
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from haidang.findings.details import detail
from haidang.i18n import LOCALE_FOLDER, translator
from tests.texts import texts_of_source

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = LOCALE_FOLDER / "vi" / "LC_MESSAGES"
VIETNAMESE = translator("vi")
HOLE = re.compile(r"\{\d+\}")


def vietnamese() -> dict[str, str]:
    with (FOLDER / "details.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale="vi") if m.id}


def test_every_text_of_the_source_speaks_vietnamese() -> None:
    known = vietnamese()
    missing = [f"{text.where}: {text.template}" for text in texts_of_source() if not text.strange]
    missing = [line for line in missing if not known.get(line.partition(": ")[2])]
    assert not missing, "add these to src/haidang/locale/vi/LC_MESSAGES/details.po:\n" + "\n".join(missing)


def test_no_text_of_the_source_escapes_the_search() -> None:
    strange = [f"{text.where}: {text.template}" for text in texts_of_source() if text.strange]
    assert not strange, "write these as literals or f-strings where they are noted:\n" + "\n".join(strange)


def test_what_the_system_says_of_a_path_is_translated_with_the_path_kept() -> None:
    assert detail("/a: b: No such file or directory", VIETNAMESE) == "/a: b: không có tệp hoặc thư mục này"
    assert detail("/a: something else", VIETNAMESE) == "/a: something else"


def test_catalogue_has_no_stale_texts() -> None:
    used = {text.template for text in texts_of_source()}
    assert not [id_ for id_ in vietnamese() if id_ not in used]


def test_compiled_catalogue_is_what_its_source_compiles_to() -> None:
    compiled = BytesIO()
    with (FOLDER / "details.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale="vi"))
    compiled.seek(0)
    with (FOLDER / "details.mo").open("rb") as file:
        there = {m.id: m.string for m in read_mo(file) if m.id}
    expected = {m.id: m.string for m in read_mo(compiled) if m.id}
    assert there == expected, "run: pybabel compile -d src/haidang/locale -D details"


@pytest.mark.parametrize(("id_", "said"), vietnamese().items())
def test_a_text_is_found_again_whatever_stands_in_it(id_: str, said: str) -> None:
    holes = sorted(HOLE.findall(id_))
    assert holes == [f"{{{at}}}" for at in range(len(holes))]
    assert sorted(set(HOLE.findall(said))) == holes
    values = [f"⟨{at}⟩" for at in range(len(holes))]
    assert detail(id_.format(*values), VIETNAMESE) == said.format(*values)


def test_texts_in_texts_speak_vietnamese_too() -> None:
    text = "The archive has no directory at its end. Its members are read by their own headers."
    said = detail(text, VIETNAMESE)
    assert said == "Cuối tệp nén không có mục lục. Các tệp con được đọc theo phần đầu riêng của từng tệp."


def test_words_of_the_system_speak_vietnamese_with_their_full_stop() -> None:
    assert detail("Permission denied.", VIETNAMESE) == "không có quyền truy cập."


def test_texts_of_libraries_stay_as_they_are() -> None:
    assert detail("corrupt deflate stream", VIETNAMESE) == "corrupt deflate stream"


@given(text=st.text())
def test_english_is_never_touched(text: str) -> None:
    assert detail(text, translator("en")) == text


def test_braces_of_a_log_are_text() -> None:
    assert detail("cannot be read: {0} {x}", VIETNAMESE) == "không đọc được: {0} {x}"


def test_text_that_repeats_a_message_a_thousand_times_is_survived() -> None:
    text = "".join(chain(["cannot be read: "] * 1000, ["{"]))
    assert detail(text, VIETNAMESE).startswith("không đọc được: ")


@pytest.mark.parametrize(
    ("source", "template"),
    [
        ('report.note("a", "b", "fixed text")', "fixed text"),
        ('report.note("a", "b", f"more than {most} of {these!r}")', "more than {0} of {1}"),
        ('detail = f"at {n}"\nreport.note("a", "b", detail, skipped=1)', "at {0}"),
        ('raise DamagedError("a", "this" if x else "that")', "that"),
        ('def said():\n    return "given"\nbroken(report, 1, said())', "given"),
        ('why = "inside"\nbroken(report, 1, f"{why}; outside")', "inside"),
        ('broken(report, 1, "braces {} too")', "braces {{}} too"),
        ('if fault := "walrus":\n    broken(report, 1, fault)', "walrus"),
        ('refused = RefusedKind("what", "[x]", "{0} is none")', "{0} is none"),
        ('def said():\n    return None\n    return "or"\nbroken(report, 1, said())', "or"),
    ],
)
def test_texts_are_found_however_they_are_written(tmp_path: Path, source: str, template: str) -> None:
    (tmp_path / "module.py").write_text(source, "utf-8")
    assert template in {text.template for text in texts_of_source(tmp_path) if not text.strange}


def test_text_that_is_put_together_at_run_time_is_strange(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text('report.note("a", "b", "one" + two)', "utf-8")
    assert [text.strange for text in texts_of_source(tmp_path)] == [True]
