"""Each built-in rule fires on its examples, is quiet on its near misses, and keeps the pack's conventions."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID
from zipfile import ZipFile

import pytest
import yaml

import haidang

if TYPE_CHECKING:
    from collections.abc import Iterable

    from haidang.findings.model import Finding
    from haidang.scanning._ruleset import Ruleset

REPOSITORY = Path(__file__).resolve().parents[3]
PACK = REPOSITORY / "src" / "haidang" / "sigma" / "builtin"
EXAMPLES = REPOSITORY / "tests" / "data" / "sigma" / "builtin"
FOLDERS = tuple(sorted(path.name for path in PACK.iterdir() if path.is_dir() and path.name != "correlation"))
TACTICS = {
    "reconnaissance", "resource-development", "initial-access", "execution", "persistence",
    "privilege-escalation",
    "stealth", "defense-impairment", "credential-access", "discovery", "lateral-movement", "collection",
    "command-and-control", "exfiltration", "impact",
}  # fmt: skip


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


RULES = {f"{path.parent.name}/{path.stem}": read(path) for path in sorted(PACK.rglob("*.yml"))}
EVENT_RULES = sorted(name for name in RULES if not name.startswith("correlation/"))


class Example(NamedTuple):
    rule: str
    expected: bool
    origin: str
    event: dict[str, Any]
    """Fields; or ``line``, a line as the product writes it, and ``format``, the reader that it is for."""


def examples() -> list[Any]:
    bases = read(EXAMPLES / "bases.yml")
    found = []
    for folder in FOLDERS:
        for stem, cases in read(EXAMPLES / f"{folder}.yml").items():
            name = f"{folder}/{stem}"
            source = RULES[name]["logsource"]
            keys = (source[key] for key in ("product", "category", "service") if key in source)
            base = bases["/".join([folder, *keys])]
            for expected in (True, False):
                for at, case in enumerate(cases["fires" if expected else "quiet"]):
                    event = dict(case) if "line" in case or "origin" in case else {**base, **case}
                    example = Example(name, expected, event.pop("origin", base["origin"]), event)
                    found.append(pytest.param(example, id=f"{name}-{'fires' if expected else 'quiet'}-{at}"))
    return found


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    """The event rules without the correlations: those that only feed correlations are then reported too."""
    return haidang.load_rules(*(PACK / folder for folder in FOLDERS), cache=False)


@pytest.mark.parametrize("example", examples())
def test_fires_on_examples_and_is_quiet_on_near_misses(
    ruleset: Ruleset, tmp_path: Path, example: Example
) -> None:
    findings: Iterable[Finding]
    if "line" in example.event:
        path = tmp_path / "example.log"
        path.write_text(f"{example.event['line']}\n", "utf-8")
        findings = haidang.scan(path, rules=ruleset, input_format=example.event["format"])
    else:
        findings = ruleset.match(example.event, origin=example.origin)
    found = {finding.rule.id for finding in findings}
    assert (RULES[example.rule]["id"] in found) is example.expected


def test_every_event_rule_has_an_example_and_a_near_miss() -> None:
    covered = {
        f"{folder}/{stem}": cases
        for folder in FOLDERS
        for stem, cases in read(EXAMPLES / f"{folder}.yml").items()
    }
    assert sorted(covered) == EVENT_RULES
    assert all(cases["fires"] and cases["quiet"] for cases in covered.values())


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
