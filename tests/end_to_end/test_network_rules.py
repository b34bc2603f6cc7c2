"""Rules on firewalls, routers, name servers and proxies fire on what these log, also through a collector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import haidang

if TYPE_CHECKING:
    from haidang import Ruleset

RULES = yaml.safe_load(Path(__file__).with_name("network_rules.yml").read_text(encoding="utf-8"))
# A sample of ours, the log source of a rule, what the rule looks for, and how often that is there.
CASES = [
    (sample, logsource, detection, *(count or [1]))
    for sample, rules in RULES.items()
    for logsource, detection, *count in rules
]
SAMPLES = "tests/events/readers/samples"


def loaded(folder: Path, logsource: dict[str, str], detection: Any) -> Ruleset:
    document = {
        "title": "Of ours",
        "logsource": logsource,
        "detection": {"s": detection, "condition": "s"},
    }
    (folder / "rule.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return haidang.load_rules(folder / "rule.yml", cache=False)


@pytest.mark.parametrize(("sample", "logsource", "detection", "count"), CASES, ids=str)
def test_a_rule_fires_on_a_native_log(
    pytestconfig: pytest.Config,
    tmp_path: Path,
    sample: str,
    logsource: dict[str, str],
    detection: Any,
    count: int,
) -> None:
    rules = loaded(tmp_path, logsource, detection)
    findings = list(haidang.scan(pytestconfig.rootpath / SAMPLES / sample, rules=rules))
    assert len(findings) == count


def test_a_finding_says_when_and_where(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    rules = loaded(tmp_path, {"category": "firewall"}, {"dst_port": 23, "action": "accept"})
    found = {
        sample: [
            (finding.host, finding.time)
            for finding in haidang.scan(pytestconfig.rootpath / SAMPLES / sample, rules=rules)
        ]
        for sample in ("fortigate/traffic.log", "paloalto/traffic.csv", "leef/products.leef")
    }
    assert found == {
        "fortigate/traffic.log": [("hv-fw01", "2026-11-11T14:58:57.417000123Z")],
        "paloalto/traffic.csv": [("hv-pa01", "2026-11-11T21:58:57.000Z")],
        "leef/products.leef": [("", "2026-11-11T21:58:57.000Z")],
    }
