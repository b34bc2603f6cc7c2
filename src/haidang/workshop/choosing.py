"""Which rule is meant by a word: the path or name of its file, its id, name or title."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.errors import ConfigurationError
from haidang.sigma.joining import NOT_LOADED
from haidang.sigma.loading import BUILTIN_RULES
from haidang.sigma.written import read_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.sigma.ir import CorrelationRule, EventRule
    from haidang.sigma.written import Written, WrittenRule

__all__ = ["choose_rule"]

_CORRECT = "Correct the rule first: haidang rules check."
_NOT_LOADED = (
    "Say with --rules where the rules are that it refers to, or load the built-in ones with --builtin."
)


def choose_rule(
    word: str,
    paths: Sequence[str],
    *,
    pipelines: Sequence[str] = (),
    placeholders: Sequence[str] = (),
) -> tuple[WrittenRule, EventRule | CorrelationRule, Written]:
    """Return the rule or correlation that ``word`` means, and what it was read with.

    Args:
        word: A path, id, name, title or pattern of these with ``*``.
        paths: Where rules are; none: the built-in pack.
        pipelines: pySigma processing pipelines to apply.
        placeholders: YAML files that give the values of placeholders.

    Raises:
        ConfigurationError: There is no such rule, there are several, or it cannot be loaded.
    """
    is_path = Path(word).is_file()
    where = [word, *paths] if is_path else list(paths) or [str(BUILTIN_RULES)]
    written = read_written(where, pipelines=pipelines, placeholders=placeholders)
    found = [one for one in written.rules if one.info.path == word] if is_path else _named(word, written)
    rules = [one for one in found if "filter" not in one.document]
    if found and not rules:
        raise ConfigurationError(
            f"{found[0].info.title!r} is a filter",
            hint=f"Explain the rules that it is for: {_referred(found[0].document)}.",
        )
    correlations = [one for one in rules if "correlation" in one.document]
    if is_path and len(correlations) == 1:
        rules = correlations  # The others of its file are what it refers to.
    joined = written.joined
    for error in joined.refused if joined is not None else ():
        if (is_path and error.path == word) or error.rule in {one.info.title for one in rules}:
            place = f"{error.path}:{error.line}" if error.line else error.path
            raise ConfigurationError(
                f"{place}: the rule {error.rule!r} cannot be supported: {error.reason}",
                hint=_NOT_LOADED if error.reason.endswith(NOT_LOADED) else _CORRECT,
            )
    if not rules:
        close = difflib.get_close_matches(word, [one.info.title for one in written.rules], n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Give its path, id or title; --rules says where."
        raise ConfigurationError(f"there is no rule {word!r}", hint=hint)
    if len(rules) > 1:
        titles = ", ".join(repr(one.info.title) for one in rules[:5])
        raise ConfigurationError(f"{word!r} may be several rules: {titles}", hint="Give the id of one.")
    (one,) = rules
    compiled: dict[str, EventRule | CorrelationRule] = {}
    if joined is not None:
        compiled.update((rule.info.key, rule) for rule in joined.rules)
        compiled.update((rule.info.key, rule) for rule in joined.correlations)
    if one.info.key not in compiled:
        raise ConfigurationError(f"the rule {one.info.title!r} cannot be loaded")
    return one, compiled[one.info.key], written


def _referred(document: dict[str, Any]) -> str:
    """Return the rules that a filter names, as it names them."""
    section = document.get("filter")
    rules = section.get("rules") if isinstance(section, dict) else None
    return ", ".join(map(str, rules if isinstance(rules, list) else [rules])) if rules else "–"


def _named(word: str, written: Written) -> list[WrittenRule]:
    lower = word.lower()

    def names(one: WrittenRule) -> list[str]:
        info = one.info
        titles = (info.title, *(words.title for words in info.words))
        return [name.lower() for name in (info.id, info.name, *titles, Path(info.path).stem) if name]

    exact = [one for one in written.rules if lower in names(one)]
    return exact or [one for one in written.rules if any(fnmatchcase(name, lower) for name in names(one))]
