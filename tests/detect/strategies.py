"""Random rules and random events that meet often enough to be interesting."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from haidang.sigma.ir import ANY, ONE, Condition, Test

FIELDS = ("Image", "CommandLine", "Code", "Nested.Name")
WORDS = (
    "a",
    "B",
    "ab",
    "cmd",
    "\\cmd.exe",
    ".exe",
    "C:\\",
    "x y",
    "-enc",
    "é",
    "İ",
    "ß",
    "K",
    "ſ",
    "Σ",
    "\n",
    "10",
    "*",
    "\x02",
    "\x03",
)

words = st.sampled_from(WORDS)
phrases = st.lists(words, max_size=5).map("".join)
scalars: st.SearchStrategy[Any] = st.one_of(
    phrases,
    st.integers(-3, 12),
    st.sampled_from(
        [0, 1, True, False, 1.0, 0.5, 10.0, "1", "0", "true", "FALSE", "", "10.1.2.3", "fe80::1", None]
    ),
    st.sampled_from(["2026-03-01T10:20:30Z", "2025-12-31 23:59:59", 1767225600, "K", "ss"]),
)
values = st.one_of(scalars, scalars, scalars, st.lists(scalars, max_size=3))


def _parts() -> st.SearchStrategy[tuple[str | int, ...]]:
    part = st.one_of(words, st.sampled_from([ANY, ONE, ANY]))
    plain = words.map(lambda word: (word,))
    around = words.flatmap(lambda word: st.sampled_from([(ANY, word, ANY), (word, ANY), (ANY, word)]))
    return st.one_of(plain, around, around, st.lists(part, max_size=4).map(tuple))


_numbers = st.sampled_from([-1, 0, 1, 2, 10, 0.5])
_comparisons = st.sampled_from(["lt", "lte", "gt", "gte", "ne"])
_patterns = st.sampled_from(
    [
        "cmd",
        "^a",
        "b$",
        "a.c",
        "(?i)CMD",
        "a|b",
        r"\d+",
        "[a-c]{2}",
        "(?=a)a",
        "(?:cmd)+\\.exe",
        "k",
        "s",
        r"x\sy",
    ]
)


def tests(fields: tuple[str, ...] = FIELDS) -> st.SearchStrategy[Condition]:  # noqa: PT028 - no test itself
    """Return one test of any kind on one of ``fields``."""
    name = st.sampled_from(fields)
    cased = st.booleans()
    return st.one_of(
        st.builds(Test, name, st.just("str"), _parts(), cased),
        st.builds(Test, name, st.just("str"), _parts(), cased),
        st.builds(Test, st.none(), st.just("str"), words.map(lambda word: (ANY, word, ANY)), st.just(False)),
        st.builds(
            Test, name, st.just("re"), st.tuples(_patterns, st.sampled_from(["", "i", "ms"])), st.just(False)
        ),
        st.builds(Test, name, st.just("num"), _numbers),
        st.builds(Test, name, _comparisons, _numbers),
        st.builds(Test, name, st.just("bool"), st.booleans()),
        st.builds(Test, name, st.just("null"), st.none()),
        st.builds(Test, name, st.just("exists"), st.booleans()),
        st.builds(Test, name, st.just("cidr"), st.sampled_from(["10.0.0.0/8", "fe80::/10", "10.1.2.3/32"])),
        st.builds(
            Test,
            name,
            st.just("fieldref"),
            st.tuples(name, st.sampled_from(["equals", "startswith", "endswith", "contains"])),
            cased,
        ),
        st.builds(
            Test,
            name,
            st.just("time"),
            st.tuples(
                st.sampled_from(["minute", "hour", "day", "week", "month", "year"]),
                st.sampled_from(["eq", "lt", "lte", "gt", "gte", "ne"]),
                st.sampled_from([1, 10, 12, 23, 52, 2026]),
            ),
        ),
    ).map(lambda test: ("is", tuple(test)))


def conditions(fields: tuple[str, ...] = FIELDS) -> st.SearchStrategy[Condition]:
    """Return a random condition."""
    return st.recursive(
        tests(fields),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=4).map(lambda parts: ("and", *parts)),
            st.lists(inner, min_size=1, max_size=4).map(lambda parts: ("or", *parts)),
            inner.map(lambda part: ("not", part)),
        ),
        max_leaves=8,
    )


def events() -> st.SearchStrategy[dict[str, Any]]:
    """Return a random event with some of the fields."""
    return st.fixed_dictionaries(
        {},
        optional={
            "Image": values,
            "CommandLine": values,
            "Code": values,
            "Nested": st.one_of(
                st.fixed_dictionaries({"Name": values}),
                st.lists(st.fixed_dictionaries({"Name": values}), max_size=2),
            ),
            "Other": values,
        },
    )
