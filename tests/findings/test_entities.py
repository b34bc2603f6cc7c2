"""Who and what an event is about, in the words of several products."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.findings.entities import _NAMES, Entities, base_name, entities


@pytest.mark.parametrize(
    ("event", "thing", "value"),
    [
        ({"NewProcessName": "C:\\a.exe"}, "process", "C:\\a.exe"),
        ({"exe": "/bin/sh"}, "process", "/bin/sh"),
        ({"NewProcessId": "0x1a4"}, "pid", 420),
        ({"ProcessId": 7}, "pid", 7),
        ({"ProcessId": "-1"}, "pid", 0),
        ({"ProcessId": True}, "pid", 0),
        ({"DestinationPort": "65535"}, "destination_port", 65535),
        ({"DestinationPort": 65536}, "destination_port", 0),
        ({"User": "HAIVAN\\lan"}, "user", "lan"),
        ({"User": "HAIVAN\\lan"}, "user_domain", "HAIVAN"),
        ({"User": "-", "acct": "root"}, "user", "root"),
        ({"IpAddress": "-"}, "source_ip", ""),
        ({"IpAddress": "::ffff:10.0.0.5"}, "source_ip", "10.0.0.5"),
        ({"IpAddress": "fe80::1%eth0"}, "source_ip", "fe80::1"),
        ({"id.resp_h": ["192.0.2.1", "192.0.2.2"]}, "destination_ip", "192.0.2.1"),
        ({"TargetObject": "HKLM\\Software"}, "registry_key", "HKLM\\Software"),
        ({"ObjectName": "C:\\file"}, "registry_key", ""),
        (
            {"Hashes": f"SHA1={'a' * 40},MD5={'b' * 32},SHA256={'c' * 64},IMPHASH={'0' * 32}"},
            "hashes",
            (("MD5", "b" * 32), ("SHA-1", "a" * 40), ("SHA-256", "c" * 64)),
        ),
        ({"Hashes": "SHA1=" + "a" * 40 + ",IMPHASH=" + "0" * 32}, "hashes", (("SHA-1", "a" * 40),)),
        ({"Hash": "f" * 64}, "hashes", (("SHA-256", "f" * 64),)),
        # Security 4688 calls the process that starts another ProcessId.
        ({"NewProcessId": "0x5a4", "ProcessId": "0xb4c"}, "pid", 0x5A4),
        ({"NewProcessId": "0x5a4", "ProcessId": "0xb4c"}, "parent_pid", 0xB4C),
    ],
)
def test_a_thing_is_found_by_the_names_that_products_give_it(
    event: dict[str, Any], thing: str, value: object
) -> None:
    assert getattr(entities(event), thing) == value


def test_an_event_of_nothing_known_has_nothing() -> None:
    assert entities({"x": "y"}) == Entities()


@given(
    st.dictionaries(
        st.sampled_from(sorted({n for names in _NAMES.values() for n in names})), st.text() | st.none()
    )
)
def test_no_value_raises(event: dict[str, Any]) -> None:
    assert 0 <= entities(event).pid < 1 << 32


@pytest.mark.parametrize(
    ("path", "name"),
    [("C:\\a\\b.exe", "b.exe"), ("/usr/bin/id", "id"), ("id", "id"), ("C:\\", "C:"), ("/", "/")],
)
def test_the_base_name_of_windows_and_unix_paths(path: str, name: str) -> None:
    assert base_name(path) == name
