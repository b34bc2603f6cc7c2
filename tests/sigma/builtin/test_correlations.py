"""Each built-in correlation fires on the events that it is meant for, and not when they fall short."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

import haidang
from tests.sigma.builtin.correlation_logs import CASES, Log, fail, succeed

if TYPE_CHECKING:
    from collections.abc import Callable

    from haidang.scanning._ruleset import Ruleset

PACK = Path(__file__).resolve().parents[3] / "src" / "haidang" / "sigma" / "builtin"
CORRELATIONS = {
    path.stem: yaml.safe_load(path.read_text("utf-8"))
    for path in (PACK / "correlation").glob("*.yml")
    if not path.stem.endswith(".test")
}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return haidang.load_rules(PACK, cache=False)


def found(ruleset: Ruleset, folder: Path, log: Log) -> set[str]:
    path = folder / log[0]
    path.write_text("".join(f"{line}\n" for line in log[1]), "utf-8")
    return {finding.rule.id for finding in haidang.scan(path, rules=ruleset)}


@pytest.mark.parametrize(("make", "enough", "_too_few"), CASES, ids=[case[0].__name__ for case in CASES])
def test_fires_on_enough(
    ruleset: Ruleset, tmp_path: Path, make: Callable[[int], Log], enough: int, _too_few: int
) -> None:
    assert CORRELATIONS[make.__name__]["id"] in found(ruleset, tmp_path, make(enough))


@pytest.mark.parametrize(("make", "_enough", "too_few"), CASES, ids=[case[0].__name__ for case in CASES])
def test_is_quiet_on_too_few(
    ruleset: Ruleset, tmp_path: Path, make: Callable[[int], Log], _enough: int, too_few: int
) -> None:
    assert CORRELATIONS[make.__name__]["id"] not in found(ruleset, tmp_path, make(too_few))


def test_logon_before_the_guessing_is_no_success(ruleset: Ruleset, tmp_path: Path) -> None:
    log = "a.json", [succeed(0, "svc_saoluu"), *(fail(60 + 20 * at, "svc_saoluu") for at in range(12))]
    assert CORRELATIONS["guessing_then_logon"]["id"] not in found(ruleset, tmp_path, log)


def test_logon_of_another_account_is_no_success(ruleset: Ruleset, tmp_path: Path) -> None:
    log = "a.json", [*(fail(20 * at, "svc_saoluu") for at in range(12)), succeed(400, "mai.tt")]
    assert CORRELATIONS["guessing_then_logon"]["id"] not in found(ruleset, tmp_path, log)


def test_every_reported_correlation_has_its_case() -> None:
    reported = {name for name, rule in CORRELATIONS.items() if rule["level"] != "informational"}
    assert {make.__name__ for make, _, _ in CASES} == reported
