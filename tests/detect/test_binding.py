from __future__ import annotations

import pytest

from haidang.detect.binding import Accessor, Binding
from haidang.sigma.ir import LogSource
from haidang.sigma.logsource import load_maps


def windows(category: str, channel: str) -> Binding:
    (entry,) = [
        entry
        for one in load_maps()
        for entry in one.entries
        if entry.logsource == LogSource("windows", category, "") and channel in entry.when.get("Channel", ())
    ]
    return Binding(entry)


VALUES = (("a*", "1-"), ("abc*", "2-"), ("abcd", "whole"))


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("abcd", "whole"),
        ("ABCDE", "2-DE"),
        ("aXY", "1-XY"),
        ("A", "1-"),
        ("b", "b"),
        (["aX", "b"], ["1-X", "b"]),
        (7, 7),
    ],
)
def test_a_whole_value_is_translated_before_the_longest_beginning(value: object, meant: object) -> None:
    assert Accessor(("F",), VALUES).get({"F": value}) == meant


ENDINGS = (("*.com", "shop"), ("*a.com", "own"), ("b.com", "whole"), ("x*", "y"))


@pytest.mark.parametrize(
    ("value", "meant"),
    [("b.com", "whole"), ("za.COM", "own"), ("z.com", "shop"), ("x.com", "y.com"), ("com", "com")],
)
def test_an_ending_stands_for_the_whole_value(value: str, meant: str) -> None:
    assert Accessor(("F",), ENDINGS).get({"F": value}) == meant


def test_a_routing_field_is_where_the_map_says() -> None:
    binding = Binding(None, {"os": Accessor(("host.os.type",), (("darwin", "macos"),))})
    assert binding.accessor("=os").get({"os": "no", "host": {"os": {"type": "Darwin"}}}) == "macos"
    assert binding.accessor("=kind").get({"kind": "its own"}) == "its own"
    assert binding.accessor("os").get({"os": "a rule's field"}) == "a rule's field"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        (r"\REGISTRY\MACHINE\SOFTWARE\Microsoft\Run", r"HKLM\SOFTWARE\Microsoft\Run\V"),
        (r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\x", r"HKLM\System\CurrentControlSet\Services\x\V"),
        (r"\REGISTRY\USER\S-1-5-21-1-2-3-500\Software\x", r"HKU\S-1-5-21-1-2-3-500\Software\x\V"),
    ],
)
@pytest.mark.parametrize("category", ["registry_event", "registry_set"])
def test_audited_registry_keys_have_the_names_of_sysmon(category: str, name: str, meant: str) -> None:
    event = {"ObjectName": name, "ObjectValueName": "V"}
    assert windows(category, "security").accessor("TargetObject").get(event) == meant


def test_an_audited_connection_names_the_program_by_drive() -> None:
    event = {
        "Application": r"\device\harddiskvolume3\windows\system32\lsass.exe",
        "Direction": "%%14593",
        "Protocol": "6",
    }
    binding = windows("network_connection", "security")
    assert binding.accessor("Image").get(event) == r"C:\windows\system32\lsass.exe"
    assert binding.accessor("Initiated").get(event) == "true"
    assert binding.accessor("Protocol").get(event) == "tcp"


def test_an_audited_process_has_the_names_of_sysmon() -> None:
    event = {
        "NewProcessName": r"C:\a.exe",
        "NewProcessId": "0x10",
        "ProcessId": "0x4",
        "MandatoryLabel": "S-1-16-12288",
        "SubjectDomainName": "ACME",
        "SubjectUserName": "lan",
    }
    binding = windows("process_creation", "security")
    names = ("Image", "ProcessId", "ParentProcessId", "IntegrityLevel", "User")
    assert [binding.accessor(name).get(event) for name in names] == [
        r"C:\a.exe",
        "0x10",
        "0x4",
        "High",
        r"ACME\lan",
    ]
