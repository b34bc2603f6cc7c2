"""The conventions of the house, held by tests instead of by memory."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import fields
from pathlib import Path

import pytest

from haidang.events.readers import readers
from haidang.findings.outputs import outputs
from haidang.limits import Limits

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCE = REPOSITORY / "src" / "haidang"
TESTS = REPOSITORY / "tests"
MAP = REPOSITORY / "docs" / "explanation" / "map.md"
DEPENDENCIES = REPOSITORY / "docs" / "explanation" / "dependencies.md"
JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc"}
# What costs start-up time: none of it may be imported before it is needed.
HEAVY = {"sigma", "rich", "yaml", "evtx", "re2", "jinja2"}

MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.parent.name != "migrations")
"""Migrations are left out: Django writes them."""
PUBLIC_MODULES = [m for m in MODULES if not m.name.startswith("_") and m.name != "settings.py"]
"""The settings' names are what Django asks for."""
DJANGO_FOLDERS = {"locale", "migrations", "static", "templates", "templatetags"}
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def plugins(package: str) -> list[str]:
    """Names of the modules that a registry finds in ``package`` by walking it."""
    return sorted(m.stem for m in (SOURCE / package).glob("*.py") if not m.name.startswith("_"))


def package_folders() -> list[Path]:
    """Every folder under src/haidang that holds modules or data, itself included.

    The folders in which Django looks for templates and such are the same in every app.
    """
    folders = {
        path.parent
        for path in SOURCE.rglob("*")
        if path.is_file() and not DJANGO_FOLDERS.intersection(path.relative_to(SOURCE).parts[1:])
        if "__pycache__" not in path.parts
    }
    return sorted(folders)


@pytest.mark.parametrize("name", plugins("events/readers"))
def test_every_reader_has_a_test_and_a_sample_on_the_mirrored_path(name: str) -> None:
    mirror = TESTS / "events" / "readers"
    assert (mirror / f"test_{name}.py").is_file()
    samples = [p for p in (mirror / "samples").rglob("*") if name in (p.stem, p.parent.name)]
    assert samples, f"no sample named {name} in {relative(mirror)}/samples"


def test_every_reader_says_what_it_is_called_and_which_logs_it_hands_over() -> None:
    assert readers(), "no reader was found"
    for name, reader in readers().items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), name
        assert reader.title, name
        assert reader.title != name, f"{name}: the title is for people"
        assert reader.origins, f"{name} hands over no family of logs"
        for origin in reader.origins:
            assert re.fullmatch(r"[a-z0-9]+", origin.name), f"{name}: {origin.name}"


@pytest.mark.parametrize("name", plugins("findings/outputs"))
def test_every_output_has_a_test_on_the_mirrored_path(name: str) -> None:
    assert (TESTS / "findings" / "outputs" / f"test_{name}.py").is_file()


def test_every_output_says_what_it_is_called_and_no_two_claim_a_file_ending() -> None:
    assert outputs(), "no output was found"
    claimed: dict[str, str] = {}
    for name, output in outputs().items():
        assert output.title, name
        for suffix in output.suffixes:
            assert suffix.startswith("."), f"{name}: {suffix}"
            assert suffix not in claimed, f"{name} and {claimed[suffix]} both claim {suffix}"
            claimed[suffix] = name


def test_the_map_names_every_folder_of_the_package() -> None:
    text = MAP.read_text(encoding="utf-8")
    missing = [relative(folder) for folder in package_folders() if f"`{relative(folder)}/`" not in text]
    assert not missing, "say in one line in docs/explanation/map.md what each is for"


def test_the_map_names_every_tracked_folder_at_the_top() -> None:
    text = MAP.read_text(encoding="utf-8")
    tracked = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    tops = {line.partition("/")[0] for line in tracked.stdout.splitlines() if "/" in line}
    assert not [top for top in sorted(tops) if f"`{top}/" not in text]


def test_the_map_names_no_folder_that_is_gone() -> None:
    named = re.findall(r"^\| `([^`]+)/` ", MAP.read_text(encoding="utf-8"), re.MULTILINE)
    assert named, "the map has no table of folders"
    assert not [folder for folder in named if not (REPOSITORY / folder).is_dir()]


def test_a_module_is_named_for_what_it_decides() -> None:
    names = {relative(path): path.stem.strip("_") for path in [*MODULES, *package_folders()]}
    assert not [path for path, name in names.items() if name in JUNK_DRAWERS]


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_opens_with_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert not re.match(r"(TODO|FIXME)\b", docstring)


@pytest.mark.parametrize("path", PUBLIC_MODULES, ids=relative)
def test_every_public_module_names_what_is_public(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assigned = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    assert any(isinstance(target, ast.Name) and target.id == "__all__" for target in assigned)


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_every_limit_has_a_test_that_names_it(name: str) -> None:
    here = Path(__file__)
    files = [path for path in TESTS.rglob("test_*.py") if path != here]
    assert any(re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")) for path in files)


@pytest.mark.parametrize(
    "code",
    [
        "import haidang",
        "import haidang.cli.main as m; sys.argv = ['haidang', '--version']; m.main()",
    ],
    ids=["import haidang", "haidang --version"],
)
def test_nothing_heavy_is_imported_at_the_start(code: str) -> None:
    program = f"""
import sys, json
try:
    {code}
except SystemExit as end:
    assert not end.code, end.code
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    imported = set(json.loads(run.stderr.splitlines()[-1]))
    assert "haidang" in imported
    assert not imported & HEAVY


def test_the_generated_pages_are_what_the_code_says() -> None:
    program = [sys.executable, "-m", "docs._generate", "--check"]
    run = subprocess.run(program, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{run.stdout}{run.stderr}\nrun: make docs"


def dependency_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}


EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
# The extra "dev" names the extra "crypto" by way of the package itself.
ALL_REQUIREMENTS = [
    *PROJECT["dependencies"],
    *(r for extra in EXTRAS.values() for r in extra if not r.startswith("haidang[")),
]


@pytest.mark.parametrize("name", sorted(dependency_names(ALL_REQUIREMENTS)))
def test_every_dependency_is_justified(name: str) -> None:
    assert f"| {name} |" in DEPENDENCIES.read_text(encoding="utf-8").lower()


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [("run.txt", PROJECT["dependencies"]), ("dev.txt", ALL_REQUIREMENTS)],
    ids=["run.txt", "dev.txt"],
)
def test_the_lock_pins_every_dependency_with_hashes_and_names_no_host(
    lock: str, requirements: list[str]
) -> None:
    text = (REPOSITORY / "requirements" / lock).read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)==\S+ \\\n    --hash=sha256:", text, re.MULTILINE))
    assert dependency_names(requirements) <= pinned, "run: make lock"
    assert len(pinned) == text.count("=="), "a pin has no hash"
    assert "://" not in text
    assert not re.search(r"^\s*-[^-]|--(index|extra-index|find-links|trusted)", text, re.MULTILINE)


def test_both_locks_agree_on_what_a_user_gets() -> None:
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^(\S+==\S+)", (REPOSITORY / "requirements" / lock).read_text(), re.MULTILINE))

    assert pins("run.txt") <= pins("dev.txt")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a wheel that is built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
    build += ["--no-build-isolation", "--wheel-dir", str(folder), str(REPOSITORY)]
    run = subprocess.run(build, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    (path,) = folder.glob("haidang-*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_file_of_the_package(wheel: set[str]) -> None:
    unwanted = {"__pycache__"}
    files = {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and not unwanted & set(path.parts)
    }
    assert not files - wheel
    assert "haidang/py.typed" in wheel
    for kind in (r"locale/vi/.*\.mo", r"sigma/logsources/.*\.yml", r"sigma/builtin/.*\.yml", r".*\.(css|js)"):
        assert any(re.fullmatch(f"haidang/{kind}", name) for name in wheel), kind


def test_the_wheel_holds_nothing_but_the_package_and_its_licence(wheel: set[str]) -> None:
    strangers = {n for n in wheel if not n.startswith("haidang/") and ".dist-info/" not in n}
    assert not strangers
    assert any(name.endswith("licenses/LICENSE") for name in wheel)
    assert any(name.endswith("licenses/NOTICE") for name in wheel)
