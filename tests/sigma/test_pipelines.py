from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from haidang.errors import ConfigurationError
from haidang.sigma.loading import LoadedRules, load

if TYPE_CHECKING:
    from pathlib import Path

RULES = r"""title: A
id: 00000000-0000-0000-0000-00000000000a
name: rule_a
logsource: {product: windows, category: process_creation}
detection:
  s:
    Image|endswith: '\a.exe'
    User|contains|expand: '%admins%'
  t: {Drop: x}
  condition: s and not t
---
title: Refused
name: refused
logsource: {product: macos}
detection: {s: {F: a}, condition: s}
---
title: C
correlation:
  type: value_count
  rules: rule_a
  group-by: [Image, who]
  timespan: 1m
  aliases: {who: {rule_a: User}}
  condition: {gte: 2, field: Image}
"""
PIPELINE = """name: test
priority: 10
vars: {admins: [root, adm]}
transformations:
  - type: field_name_mapping
    mapping: {Image: process.executable, User: user.name}
  - type: value_placeholders
  - type: drop_detection_item
    field_name_conditions:
      - {type: include_fields, fields: [Drop]}
  - type: add_condition
    conditions: {index: main}
    rule_conditions:
      - {type: logsource, category: process_creation}
  - type: change_logsource
    product: endpoint
    category: process
    rule_conditions:
      - {type: logsource, category: process_creation}
  - type: rule_failure
    message: no such logs here
    rule_conditions:
      - {type: logsource, product: macos}
"""


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedRules:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    return load([tmp_path / "rules.yml"], pipelines=[tmp_path / "pipeline.yaml"], cache=False)


def rule_a(loaded: LoadedRules) -> Any:
    (rule,) = [rule for group in loaded.groups.values() for rule in group if rule.info.title == "A"]
    return rule


def test_fields_values_and_conditions_are_what_the_pipeline_makes_of_them(loaded: LoadedRules) -> None:
    rule = rule_a(loaded)
    assert rule.condition == (
        "and",
        ("is", ("index", "str", ("main",), False)),
        (
            "and",
            ("is", ("process.executable", "str", (0, "\\a.exe"), False)),
            (
                "or",
                ("is", ("user.name", "str", (0, "root", 0), False)),
                ("is", ("user.name", "str", (0, "adm", 0), False)),
            ),
        ),
    )
    assert rule.fields == ("index", "process.executable", "user.name")


def test_the_pipeline_may_move_a_rule_to_another_logsource(loaded: LoadedRules) -> None:
    assert tuple(rule_a(loaded).logsource) == ("endpoint", "process", "")


def test_a_rule_that_the_pipeline_rejects_is_refused_with_its_message(loaded: LoadedRules) -> None:
    (error,) = loaded.refused
    assert error.rule == "Refused"
    assert error.reason == "the pipeline rejects it: no such logs here"
    assert error.line == 15


def test_a_correlation_gets_the_field_names_of_the_pipeline(loaded: LoadedRules) -> None:
    (rule,) = loaded.correlations
    assert rule.group_by == ("process.executable", "who")
    assert rule.value_fields == ("process.executable",)
    assert rule.aliases == {"who": {"00000000-0000-0000-0000-00000000000a": "user.name"}}


def test_a_filter_goes_through_the_pipeline_with_its_rule(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(
        RULES
        + """---
title: F
logsource: {product: windows}
filter: {rules: rule_a, f: {User: x}, condition: not f}
"""
    )
    (tmp_path / "pipeline.yml").write_text(PIPELINE)
    loaded = load([tmp_path / "rules.yml"], pipelines=[tmp_path / "pipeline.yml"], cache=False)
    _, own, extra = rule_a(loaded).condition
    assert own[0] == "and"
    index = ("is", ("index", "str", ("main",), False))
    assert extra == ("and", index, ("not", ("is", ("user.name", "str", ("x",), False))))


def test_pipelines_are_applied_by_priority_whatever_their_order(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    for name, priority, mapping in (("a", 20, "{y: z}"), ("b", 10, "{Image: y}")):
        (tmp_path / f"{name}.yml").write_text(
            f"name: {name}\npriority: {priority}\n"
            f"transformations: [{{type: field_name_mapping, mapping: {mapping}}}]\n"
        )
    placeholders = tmp_path / "values.yml"
    placeholders.write_text("admins: x")
    given: list[Any] = [tmp_path / "a.yml", tmp_path / "b.yml"]
    loaded = load([tmp_path / "rules.yml"], pipelines=given, placeholders=[placeholders], cache=False)
    assert rule_a(loaded).fields[0] == "z"


def test_a_placeholder_that_neither_file_nor_pipeline_knows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "p.yml").write_text("name: p\ntransformations: [{type: field_name_prefix, prefix: x.}]\n")
    loaded = load([tmp_path / "rules.yml"], pipelines=[tmp_path / "p.yml"], cache=False)
    (error, _) = loaded.refused
    assert "placeholder %admins%" in error.reason
    assert error.line == 6


def test_query_postprocessing_is_left_out_and_noted(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "p.yml").write_text(PIPELINE + "postprocessing: [{type: embed, prefix: a, suffix: b}]\n")
    loaded = load([tmp_path / "rules.yml"], pipelines=[tmp_path / "p.yml"], cache=False)
    (note,) = loaded.notes
    assert "postprocessing" in note.reason
    assert note.path == str(tmp_path / "p.yml")


@pytest.mark.parametrize(
    "text",
    ["", "[", "just text", "transformations: 5", "transformations: [{type: no_such}]", "a: &a [*a]"],
)
def test_what_is_no_pipeline_is_an_error_of_configuration(tmp_path: Path, text: str) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "p.yml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"p\.yml"):
        load([tmp_path / "rules.yml"], pipelines=[tmp_path / "p.yml"], cache=False)


def test_a_pipeline_that_is_not_there_is_an_error_of_configuration(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    with pytest.raises(ConfigurationError, match=r"gone\.yml"):
        load([tmp_path / "rules.yml"], pipelines=[tmp_path / "gone.yml"], cache=False)


def test_a_pipeline_file_reads_no_other_file_and_runs_no_code(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "vars.py").write_text("raise SystemExit(99)")
    (tmp_path / "p.yml").write_text(
        "name: p\ntransformations: []\n"
        f"postprocessing: [{{type: template, template: x, vars: {tmp_path}/vars.py}}]\n"
    )
    with pytest.raises(ConfigurationError, match=r"p\.yml"):
        load([tmp_path / "rules.yml"], pipelines=[tmp_path / "p.yml"], cache=False)
