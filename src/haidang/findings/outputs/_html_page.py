"""The page around the findings: template, style, script, policy, words, and the account of the run.

The files of ``_html/`` are the page as written by hand. The template marks words as ``{{English words}}``,
which are translated and escaped here; ``{{=name}}`` is filled by this module. The scripts are put together
in the order of their names into one, whose hash the policy admits.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang._version import __version__
from haidang.findings.account import PROBLEM_WORDS
from haidang.findings.details import detail
from haidang.findings.figures import place
from haidang.findings.outputs._html_blocks import plain_json
from haidang.findings.outputs._html_words import page_words
from haidang.findings.words import LEVEL_WORDS, TACTIC_WORDS
from haidang.i18n import translator

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from haidang.events.model import FileReport
    from haidang.findings.gathering import Trails
    from haidang.findings.model import FindingRule, NamedRule, ScanSummary
    from haidang.i18n import Translator
    from haidang.sigma.ir import RuleWords

__all__ = [
    "closing", "known_techniques", "opening", "page_head", "page_trails", "places_of_techniques",
    "said_by_rules",
]  # fmt: skip

FOLDER = Path(__file__).with_name("_html")
_TECHNIQUES = Path(__file__).parent.parent / "attack_techniques.json"
_MARK = re.compile(r"\{\{(=?)([^{}]+)\}\}")
_BREAK = "{{=findings}}"


@cache
def opening(lang: str) -> bytes:
    """Return the page up to where the findings go."""
    return _page(lang)[0]


@cache
def closing(lang: str) -> bytes:
    """Return the page from after the findings to its end."""
    return _page(lang)[1]


def known_techniques(ids: Iterable[str]) -> dict[str, str]:
    """Return the names of the ATT&CK techniques ``ids``, as far as they are known."""
    names: dict[str, str] = json.loads(_TECHNIQUES.read_text("utf-8"))["techniques"]
    wanted = {part for id_ in ids for part in (id_, id_.partition(".")[0])}
    return {id_: names[id_] for id_ in sorted(wanted) if id_ in names}


def places_of_techniques(ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the columns of the ATT&CK matrix that the techniques ``ids`` stand in, where known."""
    columns: dict[str, list[str]] = json.loads(_TECHNIQUES.read_text("utf-8"))["tactics"]
    return {
        id_: places
        for id_ in sorted(ids)
        if (places := [tactic for tactic, held in columns.items() if id_.partition(".")[0] in held])
    }


def said_by_rules(rules: Iterable[FindingRule | NamedRule], summary: ScanSummary) -> dict[str, Any]:
    """Return what each of ``rules`` says in the languages that it has words in, by its id or title."""
    keys = {rule.id or rule.title for rule in rules} & summary.words.keys()
    return {key: {words.lang: _said(words) for words in summary.words[key]} for key in sorted(keys)}


def _said(words: RuleWords) -> dict[str, str]:
    return {"title": words.title, "description": words.description, "advice": words.advice}


def page_head(summary: ScanSummary, lang: str, written: datetime) -> dict[str, Any]:
    """Return what the page says of the whole run, with the words that it says it in."""
    _ = translator(lang)
    return {
        "version": __version__,
        "lang": _.lang,
        "written": written.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "words": page_words(_),
        "levels": [[level, _(word)] for level, word in LEVEL_WORDS.items()],
        "tactics": [[tactic, _(word)] for tactic, word in TACTIC_WORDS.items()],
        "files": [_file(report, _) for report in summary.files],
        "refused": [
            [error.path, error.line, error.rule, detail(error.reason, _)] for error in summary.refused
        ],
        "notices": [detail(notice, _) for notice in summary.notices],
        "rules": summary.rules,
        "feeding": summary.feeding,
        "events": summary.events,
        "size": summary.size,
        "findings": summary.findings,
        "elapsed": summary.elapsed,
        "processes": summary.processes,
    }


def page_trails(trails: Trails) -> bytes:
    """Return, as JSON, the process starts around the findings, the moves between hosts, and addresses.

    {"starts": [[host, time, guid, pid, parent guid, parent pid, image, command, user, parent image,
     parent command], …], "moves": [[whence, whither, how, user, count, first, last], …],
     "addresses": {address: host}, "lost": [starts, moves]}
    """
    return plain_json(
        {
            "starts": trails.related(),
            "moves": [
                [move.source, move.target, move.kind, move.user, move.count, move.first, move.last]
                for move in trails.moves
            ],
            "addresses": trails.addresses,
            "lost": [trails.lost_starts, trails.lost_moves],
        }
    )


def _file(report: FileReport, _: Translator) -> dict[str, Any]:
    problems = report.problems.values()
    return {
        "path": report.path,
        "format": report.format,
        "size": report.size,
        "records": report.records,
        "skipped": report.skipped,
        "problems": [
            [_(PROBLEM_WORDS.get(p.kind, p.kind)), place(p.where, _), detail(p.detail, _), p.count]
            for p in problems
        ],
    }


@cache
def _page(lang: str) -> tuple[bytes, bytes]:
    _ = translator(lang)
    style = (FOLDER / "style.css").read_text("utf-8")
    script = _script()
    filled = {
        "lang": _.lang,
        "policy": _policy(style, script),
        "style": style,
        "script": script,
        "findings": _BREAK,
    }

    def fill(mark: re.Match[str]) -> str:
        return filled[mark[2]] if mark[1] else html.escape(_(mark[2]))

    page = _MARK.sub(fill, (FOLDER / "page.html").read_text("utf-8"))
    before, _mark, after = page.partition(_BREAK)
    return before.encode(), after.encode()


def _script() -> str:
    parts = [path.read_text("utf-8") for path in sorted((FOLDER / "script").glob("*.js"))]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();"


def _policy(style: str, script: str) -> str:
    """Return the policy: nothing but this very style and script, and no HTML from strings."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
