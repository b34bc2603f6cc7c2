"""Each built-in rule fires on its examples, is quiet on its near misses, and keeps the pack's conventions."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zipfile import ZipFile

import pytest
import yaml

import haidang
from haidang.limits import DEFAULT_LIMITS
from haidang.workshop.examples import read_examples
from haidang.workshop.testing import PASSED, run_tests

if TYPE_CHECKING:
    from haidang.workshop.testing import TestRun

REPOSITORY = Path(__file__).resolve().parents[3]
PACK = REPOSITORY / "src" / "haidang" / "sigma" / "builtin"
TACTICS = {
    "reconnaissance", "resource-development", "initial-access", "execution", "persistence",
    "privilege-escalation",
    "stealth", "defense-impairment", "credential-access", "discovery", "lateral-movement", "collection",
    "command-and-control", "exfiltration", "impact",
}  # fmt: skip


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RULES = {
    f"{path.parent.name}/{path.stem}": read(path)
    for path in sorted(PACK.rglob("*.yml"))
    if not path.stem.endswith(".test")
}
EVENT_RULES = sorted(name for name in RULES if not name.startswith("correlation/"))


@pytest.fixture(scope="module")
def outcomes() -> TestRun:
    return run_tests([], cache=False)


def test_fires_on_examples_and_is_quiet_on_near_misses(outcomes: TestRun) -> None:
    failed = [
        f"{one.path}:{one.line}: {one.message.text() if one.message else ''}"
        for one in outcomes.outcomes
        if one.status != PASSED
    ]
    assert not failed
    assert len(outcomes.outcomes) > 2 * len(RULES)


@pytest.mark.parametrize("name", EVENT_RULES)
def test_every_event_rule_has_an_example_and_a_near_miss(name: str) -> None:
    found, faults = read_examples(PACK / f"{name}.test.yml", DEFAULT_LIMITS)
    assert not faults
    fires = [one.fires for examples in found for one in examples.singles]
    fires += [one.fires > 0 for examples in found for one in examples.logs]
    assert True in fires
    assert False in fires


def test_no_rule_of_the_pack_is_refused() -> None:
    loaded = haidang.load_rules(PACK, cache=False)
    assert loaded.refused == ()
    assert len(loaded.infos) == len(RULES)


def test_ids_titles_and_names_are_unique() -> None:
    for key in ("id", "title", "name"):
        values = [rule[key] for rule in RULES.values() if key in rule]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("name", sorted(RULES))
def test_says_what_people_need(name: str) -> None:
    rule = RULES[name]
    assert UUID(rule["id"]).version == 4
    assert 10 <= len(rule["title"]) <= 110
    assert rule["level"] in {"informational", "low", "medium", "high", "critical"}
    assert rule["status"] in {"stable", "test", "experimental"}
    assert rule["author"] == "Hải Đăng"
    assert isinstance(rule["date"], date)
    advice = rule["haidang"]["en"]["advice"]
    assert len(rule["description"].split()) >= 10
    assert len(f"{rule['description']} {advice}".split()) >= 20
    assert rule["falsepositives"]
    assert rule.get("name", name.split("/")[1]) == name.split("/")[1]


@pytest.mark.parametrize("name", sorted(RULES))
def test_tags_are_tactics_and_techniques(name: str) -> None:
    tags = RULES[name]["tags"]
    assert len(tags) == len(set(tags))
    techniques = [tag for tag in tags if re.fullmatch(r"attack\.t\d{4}(?:\.\d{3})?", tag)]
    tactics = [tag for tag in tags if tag.removeprefix("attack.") in TACTICS]
    assert techniques
    assert tactics
    assert len(techniques) + len(tactics) == len(tags)


@pytest.mark.parametrize("name", sorted(set(RULES) - set(EVENT_RULES)))
def test_correlations_refer_to_rules_of_the_pack_by_name(name: str) -> None:
    names = {rule["name"] for rule in RULES.values() if "name" in rule}
    assert set(RULES[name]["correlation"]["rules"]) <= names


def test_rules_that_report_nothing_alone_are_informational() -> None:
    loaded = haidang.load_rules(PACK, cache=False)
    silent = {info.name for info in loaded.infos if not info.generate}
    assert silent == {info.name for info in loaded.infos if info.level == "informational"}


def test_no_title_or_description_is_one_of_sigmahq(corpora: Path) -> None:
    theirs = set()
    with ZipFile(corpora / "sigma_all_rules.zip") as archive:
        for member in archive.namelist():
            if member.endswith(".yml"):
                for document in yaml.load_all(archive.read(member), Loader=yaml.CSafeLoader):
                    theirs |= {plain(document.get(key)) for key in ("title", "description")}
    ours = {plain(rule[key]) for rule in RULES.values() for key in ("title", "description")}
    assert not ours & theirs


def plain(text: object) -> str:
    return re.sub(r"\W+", " ", str(text)).strip().lower()
