"""The text of a field, and templates with fields in them."""

from __future__ import annotations

from typing import Any

import pytest

from haidang.inquiry.templates import Template, value_of


@pytest.mark.parametrize(
    ("template", "event", "text"),
    [
        ("{a}", {"a": "x"}, "x"),
        ("{a|b}", {"b": "x"}, "x"),
        ("{a|b}", {"a": "-", "b": "x"}, "x"),
        ("{a}[ ← {b}]", {"a": "x"}, "x"),
        ("{a}[ ← {b}]", {"a": "x", "b": 3}, "x ← 3"),
        ("[{d}\\]{u}", {"d": "D", "u": "u"}, "D\\u"),
        ("[{d}\\]{u}", {"u": "u"}, "u"),
        ("[{a}][{b}]", {"b": ["p", "q"]}, "p q"),
        ("x{a}y", {}, "xy"),
        ("{a.b}", {"a": {"b": True}}, "true"),
    ],
)
def test_a_template_is_filled_and_leaves_out_what_is_absent(
    template: str, event: dict[str, Any], text: str
) -> None:
    assert Template(template).fill(event) == text


@pytest.mark.parametrize(
    ("event", "name", "text"),
    [
        ({"a": "x"}, "b|a", "x"),
        ({"a": "x", "b": "-"}, "b|a", "x"),
        ({"a": {"b": [1, {"c": "đ"}]}}, "a", '{"b":[1,{"c":"đ"}]}'),
        ({"a": [{"b": 1}, "x"]}, "a", '{"b":1} x'),
        ({"a": {"b": "\ud800"}}, "a", ""),
        ({"a": {"b": 1 << 70}}, "a", ""),
    ],
)
def test_the_text_of_a_field(event: dict[str, Any], name: str, text: str) -> None:
    assert value_of(event, name) == text
