from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.sigma.yaml_source import Lines, YamlError, documents, line_of


def test_dates_stay_text_as_they_were_written() -> None:
    assert documents(b"a: 2024-01-02\nb: 2024/1/2") == [{"a": "2024-01-02", "b": "2024/1/2"}]


def test_a_key_that_occurs_twice_is_refused_on_its_second_line() -> None:
    with pytest.raises(YamlError, match="'Image' occurs twice") as refused:
        documents(b"selection:\n  Image: a\n  Other: b\n  Image: c\n")
    assert refused.value.line == 4


def test_a_key_may_override_what_a_merge_brings() -> None:
    text = b"base: &base\n  a: 1\n  b: 2\nother:\n  <<: *base\n  a: 3\n"
    assert documents(text) == [{"base": {"a": 1, "b": 2}, "other": {"a": 3, "b": 2}}]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"a: b: c\n", 1),
        (b"a: 1\nb: [1, 2\nc: 3\n", 3),
        (b"a: 1\n\tb: 2\n", 2),
        (b"a: &x 1\nb: *y\n", 2),
        (b"a: \x00\n", 0),
        (b"a: !!python/object:os.system x\n", 1),
        (b"a: !!int abc\n", 0),
        (b"a: {[]: 1}\n", 1),
    ],
)
def test_broken_yaml_is_refused_with_its_line(text: bytes, line: int) -> None:
    with pytest.raises(YamlError) as refused:
        documents(text)
    assert refused.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"{a: " * 50_000,
        b"- " * 100_000,
        b"? " * 100_000,
        b"# ]]]]]]]]]]\n[[[[[[[[[[\n" * 10_000,
        b"\n".join(b" " * number + b"a:" for number in range(2_500)),
    ],
    ids=["flow", "closed flow", "flow maps", "sequences", "keys", "decoy", "block maps"],
)
def test_deep_nesting_is_refused_before_it_can_exhaust_the_stack(text: bytes) -> None:
    with pytest.raises(YamlError, match=r"nested|valid YAML"):
        documents(text)


def test_aliases_that_expand_without_bound_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(YamlError, match="aliases"):
        documents("\n".join(lines).encode())


def test_an_alias_of_itself_is_refused() -> None:
    with pytest.raises(YamlError, match="aliases"):
        documents(b"a: &a [*a]")


def test_each_document_begins_where_its_content_does() -> None:
    lines = Lines(b"# remark\n\ntitle: a\n---\n---\n# again\ntitle: b\n")
    assert [lines.first(index) for index in range(4)] == [3, 5, 7, 0]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 2),
        (("detection",), 3),
        (("detection", "selection", "Image|endswith"), 5),
        (("detection", "selection", "Image|endswith", 1), 7),
        (("detection", "list", 1, "B"), 10),
        (("detection", "selection", "absent"), 4),
        (("absent",), 2),
    ],
)
def test_a_place_leads_to_its_line(place: tuple[str | int, ...], line: int) -> None:
    text = b"""# remark
title: x
detection:
  selection:
    Image|endswith:
      - a
      - b
  list:
    - A: 1
    - B: 2
"""
    assert line_of(text, 0, place) == line


def test_a_place_in_a_later_document_leads_to_its_line() -> None:
    assert line_of(b"a: 1\n---\nb: 1\nc: 2\n", 1, ("c",)) == 4


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(YamlError):
        documents(data)


@settings(deadline=None)
@given(st.text(alphabet="ab: -\n[]{}&*!|>'\"#?,<1", max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = documents(text.encode())
    except YamlError:
        return
    lines = Lines(text.encode())
    assert all(lines.first(index) for index in range(len(found)))
