"""The indicators that a user keeps: one file for each source, in a private folder.

- The folder is the user's alone (:mod:`haidang.sigma.private_files`); a file is written beside its place and
  renamed, so that no run sees half of one, whatever ends the program.
- A file holds a head (settings, state, what was refused) and the indicators, or the warninglist as it came.
- ``compiled`` gives one index over all sources, kept in a file of its own beside them and made again when any
  of them changed.

Secrets are never here: a source keeps the *name* of the file that holds its token or password.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from haidang.errors import ConfigurationError, OutputError
from haidang.intel.index import INDEX_VERSION, IndexBuilder, IndicatorIndex
from haidang.intel.model import Indicator, RefusedEntry
from haidang.intel.place import store_folder
from haidang.intel.warninglists import Warninglists, read_warninglist
from haidang.sigma.private_files import read_private, write_private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from haidang.intel.model import Reading

__all__ = ["FeedEvent", "Intel", "Source", "Store", "compile_sources", "default_store", "with_defaults"]

_SUFFIX = ".source"
_COMPILED = "all.compiled"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAGIC = b"haidang intel 1\n"
_DIGEST = 32


class FeedEvent(msgspec.Struct, frozen=True, array_like=True):
    """An event of a MISP feed, as it was read last."""

    timestamp: str
    """When it was changed, as the feed's manifest tells it."""
    indicators: int
    counts: dict[str, int]
    """Reason to how many of its entries it refused."""


class Source(msgspec.Struct, frozen=True):
    """Where indicators come from, and how the last update went."""

    name: str
    kind: str
    """A format of ``intel/feeds``, or taxii, misp-feed, warninglist."""
    location: str
    """Path or URL."""
    confidence: int = -1
    """For indicators that have none of their own."""
    tlp: str = ""
    expires_days: int = 0
    """Days after which indicators without an end of their own end; 0 for never."""
    user: str = ""
    password_file: str = ""
    token_file: str = ""
    token_header: str = ""
    """The header that holds the token as it is; "" for ``Authorization: Bearer``."""
    added_after: str = ""
    """For TAXII: where the last update ended."""
    pack: str = ""
    """The pack that it came in, "" for none."""
    packed: int = 0
    """Seconds since 1970 when that pack was made."""
    updated: int = 0
    """Seconds since 1970 of the last update that worked."""
    failed: str = ""
    """Why the last update did not work, "" when it did."""
    indicators: int = 0
    refused: tuple[RefusedEntry, ...] = ()
    counts: dict[str, int] = {}
    """Reason to how many entries it refused."""
    events: dict[str, FeedEvent] = {}
    """Of a MISP feed: by event what of the indicators is of it, in their order."""
    read_by: str = ""
    """The version that read these."""


@dataclass(frozen=True, slots=True)
class Intel:
    """Everything that events are looked at for."""

    index: IndicatorIndex
    patterns: tuple[tuple[str, Indicator], ...]
    """Patterns that are more than look-ups, each with its source."""
    sources: tuple[Source, ...]
    held_back: Mapping[str, int]
    """Warninglist to how many indicators are on it."""


def default_store(environ: Mapping[str, str] = os.environ) -> Store | None:
    """Return the store in ``$XDG_DATA_HOME/haidang/intel``, or None where there is no home."""
    folder = store_folder(environ)
    return None if folder is None else Store(folder)


class Store:
    """The sources in one folder."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``; it is made when something is written."""
        self.folder = folder

    def names(self) -> list[str]:
        """Return the names of the sources, in order."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name.removesuffix(_SUFFIX) for path in self.folder.glob(f"*{_SUFFIX}"))

    def sources(self) -> list[Source]:
        """Return what is known of each source."""
        return [self.source(name) for name in self.names()]

    def source(self, name: str) -> Source:
        """Return what is known of one source.

        Raises:
            ConfigurationError: There is none of that name, or its file is damaged or not the user's own.
        """
        return self._read(name)[0]

    def indicators(self, name: str) -> list[Indicator]:
        """Return the indicators of a source; see ``source`` for errors."""
        source, body = self._read(name)
        if source.kind == "warninglist":
            return []
        return msgspec.msgpack.decode(body, type=list[Indicator])

    def body(self, name: str) -> list[Indicator] | bytes:
        """Return the indicators of a source, or a warninglist as it came; see ``source`` for errors."""
        is_list = self.source(name).kind == "warninglist"
        return self.warninglist(name) if is_list else self.indicators(name)

    def warninglist(self, name: str) -> bytes:
        """Return a warninglist as it came."""
        return bytes(self._read(name)[1])

    def _read(self, name: str) -> tuple[Source, memoryview]:
        self._check(name)
        data = read_private(self.folder, f"{name}{_SUFFIX}")
        if data is None:
            raise ConfigurationError(
                f"{self.folder / f'{name}{_SUFFIX}'}: the file or its folder is not yours alone, "
                "and is not used"
            )
        view = memoryview(data)
        start = len(_MAGIC) + _DIGEST
        digest = hashlib.blake2b(view[start:], digest_size=_DIGEST).digest()
        if not data.startswith(_MAGIC) or data[len(_MAGIC) : start] != digest:
            raise ConfigurationError(
                f"{self.folder / f'{name}{_SUFFIX}'}: the file is damaged",
                hint=f"Remove it (haidang intel remove {name}) and add the source again.",
            )
        size = int.from_bytes(data[start : start + 8], "little")
        return msgspec.msgpack.decode(view[start + 8 : start + 8 + size], type=Source), view[
            start + 8 + size :
        ]

    def write(self, source: Source, body: list[Indicator] | bytes) -> None:
        """Keep a source, in place of one of the same name.

        Raises:
            ConfigurationError: The name is none.
            OutputError: It cannot be written, or not privately.
        """
        if not _NAME.fullmatch(source.name):
            raise ConfigurationError(
                f"{source.name!r} is no name for a source", hint="Use letters, digits, dots, hyphens."
            )
        head = msgspec.msgpack.encode(source)
        packed = body if isinstance(body, bytes) else msgspec.msgpack.encode(body)
        self._write(f"{source.name}{_SUFFIX}", len(head).to_bytes(8, "little"), head, packed)

    def _write(self, name: str, *parts: bytes) -> None:
        digest = hashlib.blake2b(digest_size=_DIGEST)
        for part in parts:
            digest.update(part)
        data = b"".join([_MAGIC, digest.digest(), *parts])
        if not write_private(self.folder, name, data, most=None):
            raise OutputError(
                f"{self.folder / name}: cannot be written privately",
                hint="The folder must be yours alone (mode 0700), and the disk must have room.",
            )

    def remember(self, source: Source) -> None:
        """Keep what is known of a source, with the indicators that it has."""
        self.write(source, bytes(self._read(source.name)[1]))

    def remove(self, name: str) -> None:
        """Remove a source, a damaged one too.

        Raises:
            ConfigurationError: There is none of that name.
            OutputError: It cannot be removed.
        """
        path = self.folder / f"{name}{_SUFFIX}"
        self._check(name)
        try:
            path.unlink()
        except OSError as error:
            raise OutputError(f"{path}: {error.strerror}") from error

    def compiled(self, names: Iterable[str] | None = None) -> Intel:
        """Return everything in some sources (all by default), ready for use; warninglists always count.

        Raises:
            ConfigurationError: A source is not there, damaged, or not the user's own.
        """
        wanted = None if names is None else sorted(set(names))
        for one in wanted or ():
            self._check(one)
        key = self._key(wanted)
        name = _COMPILED if wanted is None else f"{key}.compiled"
        known = read_private(self.folder, name)
        if known is not None and (found := _decoded(known, key)) is not None:
            return found
        sources = {source.name: source for source in self.sources()}
        lists = [one for one in sources.values() if one.kind == "warninglist"]
        used = [one for one in sources.values() if wanted is None or one.name in wanted or one in lists]
        intel = compile_sources(
            ((one, self.indicators(one.name)) for one in used),
            [(one.name, self.warninglist(one.name)) for one in lists],
        )
        rest = _encoded(intel, key)
        digest = hashlib.blake2b(rest, digest_size=_DIGEST).digest()
        write_private(self.folder, name, b"".join([_MAGIC, digest, rest]))
        return intel

    def state(self) -> str:
        """Return a text that changes whenever a source does, comes or goes."""
        return self._key(None)

    def _check(self, name: str) -> None:
        if not _NAME.fullmatch(name) or not (self.folder / f"{name}{_SUFFIX}").exists():
            raise ConfigurationError(
                f"there is no source of indicators {name!r}", hint="haidang intel list shows them."
            )

    def _key(self, wanted: list[str] | None) -> str:
        """Return a text that changes whenever a source does."""
        states = []
        for name in self.names():
            state = (self.folder / f"{name}{_SUFFIX}").stat()
            states.append((name, state.st_size, state.st_mtime_ns, state.st_ino))
        return hashlib.blake2b(repr((INDEX_VERSION, wanted, states)).encode(), digest_size=16).hexdigest()


def compile_sources(
    sources: Iterable[tuple[Source, Iterable[Indicator]]], warninglists: Iterable[tuple[str, bytes]] = ()
) -> Intel:
    """Return the index and the patterns of some sources, what is on a warninglist left out."""
    guard = Warninglists(read_warninglist(data, name) for name, data in warninglists)
    builder = IndexBuilder()
    patterns: list[tuple[str, Indicator]] = []
    held_back: Counter[str] = Counter()
    used: list[Source] = []
    for source, indicators in sources:
        used.append(source)
        for one in indicators:
            if guard.lists and (name := guard.holding(one)):
                held_back[name] += 1
            elif one.kind == "pattern":
                patterns.append((source.name, one))
            else:
                builder.add(one, source.name)
    return Intel(builder.finish(), tuple(patterns), tuple(used), held_back)


def _encoded(intel: Intel, key: str) -> bytes:
    # The index must begin at a multiple of 8 in the file: magic and digest are 48 bytes.
    head = msgspec.msgpack.encode((key, intel.patterns, intel.sources, dict(intel.held_back)))
    padding = b"\0" * (-len(head) % 8)
    return b"".join([len(head).to_bytes(8, "little"), head, padding, intel.index.encoded()])


class _Head(msgspec.Struct, array_like=True):
    key: str
    patterns: tuple[tuple[str, Indicator], ...]
    sources: tuple[Source, ...]
    held_back: dict[str, int]


def _decoded(data: bytes, key: str) -> Intel | None:
    start = len(_MAGIC) + _DIGEST
    view = memoryview(data)
    if (
        not data.startswith(_MAGIC)
        or data[len(_MAGIC) : start] != hashlib.blake2b(view[start:], digest_size=_DIGEST).digest()
    ):
        return None
    size = int.from_bytes(view[start : start + 8], "little")
    head = msgspec.msgpack.decode(view[start + 8 : start + 8 + size], type=_Head)
    if head.key != key:
        return None
    index = IndicatorIndex.decoded(view[start + 8 + size + -size % 8 :])
    return None if index is None else Intel(index, head.patterns, head.sources, head.held_back)


def with_defaults(source: Source, reading: Reading, now: int) -> Iterator[Indicator]:
    """Yield the indicators of a reading, what they do not say themselves taken from their source."""
    ends = now + source.expires_days * 86_400 if source.expires_days else None
    for one in reading.indicators:
        if (one.confidence >= 0 or source.confidence < 0) and (one.tlp or not source.tlp) and not ends:
            yield one
            continue
        yield msgspec.structs.replace(
            one,
            confidence=one.confidence if one.confidence >= 0 else source.confidence,
            tlp=one.tlp or source.tlp,
            valid_until=one.valid_until if one.valid_until is not None else ends,
        )
