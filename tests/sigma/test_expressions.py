from __future__ import annotations

import re

import pytest

from haidang.sigma.expressions import ExpressionError, rule_policy


@pytest.mark.parametrize(
    "pattern", ["a.b", "(?i)x", r"\bfoo\b", "(?<=a)b", "(?!x)y", r"(a)\1", r"\p{Lu}", "[[:alpha:]]"]
)
def test_what_either_engine_runs_is_accepted(pattern: str) -> None:
    rule_policy().regex_engine.compile(pattern, 0)


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", "[z-a]", "*", r"\k<none>", "(?P<a", "(" * 2000])
def test_what_no_engine_runs_is_an_error_with_a_reason(pattern: str) -> None:
    with pytest.raises(ExpressionError, match=r"\w"):
        rule_policy().regex_engine.compile(pattern, 0)


def test_flags_are_taken_over() -> None:
    compiled = rule_policy().regex_engine.compile("^a.b$", re.IGNORECASE | re.MULTILINE | re.DOTALL)
    assert compiled.match("A\nB") is not None


def test_pysigma_gets_no_templates_and_no_outside_sources() -> None:
    policy = rule_policy()
    assert not policy.allow_template_vars
    assert not policy.allow_external_sources
