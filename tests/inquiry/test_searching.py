"""Search: what it finds, and that ruling documents out by their bytes never loses one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from haidang.detect.batches import decode_document
from haidang.errors import ConfigurationError
from haidang.events.model import FileReport
from haidang.inquiry import Pattern, Question, search
from haidang.limits import DEFAULT_LIMITS
from tests.inquiry.making import SYSMON, windows, write

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.inquiry.searching import Found


def found(path: str, text: str, **options: Any) -> list[Found]:
    fields = options.pop("fields", ())
    ask = {name: options.pop(name) for name in ("regex", "ignore_case") if name in options}
    return list(search(Question((path,), **options), Pattern(text, fields, **ask)))


@pytest.fixture
def log(tmp_path: Path) -> str:
    return write(
        tmp_path / "a.json",
        windows(SYSMON, 1, "08:00:00", CommandLine="Mimikatz.exe", Image="C:\\mimikatz.exe"),
        windows(SYSMON, 1, "08:01:00", CommandLine="dir C:\\Users", User="lan"),
        windows(
            SYSMON,
            11,
            "08:02:00",
            TargetFilename="C:\\x",
            Hashes=["a", "mimikatz"],
            Nested={"k": ["m", 4625]},
        ),
    )


def records(hits: list[Found]) -> list[int]:
    return [hit.event.record for hit in hits]


def test_a_text_is_found_in_any_value_also_inside_lists_and_objects(log: str) -> None:
    assert records(found(log, "mimikatz")) == [1, 3]
    assert found(log, "mimikatz")[0].fields == (("Image", "C:\\mimikatz.exe"),)
    assert records(found(log, "C:\\Users")) == [2]


def test_numbers_are_looked_at_in_decimal(log: str) -> None:
    assert records(found(log, "4625")) == [3]
    assert records(found(log, "11", fields=("EventID",))) == [3]


def test_names_of_fields_are_no_values(log: str) -> None:
    assert found(log, "CommandLine") == []


def test_case_counts_unless_told_otherwise(log: str) -> None:
    assert records(found(log, "MIMIKATZ")) == []
    assert records(found(log, "MIMIKATZ", ignore_case=True)) == [1, 3]


def test_a_field_may_be_named(log: str) -> None:
    assert records(found(log, "mimikatz", fields=("CommandLine",), ignore_case=True)) == [1]
    assert records(found(log, "m", fields=("Nested.k",))) == [3]


def test_expressions_run_in_re2(log: str) -> None:
    assert records(found(log, r"^[Mm]imi.*\.exe$", regex=True)) == [1]
    assert records(found(log, r"^dir", regex=True, fields=("CommandLine",))) == [2]
    assert records(found(log, r"^DIR", regex=True, ignore_case=True)) == [2]


@pytest.mark.parametrize("wrong", ["(", "(?=x)", r"(a)\1", "\ud800"])
def test_an_expression_that_re2_refuses_is_said_before_reading(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="regular expression"):
        next(search(Question(("/nowhere",)), Pattern(wrong, regex=True)))


def test_time_and_host_bound_a_search(log: str) -> None:
    assert records(found(log, "C:", since=1_772_352_060_000_000_000)) == [2, 3]
    assert records(found(log, "C:", until=1_772_352_060_000_000_000)) == [1, 2]
    assert found(log, "C:", hosts=("elsewhere",)) == []


def test_any_format_is_searched_and_a_line_that_is_none_too(tmp_path: Path) -> None:
    path = write(
        tmp_path / "messages", "Mar  1 08:00:00 web01 sshd[1]: Accepted password for lan", "stray line lan"
    )
    assert records(found(path, "lan")) == [1, 2]


def test_what_cannot_be_read_is_in_the_reports(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.json",
        windows(SYSMON, 1, "08:00:00", X="findme"),
        '{"broken": findme',
        '{"Y": "findme"}',
    )
    question = Question((path,))
    assert len(list(search(question, Pattern("findme")))) == 2
    assert question.reports[0].problems["broken-line"].count == 1


def test_documents_that_are_ruled_out_count_as_read(log: str) -> None:
    question = Question((log,))
    assert list(search(question, Pattern("nowhere to be seen"))) == []
    assert question.reports[0].records == 3


# Letters that JSON escapes in several ways, that fold into ASCII, that are digits or no characters at all.
LETTERS = st.sampled_from(list('ak/\\"\n\t\x00ộ\u212a\u0130ſ€1.e+-0\ufffd😀'))
TEXTS = st.text(LETTERS, max_size=4)
VALUES = st.recursive(
    TEXTS | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


def spellings(event: dict[str, Any], draw: st.DataObject) -> bytes:
    """Write an object in one of the ways that JSON allows."""
    text = json.dumps(event, ensure_ascii=draw.draw(st.booleans()))
    if draw.draw(st.booleans()):
        text = text.replace("/", "\\/")
    if draw.draw(st.booleans()):
        text = text.replace("a", "\\u0061")
    return text.encode("utf-8", "surrogatepass")


EXPRESSIONS = st.sampled_from(
    [
        "a.",
        "(?:a|k)1",
        "k+/",
        "[ka]{1,2}",
        "a{,2}k",
        "(?i)ka",
        "s",
        "1e",
        "\\.0",
        "(ak)?a",
        "a|k",
        "^ak",
        "ak$",
        "\u1ed9k",
    ]
)
PATTERNS = st.builds(Pattern, TEXTS, ignore_case=st.booleans()) | st.builds(
    Pattern, EXPRESSIONS, regex=st.just(True), ignore_case=st.booleans()
)


@given(st.dictionaries(st.sampled_from("xyz"), VALUES, max_size=2), PATTERNS, st.data())
def test_no_document_is_ruled_out_in_which_the_pattern_occurs(
    event: dict[str, Any], pattern: Pattern, data: st.DataObject
) -> None:
    document = spellings(event, data)
    decoded = decode_document(document, 1, FileReport("x"), DEFAULT_LIMITS)
    if decoded is not None and pattern.occurrences(decoded):
        assert pattern.may_be_in is None or pattern.may_be_in(document)


@given(EXPRESSIONS, TEXTS, st.booleans())
def test_an_expression_holds_where_re2_alone_says_so(pattern: str, value: str, folds: bool) -> None:  # noqa: FBT001
    options = re2.Options()
    options.case_sensitive = not folds
    holds = Pattern(pattern, regex=True, ignore_case=folds).holds
    assert holds(value) == (re2.compile(pattern, options).search(value) is not None)


def test_a_document_without_the_pattern_is_ruled_out_by_its_bytes() -> None:
    accepts = Pattern("mimikatz").may_be_in
    assert accepts is not None
    assert not accepts(orjson.dumps({"a": "b"}))
    folded = Pattern("MIMIKATZ", ignore_case=True).may_be_in
    assert folded is not None
    assert not folded(orjson.dumps({"a": "b"}))
    assert folded(orjson.dumps({"a": "miMikatz"}))
