"""What patterns mean, against OASIS's own matcher: the same verdict on the same observations.

The observation is written twice: as STIX objects for the matcher, and as the facets that a log would tell.
Where the two mean different things on purpose, a test of its own says so.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2matcher.matcher import match

from haidang.detect.binding import Gathered
from haidang.detect.facets import spellings
from haidang.detect.naive import evaluate
from haidang.intel.observables import EXTRACT
from haidang.intel.observed import FACETS
from haidang.intel.patterns import compile_pattern

ADDRESSES = ["198.51.100.7", "198.51.100.200", "203.0.113.9"]
NETWORKS = ["198.51.100.0/24", "198.51.100.0/25", "203.0.113.9/32"]
"""The matcher knows networks of version 4 only."""
TARGETS = [*ADDRESSES, "2001:db8::7"]
NAMES = ["a.example", "b.example", "other.test"]
FILES = ["a.exe", "ab.dll", "b.sh"]
FOLDERS = ["c:\\temp", "c:\\temp\\x", "/usr/bin"]
WORDS = ["run -enc x", "run", "x\\y", "it's"]
MD5 = ["a" * 32, "b" * 32]
SHA256 = ["a" * 64, "b" * 64]


def constant(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@st.composite
def observations(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return STIX objects and the facets of an event that tells the same."""
    kind = draw(st.sampled_from(["file", "process", "traffic", "name", "mail"]))
    if kind == "file":
        name, folder = draw(st.sampled_from(FILES)), draw(st.sampled_from(FOLDERS))
        hashes = draw(
            st.fixed_dictionaries(
                {}, optional={"MD5": st.sampled_from(MD5), "SHA-256": st.sampled_from(SHA256)}
            )
        )
        file = {"type": "file", "id": "file--1", "name": name, "parent_directory_ref": "directory--1"}
        if hashes:
            file["hashes"] = hashes  # type: ignore[assignment] # STIX objects hold anything
        path = f"{folder}{'/' if folder[0] == '/' else chr(92)}{name}"
        facets: dict[str, Any] = {"file": path, "folder": path}
        if hashes:
            facets["hash"] = ",".join(f"{key.replace('-', '')}={value}" for key, value in hashes.items())
        return [file, {"type": "directory", "id": "directory--1", "path": folder}], facets
    if kind == "process":
        line, pid = draw(st.sampled_from(WORDS)), draw(st.sampled_from([1, 22, 4444]))
        process = {"type": "process", "id": "process--1", "command_line": line, "pid": pid}
        return [process], {"command_line": line, "pid": str(pid)}
    if kind == "traffic":
        source, target = draw(st.sampled_from(ADDRESSES)), draw(st.sampled_from([*TARGETS, *NAMES]))
        port, protocols = draw(st.sampled_from([22, 443, 4444])), ["tcp", "tls"]
        traffic = {
            "type": "network-traffic", "id": "network-traffic--1", "src_ref": "x--src", "dst_ref": "x--dst",
            "dst_port": port, "protocols": protocols,
        }  # fmt: skip
        objects = [traffic, end("x--src", source), end("x--dst", target)]
        told = {"dst_ip" if is_address(target) else "domain": target}
        return objects, {"src_ip": source, "dst_port": port, "protocol": protocols, **told}
    if kind == "name":
        name = draw(st.sampled_from(NAMES))
        # Facets do not tell a name that was asked for from the name of the end of a connection.
        traffic = {"type": "network-traffic", "id": "network-traffic--1", "dst_ref": "x--dst"}
        return [traffic, end("x--dst", name)], {"domain": name}
    sender, subject = draw(st.sampled_from(["x@mail.example", "y@mail.test"])), draw(st.sampled_from(WORDS))
    mail = {"type": "email-message", "id": "email-message--1", "subject": subject, "from_ref": "x--from"}
    address = {"type": "email-addr", "id": "x--from", "value": sender}
    return [mail, address], {"mail_from": sender, "subject": subject}


def is_address(text: str) -> bool:
    return text[0].isdigit()


def end(name: str, text: str) -> dict[str, Any]:
    kind = "domain-name" if not is_address(text) else "ipv6-addr" if ":" in text else "ipv4-addr"
    return {"type": kind, "id": name, "value": text}


def _texts(path: str, values: list[str], likes: list[str], expressions: list[str]) -> st.SearchStrategy[str]:
    value = st.sampled_from(values).map(constant)
    some = st.lists(value, min_size=1, max_size=3).map(lambda found: f"({', '.join(found)})")
    asked = st.one_of(
        st.builds("{} {}".format, st.sampled_from(["=", "!=", "NOT =", "NOT !="]), value),
        st.builds("{} {}".format, st.sampled_from(["IN", "NOT IN"]), some),
        st.builds(
            "{} {}".format, st.sampled_from(["LIKE", "NOT LIKE"]), st.sampled_from(likes).map(constant)
        ),
        st.builds(
            "{} {}".format,
            st.sampled_from(["MATCHES", "NOT MATCHES"]),
            st.sampled_from(expressions).map(constant),
        ),
    )
    return asked.map(f"{path} ".__add__)


def _numbers(path: str, values: list[int]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "NOT =", "NOT >"])
    return st.builds("{} {} {}".format, st.just(path), operators, st.sampled_from(values))


def _networks(path: str) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["ISSUBSET", "NOT ISSUBSET"])
    return st.builds("{} {} {}".format, st.just(path), operators, st.sampled_from(NETWORKS).map(constant))


def _addresses(path: str) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["=", "!=", "NOT ="])
    return st.builds("{} {} {}".format, st.just(path), operators, st.sampled_from(ADDRESSES).map(constant))


# One object type each: in STIX, comparisons of one observation are of one object.
_OF_ONE_TYPE = {
    "file": st.one_of(
        _texts("file:name", FILES, ["a%", "_.sh", "%.dll"], ["^a", "\\.exe$"]),
        _texts("file:hashes.MD5", MD5, ["a%"], ["^a+$"]).filter(lambda text: "=" in text),
        _texts("file:hashes.'SHA-256'", SHA256, ["a%"], ["^a+$"]).filter(lambda text: "=" in text),
        _texts("file:parent_directory_ref.path", FOLDERS, ["c:%", "%bin"], ["^/usr", "temp$"]),
    ),
    "process": st.one_of(
        _texts("process:command_line", WORDS, ["%-enc%", "r_n"], ["run$", "x\\\\y", "'"]),
        _numbers("process:pid", [1, 22, 4444]),
    ),
    "network-traffic": st.one_of(
        _numbers("network-traffic:dst_port", [22, 443, 4444]),
        _texts("network-traffic:protocols[*]", ["tcp", "udp", "tls"], ["t%"], ["^t.s$"]),
        _networks("network-traffic:src_ref.value"),
        _addresses("network-traffic:src_ref.value"),
        _addresses("network-traffic:dst_ref.value"),
        st.builds(
            "network-traffic:dst_ref.type = {}".format,
            st.sampled_from(["'ipv4-addr'", "'ipv6-addr'", "'domain-name'"]),
        ),
    ),
    "ipv4-addr": st.one_of(
        _networks("ipv4-addr:value"), _addresses("ipv4-addr:value"),
    ),
    "domain-name": _texts("domain-name:value", NAMES, ["%.example"], ["^a\\."]),
    "email-message": st.one_of(
        _texts("email-message:subject", WORDS, ["r%"], ["enc"]),
        _texts("email-message:from_ref.value", ["x@mail.example", "y@mail.test"], ["%@mail.%"], ["test$"]),
    ),
}  # fmt: skip
_comparisons = st.sampled_from(sorted(_OF_ONE_TYPE)).flatmap(
    lambda kind: st.recursive(
        _OF_ONE_TYPE[kind],
        lambda inner: st.one_of(
            st.builds("{} AND {}".format, inner, inner),
            st.builds("({} OR {})".format, inner, inner),
        ),
        max_leaves=4,
    )
)


def ours(pattern: str, facets: dict[str, Any]) -> bool:
    """Return whether a pattern of one observation holds for an event of these facets."""
    compiled = compile_pattern(pattern)
    assert not compiled.sequences

    def get(facet: str) -> Any:
        return Gathered((facet,), spellings(facet)).get(facets)

    looked_up = {
        (KINDS[key[0]], key[2:])
        for facet, value in facets.items()
        if FACETS[facet]
        for key in EXTRACT[FACETS[facet]](value)
    }
    return any(evaluate(one, get, {}) for one in compiled.conditions) or any(
        found(lookup, looked_up) for lookup in compiled.lookups
    )


KINDS = {"i": "ip", "d": "domain", "h": "hash", "u": "url", "e": "email"}


def found(lookup: tuple[str, str], values: set[tuple[str, str]]) -> bool:
    from ipaddress import ip_address, ip_network

    if lookup[0] == "network":
        return any(kind == "ip" and ip_address(one) in ip_network(lookup[1]) for kind, one in values)
    return lookup in values


def judged(pattern: str, objects: list[dict[str, Any]]) -> bool:
    observed = {
        "type": "observed-data", "id": "observed-data--1", "spec_version": "2.1", "number_observed": 1,
        "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:00Z",
        "object_refs": [one["id"] for one in objects],
    }  # fmt: skip
    bundle = {"type": "bundle", "id": "bundle--1", "objects": [observed, *objects]}
    return bool(match(pattern, [bundle], stix_version="2.1"))


@given(_comparisons, observations())
@settings(max_examples=200)
def test_one_observation_is_judged_alike(
    text: str, observation: tuple[list[dict[str, Any]], dict[str, Any]]
) -> None:
    objects, facets = observation
    assert ours(f"[{text}]", facets) is judged(f"[{text}]", objects)


PATHS = sorted(
    {
        "file:name", "file:hashes.MD5", "file:parent_directory_ref.path", "process:command_line",
        "process:pid", "network-traffic:dst_port", "network-traffic:protocols[*]",
        "network-traffic:dst_ref.value", "ipv4-addr:value", "domain-name:value", "email-message:subject",
    }
)  # fmt: skip


@given(st.sampled_from(PATHS), observations())
@settings(max_examples=60)
def test_being_there_is_judged_alike(
    path: str, observation: tuple[list[dict[str, Any]], dict[str, Any]]
) -> None:
    objects, facets = observation
    assert ours(f"[EXISTS {path}]", facets) is judged(f"[EXISTS {path}]", objects)


FILE = {"type": "file", "id": "file--1", "name": "A.exe", "hashes": {"MD5": "a" * 32}}
NAME = {"type": "domain-name", "id": "domain-name--1", "value": "b.a.example"}
TOLD = {"file": "A.exe", "hash": f"MD5={'a' * 32}", "domain": "b.a.example"}


@pytest.mark.parametrize(
    "text",
    [
        # Logs are compared without case.
        "file:name = 'a.EXE'",
        # A known name is that of the names below it, too.
        "domain-name:value = 'a.example'",
        # An event tells of several objects; in STIX one observation asks for one.
        "file:name = 'A.exe' AND domain-name:value = 'b.a.example'",
    ],
)
def test_more_holds_here_than_in_stix(text: str) -> None:
    assert ours(f"[{text}]", TOLD)
    assert not judged(f"[{text}]", [FILE, NAME])


def test_a_network_means_its_addresses() -> None:
    """In STIX the text itself is compared; no log tells of a network where it means an address."""
    network = "[ipv4-addr:value = '198.51.100.0/24']"
    assert ours(network, {"dst_ip": "198.51.100.7"})
    assert not judged(network, [{"type": "ipv4-addr", "id": "x--1", "value": "198.51.100.7"}])
