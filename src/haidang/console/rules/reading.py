"""Rules that are read again while the service runs: whether their files changed, whether they got worse.

An edit gone wrong must not cost a rule that worked. Rules are taken in place of those before unless

- they cannot be loaded at all, or nothing is left of them;
- a file is refused now that held a rule that worked before.

A new file that cannot be used stands in nobody's way: the rest is taken, and it is named.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from haidang.errors import HaidangError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from haidang.scanning import Ruleset

__all__ = ["BrokenRulesError", "check", "fingerprint"]

_ENDINGS = frozenset({".yml", ".yaml"})
_MOST_NAMED = 5


class BrokenRulesError(HaidangError):
    """Rules that are worse than those before."""


def fingerprint(paths: Iterable[Path]) -> str:
    """Return a text that changes whenever a file of rules does, comes or goes."""
    digest = blake2b(digest_size=16)
    for path in paths:
        for one in _files(path):
            try:
                state = one.stat()
            except OSError:
                continue
            told = (str(one), state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
            digest.update(repr(told).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def check(new: Ruleset, old: Ruleset) -> None:
    """Refuse rules that are worse than those before.

    Raises:
        BrokenRulesError: They are; it names the files.
    """
    worked = {info.path for info in old.infos}
    before = {(error.path, error.line, error.reason) for error in old.refused}
    broken = [
        error
        for error in new.refused
        if error.path in worked and (error.path, error.line, error.reason) not in before
    ]
    if broken:
        told = [error.message for error in broken[:_MOST_NAMED]]
        if len(broken) > _MOST_NAMED:
            told.append(f"… {len(broken) - _MOST_NAMED} more")
        raise BrokenRulesError("\n".join(told))
    if len(old) and not len(new):
        raise BrokenRulesError("no rule is left of those that were loaded")


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(one for one in path.rglob("*") if one.suffix.lower() in _ENDINGS)
    else:
        yield path
