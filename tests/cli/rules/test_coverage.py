"""``haidang rules coverage``: what it counts, in which forms, in which words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from haidang.cli.main import main
from tests.judges import navigator_understands

if TYPE_CHECKING:
    from pathlib import Path

RULE = """title: {title}
id: 00000000-0000-4000-8000-00000000000{number}
logsource: {{{logsource}}}
tags: [attack.execution, attack.t1059.001, attack.t1105]
detection:
  selection: {{{selection}}}
  condition: selection
"""
RULES = {
    "reached": ("product: windows, category: process_creation", r"Image|endswith: '\a.exe'"),
    "own names": ("category: proxy", "c-uri: /a"),
    "unknown product": ("product: nobody, service: x", "a: b"),
    "unknown source": ("product: windows, service: nothing", "a: b"),
    "no field": ("product: windows, category: create_remote_thread", "TargetParentProcessId: 4"),
    "no value": ("product: windows, service: system", "Channel: Security"),
}


def sysmon(number: int, **more: Any) -> str:
    return json.dumps({"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": number, **more})


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rules, one for each reason, and one that cannot be loaded."""
    for number, (title, (logsource, selection)) in enumerate(RULES.items()):
        text = RULE.format(title=title, number=number, logsource=logsource, selection=selection)
        (tmp_path / f"{number}.yml").write_text(text, encoding="utf-8")
    (tmp_path / "9.yml").write_text(
        RULE.format(title="refused", number=9, logsource="category: x", selection="a|expand: '%b%'"),
        encoding="utf-8",
    )
    return tmp_path


def run(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> str:
    assert main(["rules", "coverage", "--no-cache", *arguments]) == 0
    return capfdbinary.readouterr().out.decode()


def test_json_names_each_rule_without_a_route_and_why(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    found: dict[str, Any] = json.loads(run(capfdbinary, "--rules", str(folder), "--format", "json"))
    assert (found["rules"], found["routed"], found["percent"]) == (7, 2, 28.6)
    assert {one["title"]: (one["reason"], one["fields"]) for one in found["missing"]} == {
        "unknown product": ("no-map", []),
        "unknown source": ("no-log-source", []),
        "no field": ("no-field", ["TargetParentProcessId"]),
        "no value": ("no-value", []),
    }
    assert [error["rule"] for error in found["refused"]] == ["refused"]
    (windows,) = (one for one in found["logsources"] if one["category"] == "process_creation")
    routes = {route["origin"]: route["formats"] for route in windows["routes"]}
    assert "evtx" in routes["windows"]
    assert "ndjson" in routes["ecs"]
    assert (windows["rules"], windows["routed"]) == (1, 1)


def test_the_table_says_the_same_to_people(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    text = run(capfdbinary, "--rules", str(folder))
    assert text.startswith("2 of 7 rules can fire on the logs that are read (28.6 %).\n")
    assert (
        "  windows create_remote_thread: 1 – the logs never have the fields that are looked at"
        " (TargetParentProcessId)\n" in text
    )
    assert "windows (event-list, event-text, event-xml, evtx, snare)\n" in text
    (carriers,) = [
        line for line in text.splitlines() if line.startswith("Any of them may also be read inside: ")
    ]
    assert "collected, containers, csv, journald, json" in carriers
    assert "evtx" not in carriers
    assert "unknown product" not in text
    assert "    unknown product  " in run(capfdbinary, "--rules", str(folder), "--list-missing")
    vietnamese = run(capfdbinary, "--rules", str(folder), "--lang", "vi")
    assert vietnamese.startswith("2 trên 7 quy tắc có thể đưa ra phát hiện")
    assert "can fire" not in vietnamese


def test_the_layer_scores_each_technique_by_its_rules(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    layer = json.loads(run(capfdbinary, "--rules", str(folder), "--format", "navigator"))
    assert layer["versions"]["layer"] == "4.5"
    assert layer["domain"] == "enterprise-attack"
    scores = {one["techniqueID"]: one["score"] for one in layer["techniques"]}
    assert scores == {"T1059.001": 6, "T1105": 6}
    assert {one["comment"] for one in layer["techniques"]} == {"2 of 6 rules can fire"}
    assert layer["gradient"]["maxValue"] == 6


def test_mitres_own_library_loads_the_layer_and_loses_nothing(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    layer = json.loads(run(capfdbinary, "--format", "navigator"))
    assert len(layer["techniques"]) > 30
    assert navigator_understands(layer) == layer


def test_all_built_in_rules_can_fire(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    found = json.loads(run(capfdbinary, "--format", "json"))
    assert found["rules"] == found["routed"] > 80
    assert found["missing"] == []
    assert any(one["category"] == "correlation" for one in found["logsources"])


def test_a_map_of_the_user_counts(
    folder: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    own = tmp_path / "map"
    own.mkdir()
    (own / "nobody.yml").write_text(
        "origin: nobody\nproduct: nobody\nrecognise: [[a, nobody]]\nsources:\n  - logsource: {service: x}\n",
        encoding="utf-8",
    )
    options = ["--rules", str(folder / "2.yml"), "--format", "json", "--logsource-map", str(own)]
    assert json.loads(run(capfdbinary, *options))["routed"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rules", "coverage", "--format", "xml"], "'xml' is none of: table, json, navigator"),
        (["rules", "covrage"], "There is no command rules covrage. Did you mean coverage?"),
        (["rules", "coverage", "--rles", "x"], "There is no option --rles."),
    ],
)
def test_wrong_usage_is_said_in_plain_words(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_the_group_says_what_it_has(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert main(["rules", "--help"]) == 0
    assert b"  coverage " in capfdbinary.readouterr().out
    assert main(["rules"]) == 2
    assert b"  coverage " in capfdbinary.readouterr().err
    assert main(["rules", "coverage", "--help"]) == 0
    assert b"--list-missing" in capfdbinary.readouterr().out


BAR = 95.0


def test_the_rules_of_sigmahq_have_routes(corpora: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    found = json.loads(run(capfdbinary, "--rules", str(corpora / "sigma_all_rules.zip"), "--format", "json"))
    assert found["rules"] == 3780
    assert found["percent"] >= BAR


def test_says_which_log_sources_are_seen_in_logs(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log = tmp_path_factory.mktemp("logs") / "log.json"
    log.write_text("\n".join([sysmon(1), sysmon(1), sysmon(5), '{"a": 1}']) + "\n", encoding="utf-8")
    words = ("--rules", str(folder), str(log))
    found = json.loads(run(capfdbinary, *words, "--format", "json"))
    seen = {one["category"]: one["seen"] for one in found["logsources"] if one["product"] == "windows"}
    assert seen == {"process_creation": 2, "create_remote_thread": 0, "": 0}
    assert found["seen"] == {"events": 4, "unneeded": {"windows": 1, "json": 1}}
    text = run(capfdbinary, *words)
    assert "windows process_creation      1         1     2  " in text
    assert "4 events; rules on log sources that are seen in them: 1.\n" in text
    layer = json.loads(run(capfdbinary, *words, "--format", "navigator"))
    (comment,) = {one["comment"] for one in layer["techniques"]}
    assert comment == "2 of 6 rules can fire; the logs have events for 1"


def test_says_nothing_of_logs_where_none_are_given(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = json.loads(run(capfdbinary, "--rules", str(folder), "--format", "json"))
    assert "seen" not in found
    assert "Seen" not in run(capfdbinary, "--rules", str(folder))


def test_a_log_that_cannot_be_read_whole_is_told(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log = tmp_path_factory.mktemp("logs") / "log.json"
    log.write_text(sysmon(1) + '\n{"a": \n', encoding="utf-8")
    assert main(["rules", "coverage", "--no-cache", "--rules", str(folder), str(log)]) == 3
    assert "log.json: broken-line" in capfdbinary.readouterr().err.decode()
