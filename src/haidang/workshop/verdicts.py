"""Findings that people have judged: NDJSON as a scan writes it, and what is true or false of it.

Two ways to say so: a file of findings that are true and one of those that are false, or all findings in one
and a table of ``id,verdict`` beside it. What cannot be understood is counted and told, and never guessed.

The files are untrusted.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from haidang.limits import Limits

__all__ = ["Judged", "Verdicts", "read_verdicts"]

_TRUE = frozenset({"true", "tp", "true positive", "true_positive", "true-positive", "1", "yes", "đúng"})
_FALSE = frozenset({"false", "fp", "false positive", "false_positive", "false-positive", "0", "no", "sai"})


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding."""

    id: str
    rule_id: str
    rule_title: str
    origin: str
    event: dict[str, Any]
    looked_at: frozenset[str] = frozenset()
    """Names of the fields for which the rule fired."""


@dataclass(slots=True)
class Verdicts:
    """The findings of all rules, by what they are."""

    true: list[Judged] = field(default_factory=list)
    false: list[Judged] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What could not be used, with its file and line."""


def read_verdicts(
    true: Sequence[str], false: Sequence[str], findings: Sequence[str], table: str | None, limits: Limits
) -> Verdicts:
    """Return the judged findings.

    Args:
        true: NDJSON files of findings that are true.
        false: The same of those that are false.
        findings: NDJSON files of findings that ``table`` judges.
        table: CSV file with the columns ``id`` and ``verdict``.
        limits: Bounds.

    Raises:
        InputError: A file cannot be read.
    """
    found = Verdicts()
    known: set[str] = set()
    for path in true:
        found.true += _fresh(_findings(path, found.problems, limits), known)
    trusted = {one.id for one in found.true}
    for path in false:
        for one in _findings(path, found.problems, limits):
            if one.id in trusted:
                found.problems.append(
                    f"{path}: the finding {one.id} is also among the true ones; taken as true"
                )
            elif one.id not in known:
                known.add(one.id)
                found.false.append(one)
    if table is not None:
        judged = dict(_table(table, found.problems))
        for path in findings:
            for one in _fresh(_findings(path, found.problems, limits), known):
                verdict = judged.pop(one.id, None)
                if verdict is not None:
                    (found.true if verdict else found.false).append(one)
        if judged:
            found.problems.append(f"{table}: {len(judged)} findings that it judges are not there")
    return found


def _fresh(found: Iterator[Judged], known: set[str]) -> Iterator[Judged]:
    for one in found:
        if one.id not in known:
            known.add(one.id)
            yield one


def _findings(path: str, problems: list[str], limits: Limits) -> Iterator[Judged]:
    try:
        with Path(path).open("rb") as file:
            number = 0
            while line := file.readline(limits.line_bytes + 1):
                number += 1
                if len(line) > limits.line_bytes:
                    raise InputError(f"{path}:{number}: the line is longer than {limits.line_bytes} bytes")
                if line.strip():
                    one = _finding(line)
                    if isinstance(one, str):
                        problems.append(f"{path}:{number}: {one}")
                    elif one is not None:
                        yield one
    except OSError as error:
        raise InputError(f"{path}: findings or verdicts cannot be read: {error.strerror or error}") from None


def _finding(line: bytes) -> Judged | str | None:
    """Return a finding, None for another kind of line, or what is wrong with it."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return "not valid JSON"
    if not isinstance(document, dict):
        return "not a finding"
    if document.get("kind", "finding") != "finding":
        return None
    rule, event = document.get("rule"), document.get("event")
    if not isinstance(rule, dict) or not isinstance(event, dict):
        return "not a finding: 'rule' and 'event' are missing"
    return Judged(
        str(document.get("id") or ""),
        str(rule.get("id") or ""),
        str(rule.get("title") or ""),
        str(document.get("origin") or ""),
        event,
        _looked_at(document.get("matched")),
    )


def _looked_at(matched: Any) -> frozenset[str]:
    items = matched if isinstance(matched, list) else []
    return frozenset(str(one["field"]) for one in items if isinstance(one, dict) and one.get("field"))


def _table(path: str, problems: list[str]) -> Iterator[tuple[str, bool]]:
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"id", "verdict"} <= set(reader.fieldnames or ()):
                raise InputError(f"{path}:1: the columns 'id' and 'verdict' are needed")
            for row in reader:
                verdict = (row["verdict"] or "").strip().lower()
                if verdict in _TRUE | _FALSE:
                    yield (row["id"] or "").strip(), verdict in _TRUE
                else:
                    problems.append(f"{path}:{reader.line_num}: {verdict!r} is neither true nor false")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: findings or verdicts cannot be read: {reason}") from None
