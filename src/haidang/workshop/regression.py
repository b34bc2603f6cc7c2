"""Rule tests in the layout of SigmaHQ's ``regression_data``: a folder for each rule, with ``info.yml``.

    regression_data/rules/windows/…/proc_creation_win_x/info.yml
    regression_data/rules/windows/…/proc_creation_win_x/<rule id>.evtx

``info.yml`` names the rule (``rule_metadata``) and its logs (``regression_tests_info``: ``type``, ``path``,
``match_count``). A path is looked for from the folder of ``info.yml``, from those above it, and last by its
name beside ``info.yml``. A count is a minimum, as that project's own runner takes it.

The content is untrusted: a path that leads out of the tree that was named is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.errors import RuleError
from haidang.sigma.yaml_source import Lines, YamlError, documents
from haidang.workshop.examples import Examples, LogExample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from haidang.limits import Limits

__all__ = ["read_regression"]

_NAME = "info.yml"


def read_regression(folder: Path, limits: Limits) -> Iterator[tuple[Examples, list[RuleError]]]:
    """Yield the examples of each ``info.yml`` under ``folder``, with what is wrong with it."""
    files = sorted(folder.rglob(_NAME)) if folder.is_dir() else [folder]
    if not files:
        fault = RuleError(f"the folder holds no {_NAME}", path=str(folder), rule="test")
        yield _nothing(folder), [fault]
    for file in files:
        try:
            data = file.read_bytes() if file.stat().st_size <= limits.rule_file_bytes else b""
            found = documents(data) or [None]
        except OSError as error:
            fault = RuleError(f"cannot be read: {error.strerror or error}", path=str(file), rule="test")
            yield _nothing(file), [fault]
        except YamlError as error:
            yield _nothing(file), [RuleError(error.reason, path=str(file), line=error.line, rule="test")]
        else:
            root = folder if folder.is_dir() else folder.parent
            for index, document in enumerate(found):
                yield from _examples(file, root, document, Lines(data), index)


def _nothing(path: Path) -> Examples:
    return Examples(str(path), 0, rule="?", optional=True)


def _examples(
    file: Path, root: Path, document: Any, lines: Lines, index: int
) -> Iterator[tuple[Examples, list[RuleError]]]:
    rules = document.get("rule_metadata") if isinstance(document, dict) else None
    tests = document.get("regression_tests_info") if isinstance(document, dict) else None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        fault = RuleError("'rule_metadata' must list the rule", path=str(file), line=1, rule="test")
        yield _nothing(file), [fault]
        return
    for rule in rules:
        name = str(rule.get("id") or rule.get("title") or "")
        found = Examples(str(file), lines.of(index, ("rule_metadata",)), rule=name, optional=True)
        faults = []
        for at, test in enumerate(tests if isinstance(tests, list) else ()):
            line = lines.of(index, ("regression_tests_info", at))
            log = _log(file, root, test, line)
            if isinstance(log, str):
                faults.append(RuleError(log, path=str(file), line=line, rule="test"))
            else:
                found.logs.append(log)
        yield found, faults


def _log(file: Path, root: Path, test: Any, line: int) -> LogExample | str:
    """Return one test, or what is wrong with it."""
    path = test.get("path") if isinstance(test, dict) else None
    if not isinstance(path, str) or not path:
        return _wrong("a test has no 'path'")
    count = test.get("match_count")
    if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
        return _wrong("'match_count' must be a number")
    place = _place(file, root, path)
    if place is None:
        return _wrong(f"{path} leads out of the folder")
    return LogExample(str(test.get("name") or place.name), place, 1 if count is None else count, line)


def _wrong(reason: str) -> str:
    """Return what is wrong with a test, which people read in their language."""
    return reason


def _place(file: Path, root: Path, path: str) -> Path | None:
    """Return where a log is; None where the path leads out of the tree around ``root``."""
    relative = Path(path.replace("\\", "/"))
    if relative.is_absolute() or ".." in relative.parts:
        return None
    top = root.resolve().parent
    for folder in file.resolve().parents:
        if (folder / relative).exists():
            return folder / relative
        if folder == top:
            break
    return file.parent / relative.name
