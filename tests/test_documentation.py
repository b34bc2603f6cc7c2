"""The documentation says what is so: its links lead somewhere, its options exist, its example runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from sigma.processing.pipeline import ProcessingPipeline

import haidang
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.logsource import parse_map
from haidang.workshop.examples import read_examples

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
SAMPLES = REPOSITORY / "samples" / "logs"

RULE = """
title: A process was started
logsource: { product: windows, category: process_creation }
detection:
  selection: { CommandLine|contains: ' ' }
  condition: selection
"""


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documentation as `make docs` builds it; a broken link ends the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "true"}
    run = subprocess.run(command, cwd=REPOSITORY, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder


def test_the_built_documentation_loads_nothing_from_a_network(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r"""<(?:script|img|iframe)[^>]*\ssrc=["'](?:https?:)?//""", text), page.name
        assert not re.findall(r"""<link[^>]*\shref=["'](?:https?:)?//""", text), page.name


def test_the_sections_stand_in_the_order_in_which_people_need_them(site: Path) -> None:
    text = (site / "index.html").read_text(encoding="utf-8")
    folders = re.findall(r'href="([a-z-]+)/[^"]*" class="md-nav__link', text)
    assert list(dict.fromkeys(folders)) == ["tutorial", "how-to", "reference", "explanation"]


def test_the_links_of_the_front_pages_lead_somewhere() -> None:
    for page in REPOSITORY.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (REPOSITORY / target).exists(), f"{page.name}: {target}"


def commands(text: str) -> list[str]:
    """Lines of code that call haidang, with their continuations joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    code = re.findall(r"^(?:    |\$ )(.*)$", joined, re.MULTILINE)
    fenced = "\n".join(re.findall(r"^```(?:sh|console|bash)?\n(.*?)^```", joined, re.MULTILINE | re.DOTALL))
    return [line for line in [*code, *fenced.splitlines()] if re.search(r"\bhaidang (scan|rules)\b", line)]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_option_in_an_example_exists(page: Path) -> None:
    for line in commands(page.read_text(encoding="utf-8")):
        (command,) = re.findall(r"\bhaidang (scan|rules(?: [a-z]+)?)(?![a-z])", line)[:1]
        run = [str(Path(sys.executable).with_name("haidang")), *command.split(), "--help"]
        environ = {**os.environ, "COLUMNS": "200", "LC_ALL": "C"}
        known = subprocess.run(run, env=environ, capture_output=True, text=True, check=True).stdout
        for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", line):
            assert re.search(rf"(?<![a-z-]){option}(?![a-z-])", known), line


def example(readme: str) -> str:
    text = (REPOSITORY / readme).read_text(encoding="utf-8")
    (found,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


def test_both_readmes_show_the_same_example_of_at_most_five_lines() -> None:
    assert example("README.md") == example("README.vi.md")
    assert len([line for line in example("README.md").splitlines() if line]) <= 5


def test_the_example_of_the_readme_runs_and_prints_findings(tmp_path: Path) -> None:
    (tmp_path / "sigma").mkdir()
    (tmp_path / "sigma" / "rule.yml").write_text(RULE, encoding="utf-8")
    shutil.copytree(SAMPLES, tmp_path / "logs")
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-c", example("README.md")]
    run = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
    assert "A process was started" in run.stdout


def yaml_of(page: str) -> str:
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    (found,) = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_logsource_map_of_the_guide_is_one() -> None:
    found = parse_map(yaml_of("how-to/add-a-product.md").encode(), "guide.yml")
    assert found.origin == "proxy"
    assert found.entries[0].fields["c-uri"] == ("request_url",)


def test_the_examples_of_the_guide_are_some(tmp_path: Path) -> None:
    path = tmp_path / "guide.test.yml"
    path.write_text(yaml_of("how-to/work-on-rules.md"), encoding="utf-8")
    (found,), faults = read_examples(path, DEFAULT_LIMITS)
    assert faults == []
    assert [single.fires for single in found.singles] == [True, False]


def test_the_pipeline_of_the_guide_is_one() -> None:
    found = ProcessingPipeline.from_yaml(yaml_of("how-to/use-pipelines.md"))
    assert [item.identifier for item in found.items] == ["image"]


def test_the_rule_of_the_tutorial_finds_the_control_server(tmp_path: Path) -> None:
    rule = tmp_path / "control-server.yml"
    rule.write_text(yaml_of("tutorial/first-rule.md"), encoding="utf-8")
    found = list(haidang.scan(SAMPLES / "zeek", rules=haidang.load_rules(rule)))
    assert found
    assert {finding.event["id.resp_h"] for finding in found} == {"203.0.113.66"}


def test_the_correlation_of_the_tutorial_replaces_its_rule(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "tutorial" / "first-rule.md").read_text(encoding="utf-8")
    (second,) = re.findall(r"^    ---\n(?:    .*\n)+", page, re.MULTILINE)
    rule = tmp_path / "control-server.yml"
    rule.write_text(yaml_of("tutorial/first-rule.md") + dedent(second), encoding="utf-8")
    found = list(haidang.scan(SAMPLES / "zeek", rules=haidang.load_rules(rule)))
    assert {finding.origin for finding in found} == {"correlation"}
    assert {finding.rule.level for finding in found} == {"critical"}


def test_the_example_of_the_python_page_runs_and_finds_the_emptied_log() -> None:
    page = (REPOSITORY / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Emptied" in run.stdout
