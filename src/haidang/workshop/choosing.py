"""Which rule is meant by a word: the path or name of its file, its id, name or title."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haidang.errors import ConfigurationError
from haidang.sigma.loading import BUILTIN_RULES
from haidang.sigma.written import read_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from haidang.sigma.ir import EventRule
    from haidang.sigma.written import Written, WrittenRule

__all__ = ["choose_rule"]


def choose_rule(
    word: str,
    paths: Sequence[str],
    *,
    pipelines: Sequence[str] = (),
    placeholders: Sequence[str] = (),
) -> tuple[WrittenRule, EventRule, Written]:
    """Return the rule on single events that ``word`` means, and what it was read with.

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
    events = [one for one in found if "detection" in one.document]
    if found and not events:
        raise ConfigurationError(
            f"{found[0].info.title!r} looks at several events",
            hint=f"Explain the rules that it refers to: {_referred(found[0].document)}.",
        )
    joined = written.joined
    for error in joined.refused if joined is not None else ():
        if (is_path and error.path == word) or error.rule in {one.info.title for one in events}:
            place = f"{error.path}:{error.line}" if error.line else error.path
            raise ConfigurationError(
                f"{place}: the rule {error.rule!r} cannot be supported: {error.reason}",
                hint="Correct the rule first: haidang rules check.",
            )
    if not events:
        close = difflib.get_close_matches(word, [one.info.title for one in written.rules], n=1)
        hint = f"Did you mean {close[0]!r}?" if close else "Give its path, id or title; --rules says where."
        raise ConfigurationError(f"there is no rule {word!r}", hint=hint)
    if len(events) > 1:
        titles = ", ".join(repr(one.info.title) for one in events[:5])
        raise ConfigurationError(f"{word!r} may be several rules: {titles}", hint="Give the id of one.")
    (one,) = events
    rules = {rule.info.key: rule for rule in joined.rules} if joined is not None else {}
    if one.info.key not in rules:
        raise ConfigurationError(f"the rule {one.info.title!r} cannot be loaded")
    return one, rules[one.info.key], written


def _referred(document: dict[str, Any]) -> str:
    """Return the rules that a correlation or filter names, as it names them."""
    section = document.get("correlation") or document.get("filter")
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
