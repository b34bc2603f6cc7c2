"""From paths to every rule in them: found, compiled, joined, and all refusals at once.

Rules of this module:

- ``load`` never stops at a bad rule; ``LoadedRules.refused`` names each with its file, line and reason.
  Only what the user got wrong (a path, a pipeline, a placeholder file) is raised.
- What did not change since the last time comes from the cache (``cache``).

Rule files are untrusted; the paths are the user's.
"""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import os
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from haidang._version import __version__
from haidang.errors import ConfigurationError, RuleError
from haidang.limits import DEFAULT_LIMITS
from haidang.sigma.cache import read_snapshot, write_snapshot
from haidang.sigma.content import FileContent
from haidang.sigma.ir import EventRule
from haidang.sigma.loaded import LoadedRules, RuleGroup
from haidang.sigma.private_files import default_folder
from haidang.sigma.sources import find_sources, read_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from haidang.limits import Limits
    from haidang.sigma.documents import Compiler
    from haidang.sigma.ir import LogSource, RuleInfo
    from haidang.sigma.joining import Joined
    from haidang.sigma.snapshot import Snapshot
    from haidang.sigma.sources import RuleFile, Source

__all__ = ["BUILTIN_RULES", "LoadedRules", "RuleGroup", "load", "rules_from_text"]

BUILTIN_RULES = Path(__file__).parent / "builtin"
"""Folder of the rules that come with the package."""


def load(
    paths: Sequence[str | Path],
    *,
    pipelines: Sequence[str | Path] = (),
    placeholders: Sequence[str | Path] = (),
    builtin: bool = False,
    cache: bool = True,
    cache_dir: str | Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> LoadedRules:
    """Return the rules in ``paths``: files, folders, or zips of rules.

    Args:
        paths: where the rules are.
        pipelines: pySigma processing pipelines (YAML files or folders of them).
        placeholders: YAML files of ``name: [values]`` for rules with ``expand``.
        builtin: also load the rules that come with the package.
        cache: keep compiled rules, and use those that were kept.
        cache_dir: where; ``$XDG_CACHE_HOME/haidang`` when None.
        limits: bounds on sizes.

    Raises:
        ConfigurationError: a path, pipeline or placeholder file is wrong.
    """
    wanted = [*([BUILTIN_RULES] if builtin else []), *paths]
    sources = find_sources(wanted)
    folder = None if not cache else default_folder() if cache_dir is None else Path(cache_dir)
    key = _key(wanted, pipelines, placeholders, limits)
    snapshot = None if folder is None else read_snapshot(folder, key)
    if snapshot is not None and snapshot.fits(sources):
        return _from_snapshot(snapshot)
    compiler = _compiler(pipelines, placeholders)
    with _collector_paused():
        contents, compiled = _contents(sources, snapshot, compiler, limits)
        joined = _join(contents, compiler)
        if pipelines and (pipeline := compiler().pipeline) is not None:
            joined.notes += pipeline.notes
        identity = "" if folder is None else write_snapshot(folder, key, sources, contents, joined)
    return _from_joined(joined, contents, compiled, identity)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the cyclic collector still: compiling makes a million objects that stay, and few cycles."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def rules_from_text(
    text: str, *, path: str = "<text>", placeholders: Mapping[str, Sequence[str]] | None = None
) -> LoadedRules:
    """Return the rules in a YAML text; ``path`` is what errors call it."""
    from haidang.sigma.documents import Compiler

    values = {name: tuple(given) for name, given in (placeholders or {}).items()}
    compiler = Compiler(None, values)
    contents = [compiler.compile(path, text.encode("utf-8", "surrogatepass"))]
    return _from_joined(_join(contents, lambda: compiler), contents, 1)


def _compiler(pipelines: Sequence[str | Path], placeholders: Sequence[str | Path]) -> Callable[[], Compiler]:
    @cache
    def compiler() -> Compiler:
        from haidang.sigma.documents import Compiler
        from haidang.sigma.pipelines import load_pipeline
        from haidang.sigma.placeholders import load_placeholders

        return Compiler(load_pipeline(pipelines), load_placeholders(placeholders))

    return compiler


def _contents(
    sources: Sequence[Source], snapshot: Snapshot | None, compiler: Callable[[], Compiler], limits: Limits
) -> tuple[list[FileContent], int]:
    """Return what each rule file holds, and how many had to be compiled."""
    known = _Known(snapshot)
    contents: list[FileContent] = []
    compiled = 0
    for index, source in enumerate(sources):
        kept = known.of_source(source)
        if kept is None:
            kept = []
            for file in read_source(source, limits):
                content = known.of_file(file)
                if content is None:
                    content = _compile(file, compiler())
                    compiled += 1
                kept.append(content)
        for content in kept:
            content.source = index
        contents += kept
    return contents, compiled


class _Known:
    """What the cache holds of single sources and files."""

    def __init__(self, snapshot: Snapshot | None) -> None:
        self._snapshot = snapshot
        self._sources: dict[Source, list[FileContent]] = {}
        self._files: dict[tuple[str, bytes], FileContent] = {}
        if snapshot is not None:
            self._take(snapshot)

    def _take(self, snapshot: Snapshot) -> None:
        stored = snapshot.head.sources
        for content in snapshot.contents():
            self._files[content.path, content.digest] = content
            self._sources.setdefault(stored[content.source], []).append(content)
        for number in snapshot.incomplete():
            self._sources.pop(stored[number], None)

    def of_source(self, source: Source) -> list[FileContent] | None:
        if self._snapshot is None or not self._snapshot.is_sure(source):
            return None
        return self._sources.get(source)

    def of_file(self, file: RuleFile) -> FileContent | None:
        return None if file.fault else self._files.get((file.path, _digest(file.data)))


def _compile(file: RuleFile, compiler: Compiler) -> FileContent:
    if file.fault:
        return FileContent(file.path, refused=[RuleError(file.fault, path=file.path)])
    content = compiler.compile(file.path, file.data)
    content.digest = _digest(file.data)
    return content


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _join(contents: list[FileContent], compiler: Callable[[], Compiler]) -> Joined:
    from haidang.sigma.joining import join

    return join(contents, compiler)


def _from_joined(
    joined: Joined, contents: Sequence[FileContent], compiled: int, identity: str = ""
) -> LoadedRules:
    members: dict[LogSource, list[EventRule]] = {}
    infos: list[RuleInfo] = []
    for rule in joined.rules:
        info = joined.settled(rule.info)
        infos.append(info)
        members.setdefault(rule.logsource, []).append(
            rule if info is rule.info else EventRule(info, rule.logsource, rule.condition, rule.fields)
        )
    return LoadedRules(
        infos=(*infos, *(rule.info for rule in joined.correlations)),
        groups={
            logsource: RuleGroup(logsource, tuple(rule.info for rule in rules), rules=rules)
            for logsource, rules in members.items()
        },
        correlations=tuple(joined.correlations),
        refused=tuple(joined.refused),
        notes=tuple(joined.notes),
        files=len(contents),
        skipped=sum(content.skipped for content in contents),
        compiled=compiled,
        identity=identity,
    )


def _from_snapshot(snapshot: Snapshot) -> LoadedRules:
    return LoadedRules(
        infos=snapshot.infos,
        groups={
            logsource: RuleGroup(logsource, infos, encoded=encoded)
            for logsource, infos, encoded in snapshot.groups()
        },
        correlations=snapshot.correlations(),
        refused=snapshot.refused(),
        notes=snapshot.notes(),
        files=snapshot.head.files,
        skipped=snapshot.head.skipped,
        identity=snapshot.identity,
    )


def _key(
    paths: Sequence[str | Path],
    pipelines: Sequence[str | Path],
    placeholders: Sequence[str | Path],
    limits: Limits,
) -> str:
    """Return the name of the snapshot for one choice of options, by the content of all but the rules."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (__version__, sys.version, str(limits.rule_file_bytes), *_code()):
        digest.update(f"{part}\0".encode())
    for path in paths:
        digest.update(f"{path}\0{os.path.abspath(path)}\0".encode("utf-8", "surrogateescape"))  # noqa: PTH100
    files = list(map(Path, placeholders))
    if pipelines:
        from haidang.sigma.pipelines import pipeline_files

        files += pipeline_files(pipelines)
    for path in files:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{path}: the pipeline or placeholder file cannot be read: {error.strerror or error}"
            ) from None
        digest.update(f"{path}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
    return digest.hexdigest()


@cache
def _code() -> tuple[str, ...]:
    """Return what tells apart versions of the code that compiles rules, this and pySigma's."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    pysigma = importlib.util.find_spec("sigma")
    if pysigma is not None and pysigma.origin:
        files.append(Path(pysigma.origin))
    states = ((file.name, file.stat()) for file in files)
    return tuple(f"{name} {state.st_size} {state.st_mtime_ns}" for name, state in states)
