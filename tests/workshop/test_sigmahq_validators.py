"""SigmaHQ's own validators, run for real: what each finds and where, and what is said of those that cannot.

Eight of them fetch their data from the network. Tests have none: they are named here, and it is tested that a
run without their data says so.
"""

from __future__ import annotations

import gc
import json
import warnings
import zipfile
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from haidang.cli.main import main
from haidang.workshop.checking import check
from haidang.workshop.checks import checks, sigmahq

if TYPE_CHECKING:
    from pathlib import Path

    from haidang.workshop.checking import Checked

NEED_THE_NETWORK = {
    "sigmahq_category_event_id",
    "sigmahq_category_windows_provider_name",
    "sigmahq_fieldname_cast",
    "sigmahq_filename_prefix",
    "sigmahq_invalid_fieldname",
    "sigmahq_logsource_unknown",
    "sigmahq_redundant_field",
    "sigmahq_tags_techniques_without_tactics",
}
NAME = "shell_by_editor.yml"
RIGHT = """title: Shell Started by an Editor
id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001
status: test
description: An editor starts a shell, which few people need.
references:
  - https://one.example/a
author: Somebody
date: 2020-01-01
modified: 2020-01-02
tags:
  - attack.execution
  - attack.t1059.003
logsource:
  product: windows
  category: process_creation
detection:
  selection:
    ParentImage|endswith: '\\edit.exe'
    Image|endswith: '\\cmd.exe'
  condition: selection
falsepositives:
  - Developers
level: medium
"""
CORRELATION = """---
title: Many Shells
id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a002
status: test
description: Many shells in a short time, by one user.
author: Somebody
date: 2020-01-01
correlation:
  type: temporal
  rules:
    - 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001
  group-by: [User]
  timespan: 5m
level: medium
"""

# Code to what is replaced in the right rule, by what, and the line on which the issue is then.
CASES: dict[str, tuple[str, str, int]] = {
    "author_existence": ("author: Somebody\n", "", 1),
    "date_existence": ("date: 2020-01-01\nmodified: 2020-01-02\n", "", 1),
    "description_existence": ("description: An editor starts a shell, which few people need.\n", "", 1),
    "description_length": ("An editor starts a shell, which few people need.", "Short.", 4),
    "falsepositives_banned_word": ("- Developers", "- None", 21),
    "falsepositives_capital": ("- Developers", "- developers", 21),
    "falsepositives_typo_word": ("- Developers", "- Unkown", 21),
    "field_duplicate_value": ("'\\cmd.exe'", "['\\cmd.exe', '\\CMD.exe']", 19),
    "field_user": ("ParentImage|endswith: '\\edit.exe'", "User: 'AUTORITE NT'", 18),
    "fields_existence": ("falsepositives:", "fields: [Image]\nfalsepositives:", 21),
    "github_link": ("https://one.example/a", "https://github.com/a/b/blob/main/c.md", 6),
    "invalid_all_modifier": ("Image|endswith: '\\cmd.exe'", "Image|contains|all: 'cmd'", 19),
    "invalid_hash_kv": ("Image|endswith: '\\cmd.exe'", "Hashes|contains: 'MD5=abc'", 19),
    "level_existence": ("level: medium\n", "", 1),
    "link_in_description": (
        "An editor starts a shell, which few people need.\nreferences:\n  - https://one.example/a",
        "An editor starts a shell, see https://one.example/a",
        4,
    ),
    "missing_asterisk_condition": ("condition: selection", "condition: 1 of selection", 20),
    "mitre_link": ("https://one.example/a", "https://attack.mitre.org/techniques/T1059/003/", 6),
    "modified_date_order": ("modified: 2020-01-02", "modified: 2019-01-02", 9),
    "modified_without_date": ("date: 2020-01-01\n", "", 8),
    "ofselection_condition": (
        "  selection:\n",
        "  edit_1:\n    User: a\n  selection:\n",
        22,
    ),
    "ofthem_condition": ("condition: selection", "condition: 1 of them", 20),
    "redundant_modified": ("modified: 2020-01-02", "modified: 2020-01-01", 9),
    "space_field_name": ("Image|endswith: '\\cmd.exe'", "Image Name: 'cmd.exe'", 19),
    "status": ("status: test", "status: deprecated", 3),
    "status_existence": ("status: test\n", "", 1),
    "status_to_high": ("2020-01-01\nmodified: 2020-01-02", "2999-01-01", 3),
    "sysmon_missing_eventid": ("category: process_creation", "service: sysmon", 1),
    "tags_tlp": ("attack.execution", "tlp.amber", 10),
    "tags_unique_detection": ("- attack.execution", "- detection.dfir\n  - detection.threat-hunting", 10),
    "tags_unique_tlp": ("- attack.execution", "- tlp.clear\n  - tlp.red", 10),
    "title_case": ("Shell Started", "Shell started", 1),
    "title_end": ("an Editor", "an Editor.", 1),
    "title_length": ("an Editor", "an Editor" + " That Is Old" * 12, 1),
    "title_start": ("Shell Started", "Detects Shell Started", 1),
    "unknown_field": ("falsepositives:", "sources: x\nfalsepositives:", 21),
    "unsupported_regex_group_construct": ("Image|endswith: '\\cmd.exe'", "Image|re: '(?<!x)cmd'", 19),
}
ELSEWHERE = {
    "correlation_filename_prefix",
    "correlation_group_by_existence",
    "correlation_rules_minimum",
    "filename_convention",
    "tags_detection",
}
"""What the name of the file or a correlation decides: tests of their own."""


@pytest.fixture(autouse=True, scope="module")
def _no_data(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let those that fetch data look for it where there is none, and keep none of the user's."""
    folder = tmp_path_factory.mktemp("validators")
    names = [f"sigma.validators.sigmahq.data.data_{name}" for name in ("filename", "taxonomy")]
    names += [f"sigma.validators.sigmahq.data.data_windows_{name}" for name in ("eventid", "provider")]
    with warnings.catch_warnings():
        # The package opens a file here and forgets it.
        warnings.simplefilter("ignore", ResourceWarning)
        for name in [*names, "sigma.data.mitre_attack"]:
            module = import_module(name)
            module.set_cache_dir(str(folder / name))
            module.set_url(str(folder / "absent.json"))
        gc.collect()


def checked(folder: Path, text: str, name: str = NAME) -> Checked:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return check([str(folder)], plugins=True, ignore=["no-test"])


def lines(found: Checked) -> dict[str, int]:
    return {issue.code: issue.line for issue in found.issues if issue.code.startswith("sigmahq_")}


def test_every_validator_of_the_package_has_its_case() -> None:
    ours = set(checks()) | sigmahq._LEFT_OUT
    theirs = {name for name in sigmahq._classes() if name.startswith("sigmahq_") and name not in ours}
    assert theirs == NEED_THE_NETWORK | {f"sigmahq_{name}" for name in {*CASES, *ELSEWHERE}}


def test_a_rule_that_is_right_has_no_issue(tmp_path: Path) -> None:
    assert checked(tmp_path, RIGHT).issues == []


@pytest.mark.parametrize("name", sorted(CASES))
def test_finds_what_it_is_for_and_where(tmp_path: Path, name: str) -> None:
    old, new, line = CASES[name]
    assert old in RIGHT
    text = RIGHT.replace(old, new, 1)
    if name == "ofselection_condition":
        text = text.replace("condition: selection", "condition: selection or 1 of edit_*")
    assert lines(checked(tmp_path, text)).get(f"sigmahq_{name}") == line


def test_a_correlation_is_judged_too(tmp_path: Path) -> None:
    text = RIGHT + CORRELATION
    found = lines(checked(tmp_path / "a", text))
    assert set(found) == {"sigmahq_correlation_filename_prefix", "sigmahq_correlation_rules_minimum"}
    assert found["sigmahq_correlation_rules_minimum"] == 31
    found = lines(checked(tmp_path / "b", text.replace("  group-by: [User]\n", ""), f"correlation_{NAME}"))
    assert set(found) == {"sigmahq_correlation_group_by_existence", "sigmahq_correlation_rules_minimum"}


def test_the_name_of_the_file_counts(tmp_path: Path) -> None:
    assert "sigmahq_filename_convention" in lines(checked(tmp_path / "a", RIGHT, "Shell.yml"))
    assert "sigmahq_tags_detection" in lines(checked(tmp_path / "rules-threat-hunting", RIGHT))


def test_those_without_their_data_are_named_and_not_asked_again(tmp_path: Path) -> None:
    for at in range(3):
        text = RIGHT.replace("4b8a001", f"4b8a00{at}").replace("an Editor", f"an Editor {at}")
        found = checked(tmp_path, text, f"shell_by_editor_{at}.yml")
    assert set(found.not_run) == NEED_THE_NETWORK
    assert {failed.rules for failed in found.not_run.values()} == {3}
    assert all("Failed to load" in failed.reason for failed in found.not_run.values())


def test_the_command_says_which_could_not_judge(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    (tmp_path / NAME).write_text(RIGHT, encoding="utf-8")
    assert main(["rules", "check", str(tmp_path), "--plugins", "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert {one["code"] for one in json.loads(out)["not_run"]} == NEED_THE_NETWORK
    assert err.count(" could not judge 1 rule: RuntimeError: Failed to load") == len(NEED_THE_NETWORK)
    assert main(["rules", "check", str(tmp_path), "--format", "json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["not_run"] == []
    assert "could not judge" not in err


def test_published_rules_are_right_by_the_validators_of_their_house(corpora: Path, tmp_path: Path) -> None:
    """They have passed these validators: what is found of them would be a mistake of how they are run."""
    with (
        zipfile.ZipFile(corpora / "sigma_all_rules.zip") as published,
        zipfile.ZipFile(tmp_path / "fourth.zip", "w") as fourth,
    ):
        # All of them take half a minute.
        for name in [name for name in published.namelist() if name.endswith(".yml")][::4]:
            fourth.writestr(name, published.read(name))
    found = check([str(tmp_path / "fourth.zip")], plugins=True)
    theirs = [issue for issue in found.issues if issue.code.startswith("sigmahq_")]
    assert found.rules > 900
    assert len(theirs) < 10
    assert set(found.not_run) == NEED_THE_NETWORK
