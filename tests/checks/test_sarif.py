"""SARIF: what code hosts read of rule checks."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from haidang.checks import CheckKind, CheckResult, write_sarif

# Written by us after sections 3.13 to 3.49 of the SARIF 2.1.0 standard: what it requires of the objects that
# we write. It is not the published schema.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LOG: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "uniqueItems": True,
                                        "items": {
                                            "required": ["id"],
                                            "properties": {"shortDescription": TEXT, "help": TEXT},
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "required": ["message", "ruleId"],
                            "properties": {
                                "message": TEXT,
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                                "locations": {
                                    "items": {
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "properties": {"uri": {"pattern": r"^[!-~]*$"}}
                                                    },
                                                    "region": {
                                                        "properties": {
                                                            "startLine": {"minimum": 1},
                                                            "startColumn": {"minimum": 1},
                                                        }
                                                    },
                                                },
                                            }
                                        }
                                    }
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def run(*results: CheckResult, kinds: tuple[CheckKind, ...] = ()) -> dict[str, Any]:
    stream = io.BytesIO()
    write_sarif(stream, results, kinds=kinds)
    log = json.loads(stream.getvalue())
    Draft202012Validator(LOG).validate(log)
    found: dict[str, Any] = log["runs"][0]
    return found


def test_a_result_has_its_kind_place_and_level() -> None:
    kind = CheckKind("sigma/title-length", "Titles are short.", "Shorten it.", "https://example.org/title")
    found = run(
        CheckResult(
            "sigma/unknown-field", "There is no field x.", "rules/b c.yml", 7, 3, "warning", "Rule B"
        ),
        CheckResult("sigma/title-length", "Too long.", "rules\\a.yml"),
        kinds=(kind,),
    )
    assert [rule["id"] for rule in found["tool"]["driver"]["rules"]] == [
        "sigma/title-length",
        "sigma/unknown-field",
    ]
    first, second = found["results"]
    assert first["ruleIndex"] == 1
    assert first["level"] == "warning"
    place = first["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "rules/b%20c.yml"},
        "region": {"startLine": 7, "startColumn": 3},
    }
    assert first["locations"][0]["logicalLocations"] == [{"name": "Rule B", "kind": "object"}]
    assert second["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "rules/a.yml"}}


def test_a_fingerprint_stays_when_the_line_moves_and_not_when_the_message_changes() -> None:
    prints = [
        each["partialFingerprints"]["haidang/v1"]
        for each in run(
            CheckResult("k", "m", "p", 1), CheckResult("k", "m", "p", 9), CheckResult("k", "other", "p", 1)
        )["results"]
    ]
    assert prints[0] == prints[1] != prints[2]


def test_no_results_are_a_run_too() -> None:
    assert run()["results"] == []


@given(st.text(min_size=1), st.text())
def test_any_text_is_carried(message: str, path: str) -> None:
    (result,) = run(CheckResult("k", message, path, 1))["results"]
    assert result["message"]["text"] == message
