"""Templates filled in from events, whatever the events hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.detect.templates import template

EVENT: dict[str, Any] = {
    "domain": "HOAIV",
    "user": "ha",
    "arguments": ["ls", "-l", 3],
    "request": {"a": ["Suspended"], "b": None},
    "text": '{"already": "text"}',
    "parameters": [{"Name": "ForwardTo", "Value": "x@example.net"}, {"Name": "Other", "Value": 1}, "junk"],
    "nested": [{"list": [{"k": "A", "v": 1}]}, {"list": [{"k": "a", "v": 2}, {"k": "b", "v": 3}]}],
    "data": {"type": "REG_DWORD", "strings": ["255"]},
    "empty": [],
    "access": 0x1010,
    "hashes": {"md5": "AA", "sha1": ["BB", "CC"]},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (r"{domain}\{user}", r"HOAIV\ha"),
        (r"{domain}\{nobody}", None),
        ("{access}", 0x1010),
        ("{arguments}", ["ls", "-l", 3]),
        ("{arguments:words}", "ls -l 3"),
        ("{user:words}", "ha"),
        ("{request:json}", '{"a":["Suspended"],"b":null}'),
        ("{text:json}", '{"already": "text"}'),
        ("{empty:json}", "[]"),
        ("{nobody:json}", None),
        ("{parameters[name=ForwardTo].value}", None),
        ("{parameters[Name=forwardto].Value}", "x@example.net"),
        ("{parameters[Name=Nobody].Value}", None),
        ("{parameters[Name=Other]:json}", '{"Name":"Other","Value":1}'),
        ("{nested.list[k=a].v}", [1, 2]),
        ("{user[k=a].v}", None),
        ("DWORD (0x{data[type=REG_DWORD].strings:hex8})", ["DWORD (0x000000ff)"]),
        ("DWORD (0x{data[type=REG_SZ].strings:hex8})", None),
        ("0x{access:hex}", "0x1010"),
        ("0x{user:hex}", None),
        ("MD5={hashes.md5}\nSHA1={hashes.sha1}\nSHA256={hashes.sha256}", ["MD5=AA", "SHA1=BB", "SHA1=CC"]),
        ("A={nobody}\nB={nobody}", None),
        ("<{empty}>", None),
    ],
)
def test_a_template_gives_its_value(source: str, value: object) -> None:
    assert template(source)(EVENT) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "k", "v"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    event=st.dictionaries(st.sampled_from(["a", "b", "k", "v"]), json_values),
    source=st.sampled_from(
        [
            r"{a}\{b.k}",
            "{a:json}",
            "{a.b:words}",
            "{a[k=v].v}",
            "{a.b[k=1][v=true].a:json}",
            "0x{a:hex8}{b:hex}",
            "{a}\n{b:words}\nx={k[a=b]}",
        ]
    ),
)
def test_no_event_makes_a_template_raise(event: dict[str, Any], source: str) -> None:
    template(source)(event)
