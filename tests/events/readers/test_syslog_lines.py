"""One line of syslog is taken apart, in either format and as devices write them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haidang.events.readers.syslog import FACILITIES, SEVERITIES, parse_line


def test_keeps_every_value_of_a_repeated_parameter() -> None:
    fields = parse_line('<13>1 - h p - - [a x="1" x="2" x="3"][a y="4"] m')
    assert fields is not None
    assert fields["structured_data"] == {"a": {"x": ["1", "2", "3"], "y": "4"}}


def test_drops_the_byte_order_mark_of_an_rfc_5424_message() -> None:
    fields = parse_line("<13>1 - h p - - - \ufeffXin chào")
    assert fields is not None
    assert fields["message"] == "Xin chào"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("<13>Nov  3 04:05:06 h p: m", {"timestamp": "Nov  3 04:05:06", "hostname": "h", "program": "p"}),
        ("Nov 3 04:05:06 h p[1]: m", {"timestamp": "Nov 3 04:05:06", "program": "p", "pid": "1"}),
        ("Nov  3 2026 04:05:06 h p: m", {"timestamp": "Nov  3 2026 04:05:06", "hostname": "h"}),
        ("Nov  3 04:05:06.123 h p: m", {"timestamp": "Nov  3 04:05:06.123", "hostname": "h"}),
        ("Nov  3 04:05:06 sshd[12]: m", {"program": "sshd", "pid": "12", "message": "m"}),
        (
            "<46>Nov  3 04:05:06 rsyslogd: m",
            {"program": "rsyslogd", "facility": "syslog", "severity": "info"},
        ),
        ("Nov  3 04:05:06 fe80::1 p: m", {"hostname": "fe80::1", "program": "p"}),
        ("Nov  3 04:05:06 h no program here", {"hostname": "h", "message": "no program here"}),
        ("Nov  3 04:05:06 h p:", {"program": "p", "message": ""}),
        ("2026-11-03T04:05:06Z h p[1]: m", {"timestamp": "2026-11-03T04:05:06Z", "program": "p"}),
        ("<13>1 2026-11-03T04:05:06Z h p 1 - m", {"program": "p", "pid": "1", "message": "m"}),
        ("<190>%LINK-3-UPDOWN: down", {"message": "%LINK-3-UPDOWN: down", "facility": "local7"}),
    ],
)
def test_reads_what_devices_make_of_the_formats(line: str, expected: dict[str, str]) -> None:
    fields = parse_line(line)
    assert fields is not None
    assert expected.items() <= fields.items()
    assert fields["raw"] == line


def test_what_sudo_says_of_a_command_is_taken_apart() -> None:
    fields = parse_line(
        "Nov  3 04:05:06 h sudo:  lan.tt : TTY=pts/0 ; PWD=/home/lan ; USER=#-1 ; COMMAND=/bin/sh -c a ; b"
    )
    assert fields is not None
    assert {name: fields[name] for name in ("SUDO_USER", "TTY", "PWD", "USER", "COMMAND")} == {
        "SUDO_USER": "lan.tt",
        "TTY": "pts/0",
        "PWD": "/home/lan",
        "USER": "#-1",
        "COMMAND": "/bin/sh -c a ; b",
    }
    fields = parse_line(
        "Nov  3 04:05:06 h sudo: lan : user NOT in sudoers ; TTY=pts/0 ; USER=root ; COMMAND=/bin/ls"
    )
    assert fields is not None
    assert (fields["reason"], fields["USER"]) == ("user NOT in sudoers", "root")
    fields = parse_line("Nov  3 04:05:06 h sudo: pam_unix(sudo:session): session opened for user root")
    assert fields is not None
    assert "SUDO_USER" not in fields


def test_a_line_without_host_has_no_host() -> None:
    fields = parse_line("Nov  3 04:05:06 sshd[12]: m")
    assert fields is not None
    assert "hostname" not in fields


@given(st.integers(0, len(FACILITIES) * 8 - 1))
def test_takes_the_priority_apart(priority: int) -> None:
    fields = parse_line(f"<{priority}>Nov  3 04:05:06 h p: m")
    assert fields is not None
    assert FACILITIES.index(fields["facility"]) * 8 + SEVERITIES.index(fields["severity"]) == priority


@pytest.mark.parametrize(
    "line",
    ["", "text", "<192>Nov  3 04:05:06 h p: m", "<999>x", "<>x", "1 - - - - - -", "Xyz  3 04:05:06 h p: m"],
)
def test_says_that_a_line_is_no_syslog_line(line: str) -> None:
    assert parse_line(line) is None


def written(value: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", value)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b@1", "c"]),
            st.lists(
                st.tuples(st.sampled_from(["x", "y", "z"]), st.text('a =[]"\\-\u1ec7', max_size=4)),
                max_size=4,
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_structured_data_come_back_whatever_they_hold(
    elements: list[tuple[str, list[tuple[str, str]]]],
) -> None:
    expected: dict[str, dict[str, list[str]]] = {}
    data = ""
    for name, parameters in elements:
        data += f"[{name}" + "".join(f' {key}="{written(value)}"' for key, value in parameters) + "]"
        for key, value in parameters:
            expected.setdefault(name, {}).setdefault(key, []).append(value)
        expected.setdefault(name, {})
    fields = parse_line(f"<34>1 2026-03-01T08:00:00Z h p 1 m {data} text")
    assert fields is not None
    assert fields["message"] == "text"
    assert fields["structured_data"] == {
        name: {key: values if len(values) > 1 else values[0] for key, values in parameters.items()}
        for name, parameters in expected.items()
    }


@pytest.mark.parametrize("absent", range(5))
def test_what_a_line_leaves_out_is_absent(absent: int) -> None:
    names = ["timestamp", "hostname", "program", "pid", "msgid"]
    values = ["2026-03-01T08:00:00Z", "h", "p", "1", "m"]
    values[absent] = "-"
    fields = parse_line(f"<034>1 {' '.join(values)} - -")
    assert fields is not None
    assert [name for name in names if name not in fields] == [names[absent]]
    assert (fields["message"], fields["priority"], fields["facility"]) == ("-", 34, "auth")


@pytest.mark.parametrize("line", ["2026-05-11 10:14:15 +07 x y[1]: z", "1778469256.123 45 x TCP_MISS/200 x"])
def test_other_times_are_left_to_others(line: str) -> None:
    assert parse_line(line) is None
