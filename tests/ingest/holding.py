"""An intake that keeps in memory what it takes, and a book of sources; both honour the interface."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from haidang.ingest.model import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Book", "MemoryIntake", "eventually", "source"]


def source(name: str, form: str = "", *, enabled: bool = True) -> Source:
    return Source(id=f"id of {name}", name=name, format=form, enabled=enabled)


class Book:
    """Sources by name, and by certificate."""

    def __init__(self, *sources: Source, certificates: Mapping[str, str] | None = None) -> None:
        self.sources = {one.name: one for one in sources}
        self.certificates = dict(certificates or {})

    def by_token(self, token: str) -> Source | None:
        del token
        return None

    def by_certificate(self, fingerprint_sha256: str) -> Source | None:
        return self.sources.get(self.certificates.get(fingerprint_sha256, ""))

    def by_name(self, name: str) -> Source | None:
        return self.sources.get(name)


class MemoryIntake:
    """Takes what it is given; ``refusals`` are raised first, one for each attempt."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, list[bytes]]] = []
        self.refusals: list[Exception] = []
        self.kept: dict[str, bytes] = {}
        self.open = asyncio.Event()
        """What is cleared while the disk takes nothing."""
        self.open.set()
        self.attempts = 0

    async def take(
        self,
        source: Source,
        data: bytes,
        *,
        format: str,  # noqa: A002 - as everywhere
        count: int,
        alone: bool = False,
        marks: Mapping[str, bytes] | None = None,
    ) -> None:
        del alone
        self.attempts += 1
        await self.open.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        records = data.split(b"\n") if count else []
        assert len(records) == count
        if count:
            self.taken.append((source.name, format, records))
        self.kept.update(marks or {})

    @property
    def lines(self) -> list[bytes]:
        return [line for _, _, lines in self.taken for line in lines]

    def of(self, name: str) -> list[bytes]:
        return [line for source, _, lines in self.taken if source == name for line in lines]


async def eventually(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until ``condition()`` holds."""
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, "it did not come about in time"
        await asyncio.sleep(0.01)
