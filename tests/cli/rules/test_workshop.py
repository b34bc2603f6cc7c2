"""The commands of the workshop as they are called: what they write, in which form, with which exit code."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from haidang.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

SAMPLES = Path(__file__).resolve().parents[3] / "samples" / "logs"
RULE = """title: Shell started by an editor
id: 6f0f6c2e-4a3a-4a70-9a07-0a8ee4b8a001
status: test
date: 2026-11-30
tags: [attack.execution, attack.t1059.003]
logsource: {product: windows, category: process_creation}
detection:
  selection: {ParentImage|endswith: '\\edit.exe', Image|endswith: '\\cmd.exe'}
  condition: selection
level: high
"""
EVENT = {
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "EventID": 1,
    "ParentImage": "C:\\edit.exe",
    "Image": "C:\\cmd.exe",
}
TEST = """origin: windows
base: {Channel: Microsoft-Windows-Sysmon/Operational, EventID: 1, ParentImage: 'C:\\edit.exe'}
fires: [{Image: 'C:\\cmd.exe'}]
quiet: [{Image: 'C:\\calc.exe'}]
"""


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.delenv("LANGUAGE", raising=False)


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        code = main(["rules", *map(str, words)])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "rules" / "shell.yml"
    path.parent.mkdir()
    path.write_text(RULE, encoding="utf-8")
    path.with_name("shell.test.yml").write_text(TEST, encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.json"
    path.write_text(f"{json.dumps(EVENT)}\n{json.dumps({**EVENT, 'EventID': 3})}\n", encoding="utf-8")
    return path


def test_check_ends_with_1_from_the_severity_that_is_asked_for(run: Run, rule: Path) -> None:
    assert run("check", rule)[:2] == (0, "1 rules: 0 errors, 0 warnings, 0 notes.\n")
    rule.write_text(RULE.replace("level: high", "level: hihg"), encoding="utf-8")
    code, out, _ = run("check", rule)
    assert code == 0
    assert f"{rule}:10: warning: the level 'hihg' is not one of the specification; high is meant" in out
    assert run("check", rule, "--fail-on", "warning")[0] == 1
    assert run("check", rule, "--fail-on", "warning", "--ignore", "level-spelling")[0] == 0


def test_check_fix_shows_the_difference_and_corrects(run: Run, rule: Path) -> None:
    rule.write_text(RULE.replace("level: high", "level: High"), encoding="utf-8")
    _, out, err = run("check", rule, "--diff")
    assert "-level: High\n+level: high\n" in err
    assert "can be corrected" in out
    assert "High" in rule.read_text(encoding="utf-8")
    _, out, err = run("check", rule, "--fix")
    assert "-level: High\n+level: high\n" in err
    assert out == "1 rules: 0 errors, 0 warnings, 0 notes.\n"
    assert rule.read_text(encoding="utf-8") == RULE


def test_check_speaks_json_and_sarif(run: Run, rule: Path) -> None:
    rule.write_text(RULE.replace("Image|endswith: '\\cmd", "Imgae|endswith: '\\cmd"), encoding="utf-8")
    (issue,) = json.loads(run("check", rule, "--format", "json")[1])["issues"]
    assert (issue["code"], issue["line"], issue["severity"]) == ("unknown-field", 8, "warning")
    (result,) = json.loads(run("check", rule, "--format", "sarif")[1])["runs"][0]["results"]
    assert result["ruleId"] == "unknown-field"


def test_check_speaks_vietnamese(run: Run, rule: Path) -> None:
    rule.write_text(RULE.replace("Image|endswith: '\\cmd", "Imgae|endswith: '\\cmd"), encoding="utf-8")
    assert "không có trường Imgae" in run("check", rule, "--lang", "vi")[1]


def test_list_chooses_as_a_scan_does(run: Run, rule: Path) -> None:
    found = json.loads(run("list", "--rules", rule, "--format", "json")[1])
    assert [(one["title"], one["level"], one["logsource"]["category"]) for one in found] == [
        ("Shell started by an editor", "high", "process_creation")
    ]
    assert json.loads(run("list", "--rules", rule, "--min-level", "critical", "--format", "json")[1]) == []
    assert run("list", "--rules", rule, "--tag", "attack.t1059*")[1].endswith("\n1 rule.\n")
    rows = list(csv.DictReader(io.StringIO(run("list", "--rules", rule, "--format", "csv")[1])))
    assert rows[0]["path"] == str(rule)


def test_list_names_the_built_in_rules(run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0
    assert len(out.splitlines()) > 80


def test_test_ends_with_1_where_an_example_fails(run: Run, rule: Path) -> None:
    assert run("test", rule.parent)[:2] == (0, "2 examples passed, 0 failed, 0 skipped.\n")
    examples = rule.with_name("shell.test.yml")
    examples.write_text(TEST.replace("calc", "cmd"), encoding="utf-8")
    code, out, _ = run("test", rule.parent)
    assert code == 1
    assert out.startswith(f"FAILED  {examples}:4: Shell started by an editor: quiet: the rule fires")
    root = ET.fromstring(run("test", rule.parent, "--format", "junit")[1])
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    document = json.loads(run("test", rule.parent, "--format", "json")[1])
    assert (document["passed"], document["failed"]) == (1, 1)


def test_explain_writes_values_as_rules_do_and_says_that_maps_of_a_list_are_alternatives(
    run: Run, rule: Path, log: Path
) -> None:
    maps = "selection: [{Image|endswith: '\\cmd.exe'}, {Image: a, User: b}]"
    start = RULE.index("selection:")
    rule.write_text(RULE[:start] + maps + RULE[RULE.index("\n", start) :], encoding="utf-8")
    _, out, _ = run("explain", rule, log)
    assert "in the event: 'C:\\cmd.exe'\n" in out
    lines = out.splitlines()
    at = lines.index("    ✓ one of these")
    assert lines[at + 1] == "        ✓ Image endswith '\\cmd.exe'"
    assert "        ✗ all of these" in lines


def test_a_check_of_no_rule_at_all_does_not_pass(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.yml").write_text("- a\n- b\n", encoding="utf-8")
    code, out, err = run("check", tmp_path)
    assert (code, out) == (2, "")
    assert "there is no rule" in err
    assert "không có quy tắc nào" in run("check", tmp_path, "--lang", "vi")[2]


@pytest.fixture
def guesses(tmp_path: Path) -> Path:
    """A log of SSH: seven wrong passwords, three short of what the built-in rule asks for."""
    path = tmp_path / "auth.log"
    path.write_text(
        "".join(
            f"2026-01-05T08:00:0{second}+00:00 may1 sshd[{second + 100}]: Failed password for an from "
            "192.0.2.7 port 5022 ssh2\n"
            for second in range(7)
        ),
        encoding="utf-8",
    )
    return path


def test_explain_says_what_a_correlation_lacks(run: Run, guesses: Path) -> None:
    code, out, _ = run("explain", "sshd_guessing", guesses)
    assert code == 0
    assert "Asked for: event_count gte 10, within 5m, by client_ip" in out
    assert (
        "✓ Password Refused by sshd (System Log): events of its log source: 7; of these it holds in 7\n"
        in out
    )
    assert "    ✗ Found: 7\n    ✗ 3 more are missing\n" in out
    assert f"2026-01-05T08:00:00.000Z  {guesses}#1  Password Refused by sshd (System Log)\n" in out
    assert out.endswith("✗ Verdict: the correlation does not fire on these events\n")


def test_explain_of_a_correlation_speaks_vietnamese(run: Run, guesses: Path) -> None:
    _, out, _ = run("explain", "sshd_guessing", guesses, "--lang", "vi")
    assert "còn thiếu 3" in out
    assert "quy tắc tương quan không đưa ra phát hiện" in out
    assert "missing" not in out


def test_explain_of_a_correlation_is_a_document_for_programs(run: Run, guesses: Path) -> None:
    _, out, _ = run("explain", "sshd_guessing", guesses, "--format", "json", "--lang", "vi")
    document = json.loads(out)
    assert (document["events"], document["fires"], document["findings"]) == (7, False, 0)
    (rule,) = document["rules"]
    assert (rule["looked_at"], rule["hits_total"]) == (7, 7)
    (group,) = document["groups"]
    window = group["window"]
    assert (window["number"], window["holds"], window["missing"]) == (7, False, ["3 more are missing"])
    assert window["hits"][0] == {
        "rule": "Password Refused by sshd (System Log)",
        "time": "2026-01-05T08:00:00.000Z",
        "path": str(guesses),
        "record": 1,
        "values": [],
    }


def test_explain_asks_for_the_whole_log_of_a_correlation(run: Run, guesses: Path) -> None:
    code, _, err = run("explain", "sshd_guessing", f"{guesses}#3", "--lang", "vi")
    assert code == 2
    assert "quy tắc tương quan xét nhiều sự kiện" in err
    assert f"{guesses}." in err


def test_titles_are_in_the_language_of_the_reader(run: Run, log: Path) -> None:
    words = ("--rule", "Password Guessing That Ended in a Logon", "--lang", "vi")
    _, out, _ = run("list", *words)
    assert "Dò mật khẩu" in out
    assert "tương quan" in out
    _, out, _ = run("explain", "SSH Logon Failed", log, "--lang", "vi")
    assert "Quy tắc: Đăng nhập SSH thất bại" in out


def test_a_rule_is_found_by_its_title_in_either_language(run: Run, log: Path) -> None:
    _, out, _ = run("list", "--rule", "đăng nhập SSH thất*", "--lang", "vi")
    assert "1 quy tắc." in out
    _, out, _ = run("explain", "Đăng nhập SSH thất bại", log, "--lang", "vi")
    assert "Quy tắc: Đăng nhập SSH thất bại" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("explain", "no such rule", "-"), ("không có quy tắc 'no such rule'", "Hãy nêu đường dẫn")),
        (("explain", "SSH Logon Faild", "-"), ("Có phải ý bạn là 'SSH Logon Failed'?",)),
        (("tune", "a.ndjson", "--verdicts", "no"), ("không có tệp hoặc thư mục này",)),
    ],
)
def test_what_goes_wrong_is_said_in_vietnamese(
    run: Run, words: tuple[str, ...], said: tuple[str, ...]
) -> None:
    code, _, err = run(*words, "--lang", "vi")
    assert code == 2
    assert all(part in err for part in said), err


def test_explain_says_why_and_why_not(run: Run, rule: Path, log: Path) -> None:
    code, out, _ = run("explain", rule, log)
    assert code == 0
    assert out.endswith("✓ Verdict: the rule fires on this event\n")
    _, out, _ = run("explain", "6f0f6c2e*", f"{log}#2", "--rules", rule, "--format", "json")
    document: dict[str, Any] = json.loads(out)
    assert (document["reached"], document["fires"]) == (False, False)
    assert "EventID" in document["way"]
    assert document["selections"][0]["holds"]


def test_profile_measures_the_rules_on_logs(run: Run, rule: Path, log: Path) -> None:
    code, out, _ = run("profile", log, "--rules", rule, "--format", "json")
    assert code == 0
    (cost,) = json.loads(out)["costs"]
    assert (cost["events"], cost["held"]) == (1, 1)
    assert "Shell started by an editor" in run("profile", log, "--rules", rule)[1]


def test_profile_says_by_its_exit_code_that_a_log_is_damaged(run: Run, log: Path) -> None:
    log.write_text("{broken\n" + log.read_text("utf-8"), encoding="utf-8")
    assert run("profile", log, "--input-format", "ndjson")[0] == 3


def scanned(rule: Path, folder: Path, name: str, *events: dict[str, Any]) -> Path:
    source = folder / f"{name}.json"
    source.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    found = folder / f"{name}.ndjson"
    words = ["scan", source, "--rules", rule, "--full-event", "--output", found, "--quiet"]
    assert main([str(word) for word in words]) == 0
    return found


def test_tune_proposes_a_filter_that_scan_then_applies(run: Run, rule: Path, tmp_path: Path) -> None:
    agent = {**EVENT, "User": "HV\\svc_capnhat", "CommandLine": "cmd /c capnhat"}
    attack = {**EVENT, "User": "HV\\mai", "CommandLine": "cmd /c whoami"}
    false = scanned(rule, tmp_path, "false", agent, {**agent, "ProcessId": 7})
    true = scanned(rule, tmp_path, "true", attack)
    code, out, err = run("tune", "--false", false, "--true", true, "--rules", rule)
    assert code == 0
    assert "drops 2 of 2 false findings, keeps all of 1 true ones" in err
    (rule.parent / "filter.yml").write_text(out, encoding="utf-8")
    assert run("check", rule.parent)[0] == 0
    after = scanned(rule.parent, tmp_path, "after", agent, attack).read_text("utf-8").splitlines()
    kept = [json.loads(line) for line in after]
    assert [one["event"]["User"] for one in kept if one["kind"] == "finding"] == ["HV\\mai"]


def test_tune_reads_verdicts_from_a_table(run: Run, rule: Path, tmp_path: Path) -> None:
    findings = scanned(rule, tmp_path, "all", {**EVENT, "User": "svc"}, {**EVENT, "User": "mai"})
    lines = [json.loads(line) for line in findings.read_text("utf-8").splitlines()]
    svc, mai = (line["id"] for line in lines if line["kind"] == "finding")
    table = tmp_path / "verdicts.csv"
    table.write_text(f"id,verdict\n{svc},false\n{mai},true\n", encoding="utf-8")
    output = tmp_path / "filter.yml"
    words = ("tune", findings, "--verdicts", table, "--rules", rule, "--output", output)
    assert run(*words)[0] == 0
    assert "User: 'svc'" in output.read_text(encoding="utf-8")
    assert run(*words)[0] == 2  # The file is there already.


def test_tune_ends_with_1_where_nothing_is_safe(run: Run, rule: Path, tmp_path: Path) -> None:
    found = scanned(rule, tmp_path, "one", EVENT)
    other = scanned(rule, tmp_path, "other", EVENT)
    code, out, err = run("tune", "--false", found, "--true", other, "--rules", rule)
    assert (code, out) == (1, "")
    assert "looks like a true one" in err


def test_new_writes_a_rule_and_its_examples(run: Run, log: Path, tmp_path: Path) -> None:
    output = tmp_path / "new.yml"
    code, _, err = run("new", f"{log}#1", "--background", SAMPLES, "--title", "A Draft", "--output", output)
    assert code == 0
    assert "ordinary events" in err
    assert run("test", output)[0] == 0
    assert run("check", output)[0] == 0
    assert run("new", f"{log}#1", "--output", output)[0] == 2  # It is there already.


@pytest.mark.parametrize(
    "words",
    [
        ("check", "--format", "xml"),
        ("check", "--fail-on", "never"),
        ("check", "--ignore", "nothing"),
        ("check", "no/such/folder"),
        ("list", "--format", "xml"),
        ("test", "--format", "xml"),
        ("explain", "defender_weakened"),
        ("explain", "no such rule", "-"),
        ("profile",),
        ("profile", "no/such/log"),
        ("tune",),
        ("tune", "--false", "no/such/file"),
        ("tune", "a.ndjson"),
        ("new",),
        ("new", "x", "--output", "a.txt"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_says_why(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("haidang: ")
