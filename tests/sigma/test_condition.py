from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haidang.sigma.condition import ConditionSyntaxError, parse, resolve
from haidang.sigma.sources import find_sources, read_source

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.sigma.ir import Condition

NAMES = ("selection", "selection_one", "selection_two", "filter", "_hidden")


def resolved(text: str, names: tuple[str, ...] = NAMES) -> Condition | None:
    return resolve(parse(text), names, lambda name: ("is", name))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", ("name", "a")),
        ("not a", ("not", ("name", "a"))),
        ("not not a", ("not", ("not", ("name", "a")))),
        ("a and b and c", ("and", ("name", "a"), ("name", "b"), ("name", "c"))),
        ("a or b and c", ("or", ("name", "a"), ("and", ("name", "b"), ("name", "c")))),
        ("not a and b", ("and", ("not", ("name", "a")), ("name", "b"))),
        ("(a or b) and c", ("and", ("or", ("name", "a"), ("name", "b")), ("name", "c"))),
        ("not (a or b)", ("not", ("or", ("name", "a"), ("name", "b")))),
        ("notepad and order", ("and", ("name", "notepad"), ("name", "order"))),
        ("a AND NOT b", ("and", ("name", "a"), ("not", ("name", "b")))),
        ("1 of them", ("of", 1, "them")),
        ("any of selection*", ("of", 1, "selection*")),
        ("all of them and not 1 of filter_*", ("and", ("of", 0, "them"), ("not", ("of", 1, "filter_*")))),
        ("2 of selection_*", ("of", 2, "selection_*")),
        ("selection-with-dashes", ("name", "selection-with-dashes")),
    ],
)
def test_words_bind_as_the_specification_says(text: str, tree: Condition) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a and", "ends too early"),
        ("and a", "a name is missing before 'and'"),
        ("(a or b", "closing parenthesis"),
        ("a b", "unexpected 'b'"),
        ("a) or b", "unexpected '\\)'"),
        ("selection | count() > 5", "Sigma 1"),
        ("selection_*", "needs '1 of' or 'all of'"),
        ("some of them", "no quantifier"),
        ("0 of them", "no quantifier"),
        ("1 of", "needs a pattern"),
        ("1 of (a)", "needs a pattern"),
        ("a & b", "unexpected '&'"),
        ("(" * 5000 + "a" + ")" * 5000, "nested more than"),
        ("not " * 5000 + "a", "nested more than"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ConditionSyntaxError, match=reason):
        parse(text)


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConditionSyntaxError, match="'selektion'"):
        resolved("selektion")


def test_a_pattern_that_fits_nothing_is_refused() -> None:
    with pytest.raises(ConditionSyntaxError, match="fits no detection"):
        resolved("1 of filtre_*")


def test_them_leaves_out_names_that_begin_with_an_underscore() -> None:
    assert resolved("all of them", ("a", "_b", "c")) == ("and", ("is", "a"), ("is", "c"))
    assert resolved("1 of *", ("a", "_b")) == ("is", "a")
    assert resolved("1 of _*", ("a", "_b")) == ("is", "_b")


def test_some_of_expands_to_every_combination() -> None:
    assert resolved("2 of selection*") == (
        "or",
        ("and", ("is", "selection"), ("is", "selection_one")),
        ("and", ("is", "selection"), ("is", "selection_two")),
        ("and", ("is", "selection_one"), ("is", "selection_two")),
    )


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(ConditionSyntaxError, match="fits only 3"):
        resolved("4 of selection*")


def test_too_many_combinations_are_refused() -> None:
    with pytest.raises(ConditionSyntaxError, match="too many combinations"):
        resolved("10 of them", tuple(f"s{number}" for number in range(20)))


def test_a_detection_that_a_pipeline_emptied_is_left_out() -> None:
    def detection(name: str) -> Condition | None:
        return None if name == "b" else ("is", name)

    assert resolve(parse("a and b"), "ab", detection) == ("is", "a")
    assert resolve(parse("a or not b"), "ab", detection) == ("is", "a")
    assert resolve(parse("not b"), "ab", detection) is None


TREES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["a", "b", "c", "d"]).map(lambda name: ("name", name)),
    lambda inner: (
        st.tuples(st.just("not"), inner)
        | st.lists(inner, min_size=2, max_size=4).map(lambda parts: ("and", *parts))
        | st.lists(inner, min_size=2, max_size=4).map(lambda parts: ("or", *parts))
    ),
    max_leaves=20,
)


def written(tree: Condition) -> str:
    if tree[0] == "name":
        return str(tree[1])
    if tree[0] == "not":
        return f"not ({written(tree[1])})"
    return "(" + f") {tree[0]} (".join(written(part) for part in tree[1:]) + ")"


@settings(deadline=None)
@given(TREES)
def test_a_condition_written_out_is_read_back(tree: Condition) -> None:
    assert parse(written(tree)) == tree


@settings(deadline=None)
@given(st.text(alphabet="ab12*?_-() \t\nandortfhelm|", max_size=60))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        tree = parse(text)
    except ConditionSyntaxError:
        return
    assert tree[0] in {"name", "of", "not", "and", "or"}


def as_ours(item: Any) -> Condition:
    """pySigma's parse tree in our form."""
    kind = type(item).__name__
    if kind == "ConditionIdentifier":
        return ("name", item.identifier)
    if kind == "ConditionSelector":
        return ("of", 0 if item.args[0] == "all" else 1, item.pattern)
    word = {"ConditionNOT": "not", "ConditionAND": "and", "ConditionOR": "or"}[kind]
    return (word, *(as_ours(part) for part in item.args))


def test_every_condition_of_the_corpus_is_read_as_pysigma_reads_it(corpora: Path) -> None:
    from sigma.conditions import SigmaCondition
    from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections
    from sigma.types import SigmaNumber

    from haidang.limits import DEFAULT_LIMITS
    from haidang.sigma.yaml_source import documents

    def of(name: str) -> SigmaDetection:
        return SigmaDetection([SigmaDetectionItem(name, [], [SigmaNumber(1)])])

    seen = set()
    (source,) = find_sources([corpora / "sigma_all_rules.zip"])
    for file in read_source(source, DEFAULT_LIMITS):
        for document in documents(file.data):
            section = document["detection"]
            conditions = section["condition"]
            names = tuple(name for name in section if name not in {"condition", "timeframe"})
            for text in conditions if isinstance(conditions, list) else [conditions]:
                if (text, names) in seen:
                    continue
                seen.add((text, names))
                detections = SigmaDetections({name: of(name) for name in names}, [text])
                assert parse(text) == as_ours(SigmaCondition(text, detections).parse(postprocess=False)), text
                theirs = SigmaCondition(text, detections).parse()
                assert resolve(parse(text), names, lambda name: ("is", name)) == as_leaves(theirs), text
    assert len(seen) > 1000


def as_leaves(item: Any) -> Condition:
    kind = type(item).__name__
    if kind == "ConditionFieldEqualsValueExpression":
        return ("is", item.field)
    word = {"ConditionNOT": "not", "ConditionAND": "and", "ConditionOR": "or"}[kind]
    return (word, *(as_leaves(part) for part in item.args))
