"""Conditions mean what a plain twin, written after the specification, makes of random patterns."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.intel.patterns._holding import holds

# Facets whose values are looked at as they are written.
FACET = {
    "process:command_line": "command_line",
    "user-account:user_id": "user",
    "email-message:subject": "subject",
}
VALUES = ["a", "b", "ab", "198.51.100.7", "203.0.113.9"]
_operators = st.sampled_from(["=", "!=", "LIKE", "IN", "ISSUBSET", "ISSUPERSET", "EXISTS"])
_comparisons = st.tuples(
    _operators,
    st.sampled_from(sorted(FACET)),
    st.booleans(),
    st.sampled_from(VALUES),
)


def written(tree: Any) -> str:
    if tree[0] in {"AND", "OR"}:
        return "(" + f" {tree[0]} ".join(map(written, tree[1])) + ")"
    operator, path, negated, value = tree
    if operator == "EXISTS":
        return f"EXISTS {path}"
    constant = (
        f"('{value}', 'zz')" if operator == "IN" else f"'{value}%'" if operator == "LIKE" else f"'{value}'"
    )
    return f"{path} {'NOT ' if negated else ''}{operator} {constant}"


def one_holds(operator: str, value: str, found: str) -> bool:
    if operator in {"=", "!="}:
        return (found == value) is (operator == "=")
    if operator == "IN":
        return found in {value, "zz"}
    if operator == "LIKE":
        return found.startswith(value)
    try:
        inner, outer = (found, value) if operator == "ISSUBSET" else (value, found)
        return ip_address(inner) in ip_network(outer)
    except ValueError:
        return False


def naive(tree: Any, event: dict[str, list[str]]) -> bool:
    """Return what the specification says: some value of the path for which the comparison holds."""
    if tree[0] in {"AND", "OR"}:
        each = [naive(part, event) for part in tree[1]]
        return all(each) if tree[0] == "AND" else any(each)
    operator, path, negated, value = tree
    found = event.get(FACET[path], [])
    if operator == "EXISTS":
        return bool(found)
    return any(one_holds(operator, value, one) is not negated for one in found)


trees = st.recursive(
    _comparisons,
    lambda inner: st.tuples(st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    max_leaves=6,
)


def readable(tree: Any) -> bool:
    """Return whether no comparison asks for a network where the value is none."""
    if tree[0] in {"AND", "OR"}:
        return all(map(readable, tree[1]))
    return not tree[0].startswith("ISS") or tree[3][0].isdigit()


@given(
    trees.filter(readable),
    st.dictionaries(
        st.sampled_from(sorted(FACET.values())), st.lists(st.sampled_from(VALUES), min_size=1, max_size=3)
    ),
)
def test_conditions_mean_what_the_pattern_says(tree: Any, event: dict[str, list[str]]) -> None:
    assert holds(f"[{written(tree)}]", event) is naive(tree, event)
