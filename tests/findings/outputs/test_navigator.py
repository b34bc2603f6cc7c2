"""The ATT&CK Navigator layer, against what version 4.5 of its format documents."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from haidang.findings.model import Finding, ScanSummary
from haidang.findings.outputs.navigator import LEVEL_COLOURS, OUTPUT
from tests.judges import navigator_understands

if TYPE_CHECKING:
    from collections.abc import Callable

# Written by us after the property tables of the Navigator's layers/LAYERFORMATv4_5.md: the Navigator
# publishes no JSON schema. Nothing that the tables do not name is allowed.
NAMED = {
    "type": "object",
    "required": ["name", "value"],
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
}
COLOUR = {"type": "string", "pattern": "^#[0-9a-f]{6}$"}
LAYER: dict[str, Any] = {
    "type": "object",
    "required": ["name", "domain", "versions"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "description": {"type": "string"},
        "domain": {"enum": ["enterprise-attack", "mobile-attack", "ics-attack"]},
        "versions": {
            "type": "object",
            "required": ["navigator", "layer"],
            "additionalProperties": False,
            "properties": {
                "attack": {"type": "string"},
                "navigator": {"type": "string", "pattern": r"^(4\.9\.\d+|[5-9]\.\d+\.\d+)$"},
                "layer": {"const": "4.5"},
            },
        },
        "sorting": {"enum": [0, 1, 2, 3]},
        "layout": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "layout": {"enum": ["side", "flat", "mini"]},
                "showID": {"type": "boolean"},
                "showName": {"type": "boolean"},
                "showAggregateScores": {"type": "boolean"},
                "countUnscored": {"type": "boolean"},
                "aggregateFunction": {"enum": ["average", "min", "max", "sum"]},
                "expandedSubtechniques": {"enum": ["none", "all", "annotated"]},
            },
        },
        "hideDisabled": {"type": "boolean"},
        "techniques": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["techniqueID"],
                "additionalProperties": False,
                "properties": {
                    "techniqueID": {"type": "string", "pattern": r"^T\d{4}(\.\d{3})?$"},
                    "comment": {"type": "string"},
                    "enabled": {"type": "boolean"},
                    "score": {"type": "number"},
                    "color": COLOUR,
                    "metadata": {"type": "array", "items": NAMED},
                    "showSubtechniques": {"type": "boolean"},
                },
            },
        },
        "gradient": {
            "type": "object",
            "required": ["colors", "minValue", "maxValue"],
            "additionalProperties": False,
            "properties": {
                "colors": {"type": "array", "minItems": 2, "items": COLOUR},
                "minValue": {"type": "number"},
                "maxValue": {"type": "number"},
            },
        },
        "legendItems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["label", "color"],
                "additionalProperties": False,
                "properties": {"label": {"type": "string"}, "color": COLOUR},
            },
        },
        "metadata": {"type": "array", "items": NAMED},
        "selectTechniquesAcrossTactics": {"type": "boolean"},
        "selectSubtechniquesWithParent": {"type": "boolean"},
    },
}


def layer(*findings: Finding) -> dict[str, Any]:
    stream = io.BytesIO()
    writer = OUTPUT.open(stream, lang="en")
    for finding in findings:
        writer.write(finding)
    writer.close(ScanSummary(findings=len(findings), events=10))
    found: dict[str, Any] = json.loads(stream.getvalue())
    Draft202012Validator(LAYER).validate(found)
    assert found["gradient"]["maxValue"] > found["gradient"]["minValue"]
    return found


def test_a_technique_has_its_hits_and_the_colour_of_its_highest_level(
    make_finding: Callable[..., Finding],
) -> None:
    low = make_finding(rule_id="2", rule_title="Other", rule_level="low", rule_tags=("attack.t1059.001",))
    found = layer(make_finding(), low, low)
    (technique,) = found["techniques"]
    assert technique["techniqueID"] == "T1059.001"
    assert technique["score"] == 3
    assert technique["color"] == LEVEL_COLOURS["high"]
    assert technique["comment"].splitlines() == ["2 × Other (low)", "1 × Encoded PowerShell (high)"]
    assert found["gradient"]["maxValue"] == 3


def test_findings_without_a_technique_are_counted_in_words(make_finding: Callable[..., Finding]) -> None:
    found = layer(make_finding(), make_finding(rule_id="2", rule_tags=("attack.execution",)))
    assert found["description"].startswith("2 findings in 10 events; 1 of them")


def test_a_run_that_found_nothing_is_a_layer_too() -> None:
    assert layer()["techniques"] == []


def test_titles_of_rules_cannot_break_a_comment_into_lines(make_finding: Callable[..., Finding]) -> None:
    (technique,) = layer(make_finding(rule_title="a\nb\x1b[31m"))["techniques"]
    assert len(technique["comment"].splitlines()) == 1


def test_the_unknown_level_has_a_colour(make_finding: Callable[..., Finding]) -> None:
    (technique,) = layer(make_finding(rule_level="odd"))["techniques"]
    assert technique["score"] == 1


def test_many_rules_of_one_technique_are_named_in_part(make_finding: Callable[..., Finding]) -> None:
    findings = [make_finding(rule_id=str(n), rule_title=f"Rule {n}") for n in range(25)]
    (technique,) = layer(*findings)["techniques"]
    assert technique["comment"].splitlines()[-1] == "and 5 more rules"


def test_mitres_own_library_loads_the_layer_and_loses_nothing(
    make_finding: Callable[..., Finding],
) -> None:
    written = layer(make_finding(), make_finding(rule_id="2", rule_tags=("attack.t1105", "attack.t1059")))
    assert len(written["techniques"]) == 3
    assert navigator_understands(written) == written


def test_mitres_own_library_refuses_a_layer_that_is_none(
    make_finding: Callable[..., Finding],
) -> None:
    written = layer(make_finding())
    written["techniques"][0]["score"] = "many"
    with pytest.raises(AssertionError):
        navigator_understands(written)
