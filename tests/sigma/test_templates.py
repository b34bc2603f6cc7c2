"""The spelling of templates in logsource maps."""

from __future__ import annotations

import pytest

from haidang.sigma.templates import Pick, Slot, parse_template, template_fields


def test_literals_and_fields_come_in_order() -> None:
    assert parse_template(r"{domain}\{user}") == ((Slot("domain"), "\\", Slot("user")),)
    assert parse_template("{a.b:json}") == ((Slot("a.b", (), "json"),),)


def test_a_colon_that_names_no_form_is_part_of_the_field() -> None:
    assert parse_template("{urn:x}") == ((Slot("urn:x"),),)


def test_a_pick_names_key_value_and_rest() -> None:
    (line,) = parse_template("{a.list[Name=Request Type].Value}")
    assert line == (Slot("a.list", (Pick("Name", "request type", "Value"),)),)
    (line,) = parse_template("{list[a=1][b=2].c:words}")
    assert line == (Slot("list", (Pick("a", "1", ""), Pick("b", "2", "c")), "words"),)


def test_each_line_is_a_template() -> None:
    assert len(parse_template("MD5={md5}\nSHA1={sha1}\n")) == 2
    assert template_fields("MD5={file.md5}\n{list[a=b].c}") == ("file.md5", "list")


@pytest.mark.parametrize("text", ["{a", "a}", "{a{b}}", "{[a=b]}", "{a[b].c}", "{a[b=}", "{}"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_template(text)
