from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from haidang.errors import ConfigurationError
from haidang.sigma.ir import LogSource
from haidang.sigma.logsource import BUILTIN_MAPS, load_maps, map_fields, parse_map, serves

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """origin: Ours
product: Acme
route_by: [kind, level]
recognise: [[kind, acme.version]]
fields: {Host: host, Who: '{domain}/{user}'}
values: {Level: {'1': high}}
sources:
  - logsource: {category: Firewall}
    when: {kind: [FW, 7], level: 1}
    fields: {Host: [device, host]}
    values: {Action: {Permit: allow}}
  - logsource: {product: other, service: audit}
"""


def test_a_map_is_taken_over_with_its_defaults() -> None:
    parsed = parse_map(GOOD.encode(), "acme.yml")
    assert (parsed.origin, parsed.product, parsed.route_by) == ("Ours", "acme", ("kind", "level"))
    assert parsed.recognise == (("kind", "acme.version"),)
    assert parsed.claims
    first, second = parsed.entries
    assert first.logsource == LogSource("acme", "firewall", "")
    assert first.when == {"kind": ("fw", "7"), "level": ("1",)}
    assert first.fields == {"Host": ("device", "host"), "Who": ("{domain}/{user}",)}
    assert first.values == {"Level": {"1": "high"}, "Action": {"permit": "allow"}}
    assert second.logsource == LogSource("other", "", "audit")
    assert (second.when, second.fields) == ({}, {"Host": ("host",), "Who": ("{domain}/{user}",)})


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("origin: Ours\n", "", 1, "'origin' is missing"),
        ("values: {Level: {'1': high}}", "values: {kind: {fw: fire}}", 9, "'kind' is never 'fw'"),
        ("product: Acme", "produkt: Acme", 2, "unknown key 'produkt'"),
        ("product: Acme", "product: [a]", 2, "a text is expected here"),
        ("recognise: [[kind, acme.version]]", "recognise: [kind]", 4, "list of lists"),
        ("fields: {Host: host,", "fields: {Host: {a: b},", 5, "a text is expected here"),
        ("'{domain}/{user}'", "'{domain/{user}'", 5, "is no template"),
        ("values: {Level: {'1': high}}", "values: {Level: high}", 6, "a map is expected here"),
        ("    when: {kind: [FW, 7], level: 1}", "    when: {colour: red}", 9, "'colour' is not in route_by"),
        ("    when: {kind: [FW, 7], level: 1}", "    when: {kind: []}", 9, "accepts no value"),
        ("    when: {kind: [FW, 7], level: 1}", "    wenn: {kind: 1}", 9, "unknown key 'wenn'"),
        ("{category: Firewall}", "{category: a, vendor: b}", 8, "unknown key 'vendor'"),
        ("  - logsource: {product: other, service: audit}", "  - just text", 12, "must be a map"),
        ("product: Acme", "product: Acme\nproduct: b", 3, "occurs twice"),
        ("product: Acme", "claims: maybe", 2, "must be true or false"),
        ("product: Acme", "route_depth: 0", 2, "must be a number from 1 to 4"),
        ("product: Acme", "route_depth: true", 2, "must be a number from 1 to 4"),
        ("product: Acme", "time: {a: b}", 2, "a text is expected here"),
        ("'{domain}/{user}'", "'{domain[x]}'", 5, "is no template"),
        ("origin: Ours", "origin: [", 3, "not valid YAML"),
    ],
)
def test_a_wrong_map_is_an_error_with_its_line_and_what_to_do(
    old: str, new: str, line: int, reason: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError) as wrong:
        parse_map(GOOD.replace(old, new).encode(), "acme.yml")
    assert wrong.value.message.startswith(f"acme.yml:{line}: ")
    assert reason in wrong.value.message
    assert wrong.value.hint


def test_a_map_says_where_routing_fields_times_and_hosts_are_and_what_is_absent() -> None:
    text = """origin: ours
route_by: [os, kind]
route_depth: 1
time: [at, since]
host: device.name
fields: {os: [host.os, platform], Image: exe}
values: {os: {Darwin: macos}}
absent: [Parent]
sources:
  - logsource: {category: a}
    when: {os: macos}
    absent: [Hashes]
"""
    parsed = parse_map(text.encode(), "x.yml")
    assert parsed.routing == {"os": (("host.os", "platform"), {"darwin": "macos"})}
    assert (parsed.route_depth, parsed.time_fields, parsed.host_fields) == (
        1,
        ("at", "since"),
        ("device.name",),
    )
    assert parsed.entries[0].absent == ("Parent", "Hashes")
    assert load_maps()[0].route_depth == 2


@pytest.mark.parametrize(
    "text", ["", "- a", "origin: a\nsources: []", "origin: a\nsources: {}", "a: 1\n---\nb: 2"]
)
def test_what_is_no_map_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"acme\.yml"):
        parse_map(text.encode(), "acme.yml")


def test_maps_of_the_user_come_after_the_built_in_ones(tmp_path: Path) -> None:
    (tmp_path / "acme.yml").write_text(GOOD)
    maps = load_maps([tmp_path])
    assert [one.origin for one in maps[-1:]] == ["Ours"]
    assert len(maps) == len(list(BUILTIN_MAPS.glob("*.yml"))) + 1
    assert [one.origin for one in load_maps([tmp_path / "acme.yml"], builtin=False)] == ["Ours"]


def test_a_map_that_is_not_there_and_a_folder_without_maps_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_maps([tmp_path / "gone.yml"])
    with pytest.raises(ConfigurationError, match="holds no logsource map"):
        load_maps([tmp_path])


@pytest.mark.parametrize(
    ("rule", "entry", "served"),
    [
        (("windows", "process_creation", ""), ("windows", "process_creation", ""), True),
        (("", "process_creation", ""), ("windows", "process_creation", ""), True),
        (("linux", "process_creation", ""), ("windows", "process_creation", ""), False),
        (("windows", "", ""), ("windows", "", ""), True),
        (("windows", "", ""), ("windows", "process_creation", ""), False),
        (("windows", "", "security"), ("windows", "", "system"), False),
        (("windows", "process_creation", "sysmon"), ("windows", "process_creation", ""), True),
        (("windows", "process_creation", ""), ("windows", "process_creation", "sysmon"), False),
    ],
)
def test_which_rules_an_entry_serves(rule: tuple[str, ...], entry: tuple[str, ...], *, served: bool) -> None:
    assert serves(LogSource(*entry), LogSource(*rule)) is served


def test_a_template_reads_several_fields() -> None:
    assert map_fields(["a", "{b}\\{c}", "a"]) == ("a", "b", "c")
    assert map_fields(["MD5={x.md5}\n{list[k=v].z:words}"]) == ("x.md5", "list")


def test_every_built_in_map_has_an_origin_and_product_of_its_own_and_says_where_from() -> None:
    maps = load_maps()
    assert len({(one.origin, one.product) for one in maps}) == len(maps)
    for path in BUILTIN_MAPS.glob("*.yml"):
        assert path.read_text(encoding="utf-8").startswith("# "), path.name


def test_maps_of_one_origin_are_routed_by_the_same_fields() -> None:
    routed = defaultdict(set)
    for one in load_maps():
        routed[one.origin].add(one.route_by)
    assert {origin for origin, fields in routed.items() if len(fields) > 1} == set()
    assert sum(one.origin == "windows" for one in load_maps()) == 2


def test_no_log_source_is_mapped_twice_to_the_same_events() -> None:
    for one in load_maps():
        seen = defaultdict(list)
        for entry in one.entries:
            seen[entry.logsource].append(entry.when)
        for logsource, whens in seen.items():
            assert len(whens) == len({str(when) for when in whens}), (one.path, logsource)
